"""A streaming reader of JSON structure over bytes.

It finds where values begin and end and never builds them, so a file of any size is walked with one
window of it in memory and every place is an exact byte offset. Members and elements are yielded
with the window standing at the value; whoever asked for them consumes it before going on.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import orjson

from tg_pipeline.sources.desktop_json.inputs import Input

CHUNK = 2**19
"""Bytes read at a time."""
LOOKBACK = 256
"""Bytes kept before the place of reading, to see how a record is indented."""

QUOTE, COMMA, COLON = b'",:'
OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET = b"{}[]"
BOM = b"\xef\xbb\xbf"

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING_REST = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_RUN = rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")'
_FLAT = re.compile(_RUN + rb"*+", re.DOTALL)
_SCALAR = re.compile(rb"[-+.\w]*+", re.ASCII)


def _nested(depth: int) -> bytes:
    return _RUN if not depth else rb"(?:%s|[{\[]%s*+[}\]])" % (_RUN, _nested(depth - 1))


_WHOLE = re.compile(rb"[{\[]%s*+[}\]]" % _nested(5), re.DOTALL)
"""An object or list of ordinary depth in one match; no place is tried twice."""


class Cut(Exception):
    """The file ends inside its structure."""


class Malformed(Exception):
    """The structure is not JSON at a byte offset."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason


class Window:
    """The part of a file now in memory, and the place where reading stands.

    Attributes:
        data: the bytes in memory.
        pos: index in `data` of the next byte to read.
        sound: offset in the file up to which all values are complete.
    """

    __slots__ = ("_base", "_file", "data", "pos", "sound", "source")

    def __init__(self, file: BinaryIO, source: Input, *, offset: int = 0) -> None:
        file.seek(offset)
        self._file = file
        self._base = self.sound = offset
        self.source = source
        self.data = file.read(CHUNK)
        self.pos = len(BOM) if not offset and self.data.startswith(BOM) else 0

    @property
    def offset(self) -> int:
        """The place of reading, in bytes from the start of the file."""
        return self._base + self.pos

    def fill(self, at: int) -> int:
        """Read on and forget what lies well before `pos`; returns the new index of `at`.

        Raises:
            Cut: the file has no more bytes.
        """
        # At least doubling what must be kept makes one long record cost linear time.
        more = self._file.read(max(CHUNK, len(self.data) - self.pos))
        if not more:
            raise Cut
        drop = max(0, self.pos - LOOKBACK)
        self.data = self.data[drop:] + more
        self._base += drop
        self.pos -= drop
        return at - drop

    def peek(self) -> int:
        """The next byte that is not white space, left unread."""
        while (at := _end(_SPACE, self.data, self.pos)) == len(self.data):
            self.pos = at
            self.fill(at)
        self.pos = at
        return self.data[at]

    def expect(self, byte: int, what: str) -> None:
        """Read one byte that has to come next.

        Raises:
            Malformed: another one comes.
        """
        if self.peek() != byte:
            raise Malformed(self.offset, f"expected {what}")
        self.pos += 1

    def take(self) -> bytes:
        """Read one whole value."""
        self.peek()
        end = self.value_end()
        value = self.data[self.pos : end]
        self.pos = end
        return value

    def skip(self) -> None:
        """Pass over one value without keeping any of it."""
        self.peek()
        self.pos = self.value_end(keep=False)

    def value_end(self, *, keep: bool = True) -> int:
        """The index after the value at `pos`; with `keep` the value is in `data` whole.

        Raises:
            Cut: the file ends first.
            Malformed: no value begins here.
        """
        byte = self.data[self.pos]
        if byte == QUOTE:
            return self._string_end(self.pos + 1, keep)
        if byte in (OPEN_BRACE, OPEN_BRACKET):
            whole = _WHOLE.match(self.data, self.pos) if keep else None
            return whole.end() if whole else self._nest_end(self.pos, keep)
        return self._scalar_end()

    def _more(self, at: int, keep: bool) -> int:
        if not keep:
            self.pos = at
        return self.fill(at)

    def _string_end(self, at: int, keep: bool) -> int:
        while True:
            at = _end(_STRING_REST, self.data, at)
            if at < len(self.data) and self.data[at] == QUOTE:
                return at + 1
            at = self._more(at, keep)

    def _nest_end(self, at: int, keep: bool) -> int:
        depth = 0
        while True:
            at = _end(_FLAT, self.data, at)
            if at == len(self.data):
                at = self._more(at, keep)
            elif (byte := self.data[at]) == QUOTE:  # a string that ends outside the window
                at = self._string_end(at + 1, keep)
            else:
                at += 1
                depth += 1 if byte in (OPEN_BRACE, OPEN_BRACKET) else -1
                if not depth:
                    return at

    def _scalar_end(self) -> int:
        while (at := _end(_SCALAR, self.data, self.pos)) == len(self.data):
            self.fill(at)
        try:
            orjson.loads(self.data[self.pos : at])
        except orjson.JSONDecodeError:
            raise Malformed(self.offset, "expected a value") from None
        return at


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    return at if match is None else match.end()


def members(window: Window) -> Iterator[str]:
    """The keys of the object that comes next, each with the window at its value."""
    window.expect(OPEN_BRACE, "an object")
    if window.peek() == CLOSE_BRACE:
        window.pos += 1
        return
    while True:
        yield _key(window)
        if _ends(window, CLOSE_BRACE):
            return


def elements(window: Window) -> Iterator[None]:
    """The elements of the array that comes next, with the window at each of them."""
    window.expect(OPEN_BRACKET, "a list")
    if window.peek() == CLOSE_BRACKET:
        window.pos += 1
        return
    while True:
        window.peek()
        yield
        if _ends(window, CLOSE_BRACKET):
            return


def _key(window: Window) -> str:
    if window.peek() != QUOTE:
        raise Malformed(window.offset, "expected a key in double quotes")
    key = text(window.take())
    window.expect(COLON, "a colon after the key")
    window.peek()
    return key


def _ends(window: Window, close: int) -> bool:
    window.sound = window.offset
    byte = window.peek()
    if byte not in (COMMA, close):
        raise Malformed(window.offset, f"expected a comma or {chr(close)}")
    window.pos += 1
    return byte == close


def text(value: bytes) -> str:
    """A JSON string of the structure itself; what cannot be read stays as it looks."""
    try:
        return str(orjson.loads(value))
    except orjson.JSONDecodeError:
        return value[1:-1].decode("utf-8", "replace")
