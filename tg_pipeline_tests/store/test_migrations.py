"""Migrations on tables that hold something: nothing is lost on the way up or down."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tg_pipeline.store import schema
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import HEAD

NOW = datetime(2024, 5, 1, tzinfo=UTC)
CHAT = {"entity_id": -1001, "account_id": 0}
ROWS: dict[str, dict[str, Any]] = {
    "batches": CHAT | {
        "batch": "a-00001", "source": "telegram_desktop_json", "file_name": "result.json",
        "file_sha256": "0" * 64, "messages": 3, "rejected": 0, "observed_at": NOW,
        "sha256": "1" * 64, "loaded_at": NOW,
    },
    "chat_days": CHAT | {
        "day": date(2024, 4, 1), "rows": 3, "service": 1, "hashed": 2, "digest": 77,
    },
    "exports": CHAT | {
        "dataset": "messages", "format": "parquet", "period": date(2024, 4, 1), "grain": "month",
        "path": "parquet/x", "rows": 3, "bytes": 9, "sha256": "2" * 64, "schema_version": "1.0",
        "data_version": "3-abc", "exporter_version": "1", "published_at": NOW,
    },
}  # fmt: skip
"""A row of each table that migration 0002 changes, as revision 0001 holds it."""


@pytest.fixture
def first(server_url: str) -> Iterator[Database]:
    """Tables at revision 0001, with a row each."""
    opened = Database(server_url, f"test_{uuid.uuid4().hex[:12]}")
    try:
        to(opened, "0001")
        for table, row in ROWS.items():
            insert(opened, table, row)
        yield opened
    finally:
        with opened.transaction() as connection:
            connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{opened.schema}" CASCADE')
        opened.close()


def to(database: Database, revision: str) -> None:
    with database.transaction() as connection:
        if schema.current_revision(connection, database.schema) == HEAD:
            schema.downgrade(connection, database.schema, revision)
        else:
            schema.upgrade(connection, database.schema, revision)


def insert(database: Database, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    with database.transaction() as connection:
        connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def only_row(database: Database, table: str) -> dict[str, Any]:
    with database.snapshot() as connection:
        row = connection.execute(sa.text(f"SELECT * FROM {table}")).mappings().one()
        return dict(row)


@pytest.mark.parametrize("table", ROWS)
def test_0002_keeps_the_rows_there_were(first: Database, table: str) -> None:
    before = only_row(first, table)
    to(first, "head")
    after = only_row(first, table)
    assert after.pop("written_by") > 0, "the migration wrote them"
    added = {"verdict": "missing", "forced": False} if table == "exports" else {}
    assert after == before | added
    to(first, "0001")
    assert only_row(first, table) == before


def test_0002_makes_later_rows_tell_their_verdict(first: Database) -> None:
    """What was published before there were verdicts had none; nobody may leave it out now."""
    to(first, "head")
    with pytest.raises(sa.exc.IntegrityError, match="verdict"):
        insert(first, "exports", ROWS["exports"] | {"format": "jsonl"})
    told = {"format": "jsonl", "verdict": "passed", "forced": False}
    insert(first, "exports", ROWS["exports"] | told)


def test_0002_down_and_up_again_forgets_verdicts_and_no_more(first: Database) -> None:
    to(first, "head")
    verdict = CHAT | {
        "day": date(2024, 4, 1), "rule": "unique_keys", "rule_set": "1", "rows": 3, "digest": 77,
        "outcome": "passed", "findings": 0, "examples": "[]", "judged_at": NOW,
    }  # fmt: skip
    insert(first, "quality_results", verdict)
    to(first, "0001")
    to(first, "head")
    with first.snapshot() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM quality_results")) == 0
        assert schema.differences(connection) == []
    assert only_row(first, "chat_days")["digest"] == 77
