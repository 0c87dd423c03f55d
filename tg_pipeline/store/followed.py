"""Chats to fetch, and how their names and sizes have changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.store.sightings import clean
from tg_pipeline.store.tables import chat_snapshots, followed_chats

_KEY = ("entity_id", "account_id")
_TOLD = ("account", "type", "username", "title", "comments_of", "migrated_from")

_OF_READER = ("inaccessible", "inaccessible_since", "past_shut_since")
"""What another account may find otherwise."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A chat that is fetched; times are UTC.

    Attributes:
        account: who reads it.
        comments_of: the channel whose comments it holds; None if it was added by itself.
        migrated_from: the basic group that it was before.
        inaccessible: why it cannot be read; None if it can.
        past_shut_since: since when the basic group that it was cannot be read.
    """

    key: ChatKey
    account: str
    type: ChatType
    username: str | None = None
    title: str | None = None
    comments_of: int | None = None
    migrated_from: int | None = None
    added_at: datetime | None = None
    inaccessible: str | None = None
    inaccessible_since: datetime | None = None
    past_shut_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A chat as it showed itself at one time."""

    key: ChatKey
    title: str | None
    username: str | None
    members: int | None


def every(connection: Connection, account: str | None = None) -> list[Followed]:
    """All chats to fetch, or those that one account reads; in order of their keys."""
    query = sa.select(followed_chats).order_by(*(followed_chats.c[name] for name in _KEY))
    if account is not None:
        query = query.where(followed_chats.c.account == account)
    return [_followed(row) for row in connection.execute(query)]


def follow(connection: Connection, chats: Iterable[Followed]) -> None:
    """Begin to fetch chats, or keep what has changed of them. They can be read until shown not."""
    rows = [_row(chat) for chat in chats]
    if not rows:
        return
    statement = insert(followed_chats)
    told: dict[str, Any] = {name: statement.excluded[name] for name in _TOLD}
    told["migrated_from"] = sa.func.coalesce(told["migrated_from"], followed_chats.c.migrated_from)
    other = followed_chats.c.account != statement.excluded.account
    for name in _OF_READER:
        told[name] = sa.case((other, None), else_=followed_chats.c[name])
    connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=told), rows)


def unfollow(connection: Connection, keys: Iterable[ChatKey]) -> None:
    """End fetching chats; what is archived stays."""
    for key in keys:
        connection.execute(followed_chats.delete().where(*_is(key)))


def rename(connection: Connection, chat: Followed) -> None:
    """Keep what a chat is called now."""
    named = {"title": _clean(chat.title), "username": chat.username}
    connection.execute(followed_chats.update().where(*_is(chat.key)).values(named))


def inaccessible(connection: Connection, key: ChatKey, reason: str | None) -> None:
    """Note why a chat cannot be read, or (None) that it can; since when stays with the reason."""
    table = followed_chats.c
    since = sa.case((table.inaccessible == reason, table.inaccessible_since), else_=_now(reason))
    connection.execute(
        followed_chats.update()
        .where(*_is(key))
        .values(inaccessible=reason, inaccessible_since=since if reason is not None else None)
    )


def seen(connection: Connection, snapshots: Iterable[Snapshot]) -> int:
    """Keep how chats showed themselves, where that has changed; how many had.

    What is not told, such as the number of members, is taken to be as it was.
    """
    return sum(_keep(connection, one) for one in snapshots)


def _keep(connection: Connection, one: Snapshot) -> bool:
    table = chat_snapshots.c
    last = connection.execute(
        sa.select(table.title, table.username, table.members)
        .where(table.entity_id == one.key.entity_id, table.account_id == one.key.account_id)
        .order_by(table.observed_at.desc())
        .limit(1)
    ).first()
    members = last.members if one.members is None and last is not None else one.members
    title = _clean(one.title)
    if last is not None and tuple(last) == (title, one.username, members):
        return False
    row = {
        "entity_id": one.key.entity_id,
        "account_id": one.key.account_id,
        "observed_at": datetime.now(UTC),
        "title": title,
        "username": one.username,
        "members": members,
    }
    connection.execute(chat_snapshots.insert().values(row))
    return True


def _row(chat: Followed) -> dict[str, Any]:
    told = {name: getattr(chat, name) for name in _TOLD}
    told["title"] = _clean(chat.title)
    added = chat.added_at or datetime.now(UTC)
    return {
        "entity_id": chat.key.entity_id,
        "account_id": chat.key.account_id,
        "added_at": added,
        **told,
    }


def _followed(row: sa.Row[Any]) -> Followed:
    facts = row._mapping
    rest = {name: facts[name] for name in facts if name not in {*_KEY, "type"}}
    return Followed(key=ChatKey(row.entity_id, row.account_id), type=ChatType(row.type), **rest)


def _clean(title: str | None) -> str | None:
    return None if title is None else clean(title)


def _is(key: ChatKey) -> tuple[sa.ColumnElement[bool], ...]:
    table = followed_chats.c
    return table.entity_id == key.entity_id, table.account_id == key.account_id


def _now(reason: str | None) -> datetime | None:
    return None if reason is None else datetime.now(UTC)
