"""The chats an account reads, what is known of each at Telegram, and what of it is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tg_pipeline.contracts import ChatKey, ChatType, IdRange
from tg_pipeline.store import fetched
from tg_pipeline.store.database import Database
from tg_pipeline.store.facts import of_chat
from tg_pipeline.store.tables import chat_access, checkpoints, followed_chats

_TRY_AGAIN: Final = timedelta(days=1)
"""A chat that could not be read is asked for once a day: somebody may have let us in again."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A chat to read, as one account sees it. Times are UTC."""

    key: ChatKey
    type: ChatType
    title: str | None
    username: str | None
    access_hash: int | None
    migrated_from: int | None
    shut_out: bool
    reread_at: datetime | None


def followed(
    database: Database, account: str, chats: Sequence[ChatKey] | None = None
) -> list[Followed]:
    """The chats that an account reads, or those of them that are named, in the order of adding.

    Those it may not read are left out for a day, unless they are named.
    """
    table, access = followed_chats, chat_access
    query = (
        sa.select(table, access.c.access_hash, checkpoints.c.reread_at)
        .outerjoin(
            access,
            sa.and_(access.c.account == table.c.account, access.c.entity_id == table.c.entity_id),
        )
        .outerjoin(
            checkpoints,
            sa.and_(
                checkpoints.c.entity_id == table.c.entity_id,
                checkpoints.c.account_id == table.c.account_id,
            ),
        )
        .where(table.c.account == account)
        .order_by(table.c.added_at, table.c.entity_id)
    )
    with database.transaction() as connection:
        rows = connection.execute(query).all()
    return [
        Followed(
            key=key,
            type=ChatType(row.type),
            title=row.title,
            username=row.username,
            access_hash=row.access_hash,
            migrated_from=row.migrated_from,
            shut_out=row.inaccessible is not None,
            reread_at=row.reread_at,
        )
        for row in rows
        if (key := ChatKey(row.entity_id, row.account_id)) in (chats or [key])
        and (chats is not None or _is_due(row.inaccessible_since))
    ]


def _is_due(shut_since: datetime | None) -> bool:
    return shut_since is None or datetime.now(UTC) - shut_since > _TRY_AGAIN


def fetched_ranges(database: Database, chat: ChatKey, account_id: int) -> list[IdRange]:
    """What is fetched of a chat in one numbering, and loaded."""
    with database.transaction() as connection:
        return fetched.of_chat(connection, chat.entity_id, account_id)


def note_tops(database: Database, tops: Iterable[tuple[ChatKey, int]]) -> None:
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
        with database.transaction() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["entity_id", "account_id"], set_=new
                ),
                rows,
            )


def finish(database: Database, chat: ChatKey, *, total: int | None, reread: bool) -> None:
    """Note that nothing is missing of a chat, and whether its newest days were read again."""
    row: dict[str, object] = {} if total is None else {"total": total}
    if reread:
        row["reread_at"] = datetime.now(UTC)
    if row:
        with database.transaction() as connection:
            connection.execute(checkpoints.update().where(of_chat(checkpoints, chat)).values(row))


def was_group(database: Database, chat: ChatKey, group: int) -> None:
    """Note which basic group, as marked peer id, a supergroup was before."""
    with database.transaction() as connection:
        connection.execute(
            followed_chats.update().where(of_chat(followed_chats, chat)).values(migrated_from=group)
        )


def shut_out(database: Database, chat: ChatKey, reason: str | None) -> None:
    """Note that a chat cannot be read, and why; None: that it can."""
    row = {
        "inaccessible": reason,
        "inaccessible_since": None if reason is None else datetime.now(UTC),
    }
    with database.transaction() as connection:
        connection.execute(followed_chats.update().where(of_chat(followed_chats, chat)).values(row))
