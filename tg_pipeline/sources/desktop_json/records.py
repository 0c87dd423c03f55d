"""Cuts the records of a `messages` list out of the window.

Desktop indents: an object that begins on a line of its own ends at the first line that closes it
at the same depth, which is a plain search. The parser proves each such cut (no proper part of a
JSON object is one). Where it fails, brackets are counted, whatever the layout.
"""

import re
from typing import NamedTuple

from tg_pipeline.sources.desktop_json.reader import (
    LOOKBACK,
    OPEN_BRACE,
    Cut,
    Window,
)
from tg_pipeline.sources.desktop_json.repair import Understood, understand

_REACH = 2**20
"""How far, in bytes, the closing line is searched."""
_TRIES = 16
"""After so many futile searches the layout is taken for another one."""


_AFTER = 256
"""How many bytes after a broken record are looked at for the list to go on."""

_GOES_ON = re.compile(rb"\s*(?:,\s*\{|\])")


class RecordSlice(NamedTuple):
    """One element of a `messages` list: its bytes as they stand in the file, and its meaning."""

    offset: int
    data: bytes
    understood: Understood | None


class Cutter:
    """Takes record after record from a window that stands at the beginning of one."""

    __slots__ = ("_futile", "_window", "_windows_1251")

    def __init__(self, window: Window, *, windows_1251: bool = False) -> None:
        self._window = window
        self._windows_1251 = windows_1251
        self._futile = 0

    def cut(self) -> RecordSlice:
        """Read the record at the window's place.

        Raises:
            Cut: the file ends inside it.
            Malformed: no value begins here.
        """
        window = self._window
        if window.data[window.pos] != OPEN_BRACE or self._futile >= _TRIES:
            return self._advance(window.value_end())
        end = self._closing_line()
        if end is None:
            return self._advance(window.value_end())
        understood = self._understand(end)
        if understood is None:
            return self._recut(end - window.pos)
        return self._advance(end, understood)

    def _understand(self, end: int) -> Understood | None:
        window = self._window
        return understand(window.data[window.pos : end], windows_1251=self._windows_1251)

    def _advance(self, end: int, understood: Understood | None = None) -> RecordSlice:
        window = self._window
        understood = understood or self._understand(end)
        record = RecordSlice(window.offset, window.data[window.pos : end], understood)
        window.pos = end
        return record

    def _recut(self, length: int) -> RecordSlice:
        """Count brackets; a record that is broken itself ends at its closing line after all."""
        window = self._window
        try:
            end = window.value_end()
        except Cut:
            if not self._goes_on(window.pos + length):
                raise
            return self._advance(window.pos + length)
        if self._understand(end) is None and self._goes_on(window.pos + length):
            end = window.pos + length
        else:
            self._futile += end != window.pos + length
        return self._advance(end)

    def _closing_line(self) -> int | None:
        """The index after the line that closes the object at its own indentation."""
        window = self._window
        start = window.pos
        line = window.data.rfind(b"\n", max(0, start - LOOKBACK), start)
        indent = window.data[line + 1 : start]
        if line < 0 or indent.strip() or window.data[start + 1 : start + 2] not in (b"\n", b"\r"):
            return None
        closing = b"\n" + indent + b"}"
        found = window.data.find(closing, start)
        while found < 0 and len(window.data) - window.pos < _REACH:
            try:
                at = window.fill(len(window.data) - len(closing))
            except Cut:
                return None
            found = window.data.find(closing, max(at, window.pos))
        if found < 0:
            self._futile += 1
            return None
        return found + len(closing)

    def _goes_on(self, end: int) -> bool:
        """Whether the list goes on or ends after a closing line, which makes it one to trust.

        Without indentation inner objects close on lines that look the same: none is trusted.
        """
        window = self._window
        while len(window.data) < end + _AFTER:
            try:
                end = window.fill(end)
            except Cut:
                break
        indented = window.data[end - 2 : end - 1] in (b" ", b"\t")
        return indented and _GOES_ON.match(window.data, end) is not None
