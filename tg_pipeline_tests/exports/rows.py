"""Rows put straight into the tables: messages of every shape, and the days that count them."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from tg_pipeline.contracts import ChatKey
from tg_pipeline.quality import RULE_SET, RULES
from tg_pipeline.quality.verdicts import Verdict, write
from tg_pipeline.store.database import Database
from tg_pipeline.store.days import count_days, empty_days
from tg_pipeline.store.tables import chat_days, messages

CHANNEL = ChatKey(-1001613744721)
PRIVATE = ChatKey(5_000_000_321, 777)
SEEN = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
Row = dict[str, Any]
_COLUMNS = [column.name for column in messages.columns]


def message(chat: ChatKey, number: int, moment: datetime, **fields: Any) -> Row:
    """A full row of `messages`; what is not given is null."""
    text = fields.pop("text", f"message {number}")
    row = dict.fromkeys(_COLUMNS) | {
        "entity_id": chat.entity_id,
        "account_id": chat.account_id,
        "id": number,
        "date": moment,
        "date_precision": "exact",
        "kind": "message",
        "text": text,
        "content_hash": hashlib.sha256(text.encode()).digest(),
        "source": "telegram_desktop_json",
        "observed_at": SEEN,
        "first_seen": SEEN,
        "last_seen": SEEN,
        "version_first_seen": SEEN,
        "version_last_seen": SEEN,
        "raw": {"id": number, "text": text},
        "rank": b"\0",
        "engagement_rank": b"\0",
        "date_source": 2,
    }
    return row | fields


def on(day: date, second: int = 0) -> datetime:
    """A moment of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)


def few(chat: ChatKey, day: date, count: int, first: int = 1) -> list[Row]:
    """Plain messages of one day."""
    return [message(chat, first + i, on(day, i)) for i in range(count)]


def insert(database: Database, rows: Iterable[Row]) -> None:
    """Put rows in, and count the days of their chats anew."""
    names = ", ".join(_COLUMNS)
    places = ", ".join(["%s"] * len(_COLUMNS))
    values = [[_plain(row[name]) for name in _COLUMNS] for row in rows]
    with database.transaction() as connection:
        cursor: Any = connection.connection.cursor()
        cursor.executemany(f"INSERT INTO messages ({names}) VALUES ({places})", values)
    recount(database)


def _plain(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value


def execute(database: Database, statement: str) -> None:
    """Run one statement, for example to change a row behind the exporter's back."""
    with database.transaction() as connection:
        connection.exec_driver_sql(statement)


def recount(database: Database) -> None:
    """Make `chat_days` true, as loading does."""
    day = sa.cast(messages.c.date, sa.Date)
    query = sa.select(messages.c.entity_id, messages.c.account_id, day).distinct()
    with database.transaction() as connection:
        empty_days(connection)
        days: dict[ChatKey, set[date]] = {}
        for entity, account, found in connection.execute(query):
            days.setdefault(ChatKey.of(entity, account), set()).add(found)
        for chat, found in days.items():
            count_days(connection, chat, found)


def vouch(database: Database) -> None:
    """Let every day pass the quality gate as it is: these rows were never landed."""
    with database.transaction() as connection:
        days = connection.execute(sa.select(chat_days)).all()
        passed = [
            Verdict(
                ChatKey(day.entity_id, day.account_id), day.day, rule.name, RULE_SET,
                rows=day.rows, digest=day.digest,
            )
            for day in days
            for rule in RULES
        ]  # fmt: skip
        write(connection, passed)
