"""Counting days: rows and digest of every day of a chat, of which data versions are made.

A digest is the XOR of the hashes of the day's rows over all exported columns, so it does not
depend on order and tells any change of any value.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.contracts.identity import numbers_its_own_messages
from tg_pipeline.store import facts, merge
from tg_pipeline.store.tables import chat_days

_DIGESTED = (
    *merge.KEY,
    *merge.VISIBLE,
    "deleted_at",
    "source",
    "observed_at",
    "first_seen",
    "last_seen",
    "raw",
)
COUNTED = f"""
SELECT %(entity)s::bigint AS entity_id, %(account)s::bigint AS account_id,
       (m.date AT TIME ZONE 'UTC')::date AS day, count(*) AS rows,
       count(*) FILTER (WHERE m.kind = 'service') AS service, count(m.content_hash) AS hashed,
       bit_xor(hashtextextended(
           ROW({", ".join(f"m.{name}" for name in _DIGESTED)})::text, 0)) AS digest
FROM messages m
WHERE m.entity_id = %(entity)s AND (%(own)s OR m.account_id = %(account)s)
  AND m.date >= %(first)s::timestamp AT TIME ZONE 'UTC'
  AND m.date < (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY 3
"""
"""Days of a chat from `first` to `last`, counted from the messages; see `span`."""
_COUNT = f"""
INSERT INTO chat_days (entity_id, account_id, day, rows, service, hashed, digest)
{COUNTED}
ON CONFLICT (entity_id, account_id, day) DO UPDATE
SET rows = excluded.rows, service = excluded.service, hashed = excluded.hashed,
    digest = excluded.digest, written_by = excluded.written_by
RETURNING day
"""
_EMPTY = {"rows": 0, "service": 0, "hashed": 0, "digest": 0}
_DAYS_BRIDGED = 7  # recounting a few untouched days is cheaper than one more query


def span(chat: ChatKey, first: date, last: date) -> dict[str, Any]:
    """Parameters of a query over the messages of a chat between two days, both included."""
    return {
        "entity": chat.entity_id,
        "account": chat.account_id,
        "own": numbers_its_own_messages(chat.entity_id),
        "first": first,
        "last": last,
    }


def count_days(connection: Connection, chat: ChatKey, days: set[date]) -> None:
    """Recompute rows and digest of the days that were touched.

    One query for each stretch of days: PostgreSQL's planner knows nothing yet of rows that this
    transaction has inserted, and a join with the list of days would scan the chat once a day.
    """
    counted: set[date] = set()
    for first, last in _stretches(sorted(days)):
        counted |= set(connection.exec_driver_sql(_COUNT, span(chat, first, last)).scalars())
    if lost := sorted(days - counted):  # their last message has gone
        _empty(connection, facts.of_chat(chat_days, chat), chat_days.c.day.in_(lost))


def empty_days(connection: Connection, chat: ChatKey | None = None) -> None:
    """Say of every day of a chat, or of all chats, that it holds nothing."""
    _empty(connection, *([] if chat is None else [facts.of_chat(chat_days, chat)]))


def _empty(connection: Connection, *which: sa.ColumnElement[bool]) -> None:
    empty = chat_days.update().values(**_EMPTY, written_by=sa.text("DEFAULT"))
    connection.execute(empty.where(*which))


def _stretches(days: list[date]) -> Iterator[tuple[date, date]]:
    """First and last day of each run of days without a large gap."""
    if not days:
        return
    first = last = days[0]
    for day in days:
        if (day - last).days > _DAYS_BRIDGED:
            yield first, last
            first = day
        last = day
    yield first, last
