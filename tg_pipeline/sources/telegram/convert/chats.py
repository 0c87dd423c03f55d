"""Chats and the names of peers, as Telegram lists them beside its answers."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from telethon.tl import types

from tg_pipeline.contracts import Chat, ChatKey, ChatType, Participant, Source
from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline.sources.storable import storable_text
from tg_pipeline.sources.unfit import Unfit

_USERS = (types.User, types.UserEmpty)
_GROUPS = (types.Chat, types.ChatForbidden, types.ChatEmpty)
_CHANNELS = (types.Channel, types.ChannelForbidden)
_NAMED = _USERS + _GROUPS + _CHANNELS


def to_chat(entity: Any, account: int, observed_at: datetime) -> Chat:
    """A user, basic group, supergroup or channel as a chat of this account.

    Raises:
        Unfit: not_a_chat or invalid_record.
    """
    entity_id = peer_id(entity)
    try:
        return Chat(
            source=Source.TELEGRAM,
            entity_id=entity_id,
            account_id=ChatKey.of(entity_id, account).account_id,
            type=_type(entity, account),
            is_public=_is_public(entity),
            title=name_of(entity),
            observed_at=observed_at,
        )
    except ValidationError as fault:
        raise Unfit("invalid_record", str(fault)) from None


def participants(
    users: Iterable[Any], chats: Iterable[Any], observed_at: datetime
) -> Iterator[Participant]:
    """The names of all users, groups and channels among these that have one."""
    for entity in (*users, *chats):
        if isinstance(entity, _NAMED) and (name := name_of(entity)):
            yield _participant(peer_id(entity), name, observed_at)


@lru_cache(maxsize=4096)
def _participant(peer: int, name: str, observed_at: datetime) -> Participant:
    """Page after page names the same people."""
    return Participant(
        source=Source.TELEGRAM, participant_id=peer, name=name, observed_at=observed_at
    )


def peer_id(entity: Any) -> int:
    """The marked id of a user, group or channel.

    Raises:
        Unfit: not_a_chat.
    """
    if isinstance(entity, _USERS):
        return int(entity.id)
    if isinstance(entity, _GROUPS):
        return -int(entity.id)
    if isinstance(entity, _CHANNELS):
        return channel_peer(entity.id)
    raise Unfit("not_a_chat", f"{type(entity).__name__} is no user, group or channel")


def name_of(entity: Any) -> str | None:
    """A display name; None where there is none, as for deleted accounts."""
    if isinstance(entity, _USERS):
        parts = (getattr(entity, "first_name", None), getattr(entity, "last_name", None))
        name = " ".join(filter(None, parts))
    else:
        name = getattr(entity, "title", None) or ""
    return storable_text(name) or None


def _type(entity: Any, account: int) -> ChatType:
    if isinstance(entity, _USERS):
        if entity.id == account or getattr(entity, "is_self", False):
            return ChatType.SAVED
        return ChatType.BOT if getattr(entity, "bot", False) else ChatType.PRIVATE
    if isinstance(entity, _GROUPS):
        return ChatType.GROUP
    return ChatType.CHANNEL if entity.broadcast else ChatType.SUPERGROUP


def _is_public(entity: Any) -> bool | None:
    """Whether anyone can find it; a basic group cannot be public, of people nobody asks."""
    if isinstance(entity, _GROUPS):
        return False
    if type(entity) is not types.Channel:
        return None
    return bool(entity.username) or any(name.active for name in entity.usernames or ())
