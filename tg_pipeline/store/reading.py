"""The chats an account reads, and what is known of each at Telegram."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.store import accounts
from tg_pipeline.store.facts import of_chat
from tg_pipeline.store.followed import Followed, Snapshot, every
from tg_pipeline.store.tables import checkpoints, followed_chats

TRY_AGAIN: Final = timedelta(days=1)
"""A chat that could not be read is asked for once a day: somebody may have let us in again."""
REREAD_EVERY: Final = timedelta(days=1)
"""So often the newest days of a chat are read again, for edits and deletions."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A chat to read, with what it takes to ask for it. Times are UTC."""

    followed: Followed
    access_hash: int | None
    reread_at: datetime | None

    @property
    def key(self) -> ChatKey:
        """Its key."""
        return self.followed.key

    @property
    def may_read_past(self) -> bool:
        """Whether the basic group that it was, if any, has not shown itself to be shut lately."""
        return _is_due(self.followed.past_shut_since)

    def named(self, shown: Snapshot) -> "Readable":
        """The same chat, called as it shows itself; one that shows no title keeps its old one."""
        title = shown.title or self.followed.title
        return replace(self, followed=replace(self.followed, title=title, username=shown.username))


def readable(
    connection: Connection, account: str, chats: Collection[ChatKey] | None = None
) -> list[Readable]:
    """The chats that an account reads, or those of them that are named, in key order.

    Those it may not read are left out for a day, unless they are named.
    """
    access = accounts.access(connection, account)
    reread = {
        ChatKey(row.entity_id, row.account_id): row.reread_at
        for row in connection.execute(sa.select(checkpoints))
    }
    return [
        Readable(chat, access.get(chat.key.entity_id), reread.get(chat.key))
        for chat in every(connection, account)
        if (_is_due(chat.inaccessible_since) if chats is None else chat.key in chats)
    ]


def _is_due(shut_since: datetime | None) -> bool:
    return shut_since is None or datetime.now(UTC) - shut_since > TRY_AGAIN


def note_tops(connection: Connection, tops: Iterable[tuple[ChatKey, int]]) -> None:
    """Note the newest message ids Telegram has told of."""
    now = datetime.now(UTC)
    rows = [
        {
            "entity_id": chat.entity_id,
            "account_id": chat.account_id,
            "top_id": top,
            "fetched_at": now,
        }
        for chat, top in tops
    ]
    statement = insert(checkpoints)
    new = {name: statement.excluded[name] for name in ("top_id", "fetched_at")}
    if rows:
        connection.execute(
            statement.on_conflict_do_update(index_elements=["entity_id", "account_id"], set_=new),
            rows,
        )


def note_total(connection: Connection, chat: ChatKey, total: int) -> None:
    """Note how many messages Telegram says a chat has."""
    update = checkpoints.update().where(of_chat(checkpoints, chat))
    connection.execute(update.values(total=total))


def note_reread(connection: Connection, chat: ChatKey) -> None:
    """Note that the newest days of a chat have been read, or are now for the first time."""
    update = checkpoints.update().where(of_chat(checkpoints, chat))
    connection.execute(update.values(reread_at=datetime.now(UTC)))


def was_group(connection: Connection, chat: ChatKey, group: int) -> None:
    """Note which basic group, as marked peer id, a supergroup was before."""
    connection.execute(
        followed_chats.update().where(of_chat(followed_chats, chat)).values(migrated_from=group)
    )


def past_is_shut(connection: Connection, chat: ChatKey, since: datetime | None) -> None:
    """Note that the basic group that a chat was cannot be read, or (None) that it may be tried."""
    update = followed_chats.update().where(of_chat(followed_chats, chat))
    connection.execute(update.values(past_shut_since=since))


_PAST = """
SELECT raw->'action'->>'chat_id'
FROM (
    SELECT raw FROM messages
    WHERE entity_id = :entity AND account_id = 0 AND id > 0
    ORDER BY id LIMIT 10
) first
WHERE raw->'action'->>'_' = 'MessageActionChannelMigrateFrom'
"""
"""A supergroup that was a basic group begins with the message that tells so."""


def told_group(connection: Connection, chat: ChatKey) -> int | None:
    """Which basic group, as marked peer id, a supergroup was by what is archived of it."""
    found = connection.scalar(sa.text(_PAST), {"entity": chat.entity_id})
    return None if found is None else -int(found)
