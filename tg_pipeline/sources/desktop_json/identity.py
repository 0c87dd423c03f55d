"""Which chat a file speaks of and whose account counted its messages.

Facts come from the file first; what it leaves out is inferred from its senders, asked of the
user's options, or replaced by a surrogate that is marked as one. A name is never identity.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from tg_pipeline.contracts import ChatType
from tg_pipeline.contracts.identity import (
    CHANNEL_MARK,
    channel_peer,
    numbers_its_own_messages,
    surrogate_peer,
)
from tg_pipeline.sources.desktop_json.layout import Header

USER_OFFSET = 2**32
CHAT_OFFSET = 2**33
_CHANNEL_LIMIT = 4 * 10**15
"""Channel ids from here on would look like surrogates."""
_BIGINT = 2**63
_PEER = re.compile(r"(user|chat|channel)(\d{1,19})", re.ASCII)

_ONE_TO_ONE = {"personal_chat", "bot_chat"}
_TYPES = {
    "personal_chat": ChatType.PRIVATE,
    "bot_chat": ChatType.BOT,
    "saved_messages": ChatType.SAVED,
    "replies": ChatType.PRIVATE,
    "verification_codes": ChatType.BOT,
    "group": ChatType.GROUP,
    "supergroup": ChatType.SUPERGROUP,
    "channel": ChatType.CHANNEL,
}
USERS_ONLY = frozenset({ChatType.PRIVATE, ChatType.BOT, ChatType.SAVED})
"""Chats whose senders can only be users."""

Senders = Callable[[], Iterator[int]]


class NoteCode(StrEnum):
    """What a user should know about how a chat was read."""

    ACCOUNT_UNKNOWN = "account_unknown"
    SURROGATE_ID = "surrogate_id"
    ID_INFERRED = "id_inferred"
    TYPE_UNKNOWN = "type_unknown"


@dataclass(frozen=True, slots=True)
class Note:
    """A note on one chat: a stable code, and a sentence for people."""

    code: NoteCode
    detail: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a chat is. `account_id` is 0 where nobody knows it."""

    entity_id: int
    account_id: int
    type: ChatType
    is_public: bool | None
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a chat is looked at.

    Attributes:
        file_account: the exporting user, if the file names one.
        asked_account: the one the user named.
        chat_id: the marked id the user named.
        numeric_ids: senders are bare numbers, as before mid-2020, when ids carried offsets.
        file_sha256: of the file; seeds a surrogate.
    """

    file_account: int | None
    asked_account: int | None
    chat_id: int | None
    numeric_ids: bool
    file_sha256: str


def chat_type(written: str | None) -> tuple[ChatType, bool | None]:
    """A type of Desktop's, and whether the chat is public where the type says so."""
    prefix, _, rest = (written or "").partition("_")
    if prefix in {"public", "private"}:
        return _TYPES.get(rest, ChatType.UNKNOWN), prefix == "public"
    return _TYPES.get(written or "", ChatType.UNKNOWN), None


def peer(value: object, *, users_only: bool = False) -> int | None:
    """The marked id of a sender such as `user12`, `channel34` or a bare number of an old file."""
    if isinstance(value, str):
        return _written_peer(value)
    if type(value) is not int or not -_BIGINT <= value < _BIGINT:
        return None
    if value >= CHAT_OFFSET and not users_only:
        return _marked("channel", value - CHAT_OFFSET)
    return value - USER_OFFSET if value >= USER_OFFSET else value


@lru_cache(maxsize=8192)
def _written_peer(value: str) -> int | None:
    match = _PEER.fullmatch(value)
    return None if match is None else _marked(match[1], int(match[2]))


def _marked(kind: str, number: int) -> int | None:
    """The marked id of a peer; None if its number cannot be one."""
    limit = {"user": _BIGINT, "chat": CHANNEL_MARK, "channel": _CHANNEL_LIMIT}[kind]
    if not 0 < number < limit:
        return None
    if kind == "channel":
        return channel_peer(number)
    return -number if kind == "chat" else number


def identify(header: Header, known: Known, senders: Senders) -> Identity:
    """Settle a chat's identity; `senders` reads the chat ahead and is called only if needed."""
    kind, is_public = chat_type(header.type)
    notes: list[Note] = []
    if kind is ChatType.UNKNOWN:
        notes.append(Note(NoteCode.TYPE_UNKNOWN, f"the file gives no known type: {header.type!r}"))
    entity_id = known.chat_id or _header_peer(header.id, kind, known.numeric_ids)
    if entity_id is None:
        entity_id = _inferred_chat(header, kind, known, senders)
        if entity_id is not None:
            notes.append(Note(NoteCode.ID_INFERRED, f"the chat is {entity_id} by its senders"))
    if entity_id is None:
        entity_id = _surrogate(known.file_sha256, header.position)
        notes.append(Note(NoteCode.SURROGATE_ID, f"no id in the file; {entity_id} stands for it"))
    account_id = _account(header, kind, entity_id, known, senders)
    if not account_id and not numbers_its_own_messages(entity_id):
        notes.append(Note(NoteCode.ACCOUNT_UNKNOWN, "the file does not tell whose account made it"))
    return Identity(entity_id, account_id, kind, is_public, tuple(notes))


def _header_peer(number: int | None, kind: ChatType, numeric_ids: bool) -> int | None:
    """The marked id for the number in a chat's header, which Desktop writes without mark."""
    if number is None or kind is ChatType.UNKNOWN or not -_CHANNEL_LIMIT < number < _BIGINT:
        return None
    if number <= -CHANNEL_MARK:  # some tools mark it themselves
        return number
    number = abs(number)
    offset = USER_OFFSET if kind in USERS_ONLY else CHAT_OFFSET
    if numeric_ids and number >= offset:
        number -= offset
    if kind in USERS_ONLY:
        return _marked("user", number)
    return _marked("chat" if kind is ChatType.GROUP else "channel", number)


def _inferred_chat(header: Header, kind: ChatType, known: Known, senders: Senders) -> int | None:
    if kind is ChatType.UNKNOWN and header.id is not None:
        namesakes = {header.id, channel_peer(header.id)}
        return next((sender for sender in senders() if sender in namesakes), None)
    if kind is ChatType.CHANNEL:
        return next((sender for sender in senders() if sender <= -CHANNEL_MARK), None)
    account = known.file_account or known.asked_account
    if header.type in _ONE_TO_ONE and account:
        return next((sender for sender in senders() if 0 < sender != account), None)
    return known.file_account if kind is ChatType.SAVED else None


def _surrogate(file_sha256: str, position: int) -> int:
    return surrogate_peer(hashlib.sha256(f"{file_sha256}:{position}".encode()).digest())


def _account(header: Header, kind: ChatType, entity_id: int, known: Known, senders: Senders) -> int:
    if known.file_account:
        return known.file_account
    if kind is ChatType.SAVED and entity_id > 0:
        return entity_id
    inferred = None
    if header.type in _ONE_TO_ONE and entity_id > 0:
        inferred = next((sender for sender in senders() if 0 < sender != entity_id), None)
    return inferred or known.asked_account or 0
