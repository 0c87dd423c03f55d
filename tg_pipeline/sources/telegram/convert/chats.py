"""The names of people and chats, as Telegram lists them beside its answers."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from telethon.tl import types

from tg_pipeline.contracts import Participant, Source
from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline.sources.storable import storable_text

_USERS = (types.User, types.UserEmpty)
_GROUPS = (types.Chat, types.ChatForbidden, types.ChatEmpty)
_CHANNELS = (types.Channel, types.ChannelForbidden)
_NAMED = _USERS + _GROUPS + _CHANNELS


def participants(
    users: Iterable[Any], chats: Iterable[Any], observed_at: datetime
) -> Iterator[Participant]:
    """The names of all users, groups and channels among these that have one."""
    for entity in (*users, *chats):
        if isinstance(entity, _NAMED) and (name := _name_of(entity)):
            yield _participant(_peer_id(entity), name, observed_at)


@lru_cache(maxsize=4096)
def _participant(peer: int, name: str, observed_at: datetime) -> Participant:
    """Page after page names the same people."""
    return Participant(
        source=Source.TELEGRAM, participant_id=peer, name=name, observed_at=observed_at
    )


def _peer_id(entity: Any) -> int:
    """The marked id of a user, group or channel."""
    if isinstance(entity, _USERS):
        return int(entity.id)
    return -int(entity.id) if isinstance(entity, _GROUPS) else channel_peer(entity.id)


def _name_of(entity: Any) -> str | None:
    """A display name; None where there is none, as for deleted accounts."""
    if isinstance(entity, _USERS):
        parts = (getattr(entity, "first_name", None), getattr(entity, "last_name", None))
        name = " ".join(filter(None, parts))
    else:
        name = getattr(entity, "title", None) or ""
    return storable_text(name) or None
