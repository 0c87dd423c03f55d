"""Writes histories as the result.json of a Telegram Desktop export, one message at a time.

The layout is Desktop's own: one key a line, one space a level, no newline at the end. orjson
writes two spaces a level; since raw newlines occur in layout only, replacing them is safe.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import orjson

from tg_pipeline.generator.desktop_message import Json, MessageWriter, local_day
from tg_pipeline.generator.history import History
from tg_pipeline.generator.model import Peer
from tg_pipeline.generator.style import DesktopStyle

_MESSAGES_A_WRITE = 200
_DEEPEST = 6
_ABOUT = (
    "Here is the data you requested. This export was invented by tg-pipeline for trying it out."
)
_ABOUT_CONTACTS = "Contacts of the exporting account. All phone numbers are fictitious."
_ABOUT_FREQUENT = "People this account writes to most."
_TYPES = {
    "channel": ("private_channel", "public_channel"),
    "supergroup": ("private_supergroup", "public_supergroup"),
    "group": ("private_group", "private_group"),
    "private": ("personal_chat", "personal_chat"),
    "saved": ("saved_messages", "saved_messages"),
}
_CONTROL = re.compile(rb"\\u00([01][0-9a-f])")
_CUSTOM_EMOJI = re.compile(
    rb'("type": "custom_emoji",\n *"text": "[^"\n]*",\n *"document_id": )"([^"\n]*)"'
)


def write_desktop_json(
    target: Path | str | BinaryIO,
    histories: Sequence[History],
    *,
    as_of: datetime,
    style: DesktopStyle = DesktopStyle(),  # noqa: B008  # frozen
) -> None:
    """Write what Telegram shows at a moment as a Telegram Desktop export.

    Args:
        target: Path of the result.json, or an open binary file.
        histories: The chats; exactly one unless the style says account export.
        as_of: The moment of the export.
        style: Version, zone and options of the exporting Telegram Desktop.

    Raises:
        ValueError: Several chats for a single-chat export, or ids too large for the oldest era.
    """
    chunks = desktop_chunks(histories, as_of=as_of, style=style)
    if isinstance(target, Path | str):
        with Path(target).open("wb") as file:
            file.writelines(chunks)
    else:
        target.writelines(chunks)


def desktop_chunks(
    histories: Sequence[History], *, as_of: datetime, style: DesktopStyle
) -> Iterator[bytes]:
    """The same file, piece by piece."""
    if style.account_export:
        return _account(histories, as_of, style)
    if len(histories) != 1:
        raise ValueError("a single-chat export holds exactly one chat")
    return _chat(histories[0], MessageWriter(style), as_of, style, level=0)


def _account(histories: Sequence[History], as_of: datetime, style: DesktopStyle) -> Iterator[bytes]:
    writer = MessageWriter(style)
    people = _people(histories)
    yield _open({"about": _ABOUT, **_about_account(histories[0].account, people, writer)}, 0)
    present = [history for history in histories if not history.plan.left]
    left = [history for history in histories if history.plan.left]
    yield from _chats("chats", present, writer, as_of, style)
    if left:
        yield from _chats("left_chats", left, writer, as_of, style)
    yield b"\n}"


def _chats(
    key: str,
    histories: Sequence[History],
    writer: MessageWriter,
    as_of: datetime,
    style: DesktopStyle,
) -> Iterator[bytes]:
    about = "This page lists all chats from this export."
    yield b",\n " + orjson.dumps(key) + b": " + _open({"about": about}, 1)
    yield b',\n  "list": ['
    for number, history in enumerate(histories):
        yield b",\n   " if number else b"\n   "
        yield from _chat(history, writer, as_of, style, level=3)
    yield b"\n  ]\n }"


def _chat(
    history: History, writer: MessageWriter, as_of: datetime, style: DesktopStyle, *, level: int
) -> Iterator[bytes]:
    indent = b"\n" + b" " * (level + 1)
    yield _open(_head(history, writer), level)
    yield b"," + indent + b'"messages": ['
    lay_out = _layout(level + 2)
    breaks = _breakage(style)
    separator = indent + b" "
    messages = (breaks(lay_out(_dump(writer.write(one)))) for one in history.as_of(as_of))
    while batch := list(islice(messages, _MESSAGES_A_WRITE)):
        yield separator + (b"," + indent + b" ").join(batch)
        separator = b"," + indent + b" "
    yield indent + b"]\n" + b" " * level + b"}"


def _head(history: History, writer: MessageWriter) -> Json:
    plan = history.plan
    head: Json = {} if plan.kind == "saved" else {"name": plan.title}
    if plan.kind == "private":
        head["name"] = writer.name(history.cast.chat)
    return {**head, "type": _TYPES[plan.kind][plan.public], "id": writer.bare(plan.entity_id)}


def _open(facts: Json, level: int) -> bytes:
    """An object without its closing brace, so that more keys can follow."""
    return _layout(level)(_dump(facts)).rpartition(b"\n")[0]


def _dump(facts: Json) -> bytes:
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2)


def _layout(level: int) -> Callable[[bytes], bytes]:
    """Two spaces a level to one, and so many levels deeper."""
    steps = [
        (b"\n" + b"  " * depth, b"\x01" + b" " * (depth + level))
        for depth in range(_DEEPEST, 0, -1)
    ]
    last = b"\n" + b" " * level

    def lay_out(document: bytes) -> bytes:
        for two, one in steps:
            document = document.replace(two, one)
        return document.replace(b"\n", last).replace(b"\x01", b"\n")

    return lay_out


def _breakage(style: DesktopStyle) -> Callable[[bytes], bytes]:
    """What Telegram Desktop's bugs make of a message."""
    hexed, unquoted = ("hex_escapes" in style.broken, "unquoted_document_id" in style.broken)

    def breaks(message: bytes) -> bytes:
        if hexed and b"\\u00" in message:
            message = _CONTROL.sub(rb"\\x\1", message)
        if unquoted and b'"custom_emoji"' in message:
            message = _CUSTOM_EMOJI.sub(rb"\1\2", message)
        return message

    return breaks


def _people(histories: Sequence[History]) -> list[Peer]:
    found = {peer.id: peer for history in histories for peer in history.cast.people}
    return [peer for peer in found.values() if peer.id > 0 and peer.name is not None][:12]


def _about_account(account: Peer, people: Sequence[Peer], writer: MessageWriter) -> Json:
    first, _, last = (account.name or "").partition(" ")
    contacts = [_contact(number, peer, writer) for number, peer in enumerate(people)]
    frequent = [_frequent(number, peer, writer) for number, peer in enumerate(people[:4])]
    return {
        "personal_information": {
            "user_id": account.id,
            "first_name": first,
            "last_name": last,
            "phone_number": "+1 202 555 0100",
            "username": "@mira_lanternkeeper",
            "bio": "Keeps the lanterns.",
        },
        "profile_pictures": [],
        "contacts": {"about": _ABOUT_CONTACTS, "list": contacts},
        "frequent_contacts": {"about": _ABOUT_FREQUENT, "list": frequent},
    }


def _contact(number: int, peer: Peer, writer: MessageWriter) -> Json:
    first, _, last = (writer.name(peer) or "").partition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "phone_number": f"+1 202 555 01{10 + number}",
        "date": local_day(1_600_000_000 + number * 86_400),
    }


def _frequent(number: int, peer: Peer, writer: MessageWriter) -> Json:
    return {
        "id": peer.id,
        "category": "people",
        "type": "user",
        "name": writer.name(peer),
        "rating": (40 - number * 7) / 10,
    }
