"""What is kept beside messages: chats, names of people, which batches are loaded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import BatchManifest, ChatKey, Source
from tg_pipeline.contracts.codec import Fields, parse_time
from tg_pipeline.contracts.identity import numbers_its_own_messages
from tg_pipeline.contracts.rank import engagement_rank
from tg_pipeline.store.sightings import clean
from tg_pipeline.store.tables import (
    batches,
    chats,
    complete_ranges,
    fetched_ranges,
    messages,
    participant_names,
    quality_results,
    quarantine,
    superseded_versions,
)

Names = Mapping[tuple[int, str, str], tuple[datetime, datetime]]
"""First and last time a (participant, name, source) was shown."""


def see_chat(connection: Connection, sightings: list[Fields]) -> None:
    """Keep the latest facts about a chat."""
    for chat in sightings:
        seen = parse_time(chat["observed_at"])
        order = engagement_rank(
            observed_at=seen, source=Source(chat["source"]), record_sha=chat["sha"]
        )
        row = {name: chat[name] for name in ("entity_id", "account_id", "type", "is_public")}
        title = None if chat["title"] is None else clean(chat["title"])
        row |= {"title": title, "first_seen": seen, "last_seen": seen, "rank": order}
        statement = insert(chats).values(row)
        newer = statement.excluded.rank > chats.c.rank
        best = {
            name: sa.case((newer, statement.excluded[name]), else_=chats.c[name])
            for name in ("type", "is_public", "title", "rank")
        }
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["entity_id", "account_id"],
                set_=best | _wider_span(chats, statement.excluded),
            )
        )


def see_names(connection: Connection, chat: ChatKey, names: Names) -> None:
    """Widen the span in which names were shown in this chat."""
    rows = [
        {
            "participant_id": participant,
            "name": name,
            "source": source,
            "entity_id": chat.entity_id,
            "account_id": chat.account_id,
            "first_seen": first,
            "last_seen": last,
        }
        for (participant, name, source), (first, last) in sorted(names.items())
    ]
    if rows:
        statement = insert(participant_names)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(participant_names.primary_key),
                set_=_wider_span(participant_names, statement.excluded),
            ),
            rows,
        )


def _wider_span(table: sa.Table, excluded: Any) -> dict[str, Any]:
    return {
        "first_seen": sa.func.least(table.c.first_seen, excluded.first_seen),
        "last_seen": sa.func.greatest(table.c.last_seen, excluded.last_seen),
    }


def mark_loaded(connection: Connection, manifest: BatchManifest) -> None:
    """Say that this batch is in the tables; in the transaction that put it there."""
    row = {
        column.name: getattr(manifest, column.name)
        for column in batches.columns
        if column.name in BatchManifest.model_fields
    }
    row |= {
        "file_name": manifest.origin.file_name,
        "file_sha256": manifest.origin.file_sha256,
        "loaded_at": sa.func.now(),
    }
    connection.execute(batches.insert().values(row))


def is_loaded(connection: Connection, manifest: BatchManifest) -> bool:
    """Whether this batch is in the tables."""
    chat = ChatKey(manifest.entity_id, manifest.account_id)
    same = sa.exists().where(of_chat(batches, chat), batches.c.batch == manifest.batch)
    return bool(connection.scalar(sa.select(same)))


def empty_chat(connection: Connection, chat: ChatKey) -> None:
    """Remove all that is known of a chat, but which days it had."""
    own = numbers_its_own_messages(chat.entity_id)
    for table in (messages, superseded_versions, complete_ranges, fetched_ranges):
        rows = table.delete().where(table.c.entity_id == chat.entity_id)
        connection.execute(rows if own else rows.where(table.c.account_id == chat.account_id))
    for table in (batches, chats, participant_names):
        connection.execute(table.delete().where(of_chat(table, chat)))
    connection.execute(
        quarantine.delete().where(
            quarantine.c.chat_entity_id == chat.entity_id,
            quarantine.c.chat_account_id == chat.account_id,
        )
    )


def forget_failures(connection: Connection, chat: ChatKey) -> None:
    """Let failed days be judged anew: what they lacked may have come, and changed nothing else."""
    connection.execute(
        quality_results.delete().where(
            of_chat(quality_results, chat), quality_results.c.outcome == "failed"
        )
    )


def lock_chat(connection: Connection, chat: ChatKey) -> None:
    """Let one transaction at a time change what is told of this chat."""
    connection.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :chat, 0))"),
        {"chat": f" {chat}"},
    )


def of_chat(table: sa.Table, chat: ChatKey) -> sa.ColumnElement[bool]:
    """Rows of this chat, in a table keyed by chat."""
    return sa.and_(table.c.entity_id == chat.entity_id, table.c.account_id == chat.account_id)


def known_chats(connection: Connection) -> set[ChatKey]:
    """All chats that have been loaded."""
    rows = connection.execute(sa.select(chats.c.entity_id, chats.c.account_id))
    return {ChatKey(entity_id, account_id) for entity_id, account_id in rows}
