"""Mends what Telegram Desktop itself is known to get wrong in JSON, and nothing else.

Valid JSON passes unchanged: repairs are tried only on a record that does not parse, each touches
only what no valid JSON can contain, and each is counted by kind.
"""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

import orjson

Match = re.Match[bytes]


class Repair(StrEnum):
    """What was mended in a record."""

    HEX_ESCAPE = "hex_escape"
    r"""`\x1F`, which is not JSON, written for a control character."""
    UNQUOTED_DOCUMENT_ID = "unquoted_document_id"
    """Desktop 4.1 left out the quotes of a custom emoji's `document_id`."""
    CONTROL_CHARACTER = "control_character"
    """A raw control character inside a string."""
    WINDOWS_1251 = "windows_1251"
    """Text in windows-1251 instead of UTF-8."""


class Understood(NamedTuple):
    """A parsed record.

    Attributes:
        value: the parsed JSON value.
        json: its JSON, after repair, still laid out as in the file.
        repairs: what was mended.
        has_surrogates: some string may hold a lone surrogate.
    """

    value: object
    json: bytes
    repairs: tuple[Repair, ...] = ()
    has_surrogates: bool = False


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_HEX = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_UNQUOTED = re.compile(rb'("document_id":[ \t]*)([^"\s{\[][^\r\n]*?)([ \t]*,?[ \t]*)(?=\r?\n)')
_LITERAL = re.compile(rb"true|false|null|-?[0-9][0-9.eE+-]*")


def understand(record: bytes, *, windows_1251: bool = False) -> Understood | None:
    """Parse one record, mending it if it must be; None if it cannot be."""
    repairs: tuple[Repair, ...] = ()
    if windows_1251 and not record.isascii():
        record = record.decode("cp1251", "replace").encode()
        repairs = (Repair.WINDOWS_1251,)
    try:
        return Understood(orjson.loads(record), record, repairs)
    except orjson.JSONDecodeError:
        return _mend_and_parse(record, repairs)


def _mend_and_parse(record: bytes, repairs: tuple[Repair, ...]) -> Understood | None:
    mended, kinds = mend(record)
    try:
        return Understood(orjson.loads(mended), mended, repairs + kinds)
    except orjson.JSONDecodeError:
        pass
    try:  # only the standard library reads lone surrogates
        value = json.loads(mended, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return Understood(value, mended, repairs + kinds, has_surrogates=True)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def mend(record: bytes) -> tuple[bytes, tuple[Repair, ...]]:
    """The record with Desktop's known faults mended, and which ones there were."""
    steps: tuple[tuple[Repair, Callable[[bytes], bytes]], ...] = (
        (Repair.UNQUOTED_DOCUMENT_ID, lambda data: _UNQUOTED.sub(_quote, data)),
        (Repair.HEX_ESCAPE, lambda data: _in_strings(_HEX, _unicode_escape, data)),
        (Repair.CONTROL_CHARACTER, lambda data: _in_strings(_CONTROL, _escape, data)),
    )
    kinds = []
    for kind, step in steps:
        mended = step(record)
        if mended != record:
            kinds.append(kind)
            record = mended
    return record, tuple(kinds)


def _quote(match: Match) -> bytes:
    head, value, tail = match.groups()
    if _LITERAL.fullmatch(value):
        return match[0]
    return bytes(head + b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' + tail)


def _in_strings(
    pattern: re.Pattern[bytes], replace: Callable[[Match], bytes], data: bytes
) -> bytes:
    return _STRING.sub(lambda string: pattern.sub(replace, string[0]), data)


def _unicode_escape(match: Match) -> bytes:
    # An escaped backslash is matched whole, so the x after it is left alone.
    return match[0] if match[1] is None else b"\\u00" + match[1]


def _escape(match: Match) -> bytes:
    return b"\\u%04x" % match[0][0]


def one_line(valid_json: bytes) -> bytes:
    """The same JSON without line breaks and indentation: its strings hold no raw line break."""
    lines = valid_json.splitlines() if b"\r" in valid_json else valid_json.split(b"\n")
    return b"".join(map(bytes.strip, lines))  # twice as fast as one regular expression
