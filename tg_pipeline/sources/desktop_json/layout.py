"""Where in a file the chats are: one at the top, or lists of them in an account export.

Everything else in an account export (personal information, contacts with their phone numbers,
frequent contacts, stories, sessions …) is passed over and never kept.
"""

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from tg_pipeline.errors import ForeignFormat, InputMissing, InputUnreadable, InvalidJson
from tg_pipeline.sources.desktop_json.inputs import Input
from tg_pipeline.sources.desktop_json.reader import (
    OPEN_BRACE,
    OPEN_BRACKET,
    Cut,
    Malformed,
    Window,
    elements,
    members,
)
from tg_pipeline.sources.desktop_json.repair import understand

_HEADER = {"name", "type", "id"}
_LISTS = {"chats", "left_chats"}
_KEYS_REMEMBERED = 64
_SURROGATE = re.compile("[\0\ud800-\udfff]")


@dataclass(slots=True)
class Header:
    """What a chat's own object says, as far as it has been read.

    Attributes:
        offset: byte offset of the chat's object.
        position: how many chats come before it in the file.
        has_messages: the window stands at its `messages`, to be consumed before going on.
        said: the header keys that were there, even as null.
    """

    offset: int
    position: int
    name: str | None = None
    type: str | None = None
    id: int | None = None
    has_messages: bool = False
    said: set[str] = field(default_factory=set)

    def learn(self, key: str, value: bytes, *, windows_1251: bool) -> None:
        """Keep a header value; one of the wrong type counts as missing."""
        understood = understand(value, windows_1251=windows_1251)
        known = understood.value if understood else value.strip(b'"').decode("utf-8", "replace")
        if key == "id" and type(known) is int:
            self.id = known
        elif key in {"name", "type"} and isinstance(known, str):
            setattr(self, key, _SURROGATE.sub("\ufffd", known))
        if known is None or getattr(self, key) is not None:
            self.said.add(key)


def chats(window: Window, *, windows_1251: bool = False) -> Iterator[Header]:
    """Every chat of the file in order, each with the window at its `messages`.

    Raises:
        ForeignFormat: there is no chat, or something else than Desktop made the file.
        Cut: the file ends inside its structure.
        Malformed: the structure is not JSON.
    """
    if window.peek() == OPEN_BRACKET:
        raise ForeignFormat(window.source.path, _list_looks_like(window))
    top = Header(window.offset, 0)
    keys: set[str] = set()
    found = False
    positions = itertools.count()
    for key in members(window):
        if key in _LISTS:
            found = True
            yield from _chat_list(window, positions, windows_1251)
        elif key == "messages":
            _refuse_foreign(window, keys)
            found = top.has_messages = True
            yield top
        else:
            _learn_or_skip(window, top, key, windows_1251)
        if len(keys) < _KEYS_REMEMBERED:
            keys.add(key)
    if not found:
        raise ForeignFormat(window.source.path, _object_looks_like(keys))


def _chat_list(window: Window, positions: Iterator[int], windows_1251: bool) -> Iterator[Header]:
    if window.peek() == OPEN_BRACKET:
        yield from _listed(window, positions, windows_1251)
    elif window.peek() != OPEN_BRACE:
        window.skip()
    else:
        for key in members(window):
            if key == "list" and window.peek() == OPEN_BRACKET:
                yield from _listed(window, positions, windows_1251)
            else:
                window.skip()


def _listed(window: Window, positions: Iterator[int], windows_1251: bool) -> Iterator[Header]:
    for _ in elements(window):
        if window.peek() != OPEN_BRACE:
            window.skip()
            continue
        yield from one_chat(window, Header(window.offset, next(positions)), windows_1251)


def one_chat(window: Window, header: Header, windows_1251: bool) -> Iterator[Header]:
    """Read a chat's object; its header is yielded at `messages`, or at the end if it has none."""
    for key in members(window):
        if key == "messages":
            _refuse_foreign(window, set())
            header.has_messages = True
            yield header
        else:
            _learn_or_skip(window, header, key, windows_1251)
    if not header.has_messages:
        yield header


def _learn_or_skip(window: Window, header: Header, key: str, windows_1251: bool) -> None:
    if key in _HEADER:
        header.learn(key, window.take(), windows_1251=windows_1251)
    else:
        window.skip()


# ---- what others write ----------------------------------------------------------------------


def _refuse_foreign(window: Window, keys: set[str]) -> None:
    """Refuse a `messages` that is no list of Desktop's, before any of it is read."""
    if window.peek() != OPEN_BRACKET:
        raise ForeignFormat(window.source.path, "a file whose messages are not a list")
    if "@type" in keys:
        raise ForeignFormat(window.source.path, "a TDLib dump")
    if maker := _maker(first_element(window)):
        raise ForeignFormat(window.source.path, maker)


def first_element(window: Window) -> Any:
    """The first element of the list at the window's place, read apart; None if there is none."""
    try:
        with window.source.open() as file:
            ahead = Window(file, window.source, offset=window.offset)
            for _ in elements(ahead):
                return orjson.loads(ahead.take())
    except (Cut, Malformed, orjson.JSONDecodeError):
        pass
    return None


def _maker(record: object) -> str | None:
    if not isinstance(record, dict):
        return None
    if "@type" in record:
        return "a TDLib dump"
    if "_" in record:
        return "a Telethon dump"
    if "update_id" in record or ("message_id" in record and "id" not in record):
        return "Bot API updates"
    return None


def _list_looks_like(window: Window) -> str:
    record = first_element(window)
    if record is None:
        return "an empty list"
    return _maker(record) or "a plain list of rows"


def _object_looks_like(keys: set[str]) -> str:
    if {"ok", "result"} <= keys:
        return "Bot API updates"
    return _maker(dict.fromkeys(keys)) or "a JSON object without chats or messages"


# ---- from internal signals to our errors ----------------------------------------------------


@contextmanager
def told_as_errors(source: Input) -> Iterator[None]:
    """Tell faults of the structure and of the file system as errors that name path and line."""
    try:
        yield
    except Malformed as fault:
        line = line_of(source, fault.offset)
        raise InvalidJson(source.path, fault.offset, line, fault.reason) from None
    except FileNotFoundError:
        raise InputMissing(source.path) from None
    except OSError as fault:
        raise InputUnreadable(source.path, fault.strerror or str(fault)) from fault


def line_of(source: Input, offset: int) -> int:
    """The line, from 1, that a byte offset is in."""
    line = 1
    with source.open() as file:
        while offset > 0 and (chunk := file.read(min(offset, 2**20))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line
