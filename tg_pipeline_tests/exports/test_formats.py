"""What is in the files, and that everybody reads the same from them."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tg_pipeline.contracts import ChatKey
from tg_pipeline.exports import COLUMNS, SCHEMA
from tg_pipeline.store.database import Database
from tg_pipeline_tests.exports.conftest import Publish
from tg_pipeline_tests.exports.reading import files, lines, manifest, parquet, rows
from tg_pipeline_tests.exports.rows import CHANNEL, PRIVATE, Row, few, insert, message, on

DAY = date(2024, 1, 15)
TEXTS = [
    "",
    "plain",
    'quotes " and \\ backslashes \\" \\n',
    "lines\nand\r\nreturns\tand tabs",
    "rare \x01\x08\x0c\x1b\x1f\x7f controls",
    "سلام \u200c\u200fشنبه ۱۲۳",
    "family 👨‍👩‍👧‍👦 and \U0001f600, lone \ufffd, separators \u2028\u2029",
    '{"looks": "like json"}',
    "null",
]
ENTITIES = [
    {"type": "bold", "offset": 0, "length": 2},
    {"type": "text_link", "offset": 3, "length": 4, "url": 'https://e.org/?a="b"\\&ü=\n'},
    {"type": "mention_name", "offset": 8, "length": 1, "user_id": 7_000_000_001},
    {"type": "custom_emoji", "offset": 9, "length": 1, "document_id": "1", "collapsed": False},
    {"type": "pre", "offset": 10, "length": 1, "language": "c", "not_ours": [1, {"x": 2}]},
]
RICH: dict[str, Any] = {
    "kind": "service",
    "sender_id": 9_007_199_254_740_993,
    "post_author": "Ann",
    "via_bot_id": -5,
    "entities": ENTITIES,
    "reply_to_id": -999_999_999,
    "reply_to_entity_id": -1001,
    "thread_id": 3,
    "grouped_id": 2**62,
    "forward": {"from_id": 2**40, "from_name": "Bob", "date": "2020-02-29T23:59:59Z"},
    "edited_at": datetime(2024, 1, 16, 1, 2, 3, tzinfo=UTC),
    "deleted_at": datetime(2024, 2, 1, 0, 0, 0, 5, tzinfo=UTC),
    "action": {"type": "pin_message", "title": "T", "fields": {"message_id": 2**50, "s": "é"}},
    "media_meta": {
        "type": "photo",
        "mime_type": "image/jpeg",
        "file_name": "a b.jpg",
        "size": 2**33,
        "width": 1280,
        "height": 720,
        "duration": 0,
        "remote_id": "r",
        "path": "photos/a.jpg",
        "missing_reason": "too big",
    },
    "poll": {
        "question": "Why?",
        "closed": True,
        "total_voters": 3,
        "answers": [{"text": "a", "voters": 3, "chosen": True}, {"text": "b"}],
    },
    "reactions": [
        {"type": "emoji", "emoji": "👍", "count": 2},
        {"type": "custom_emoji", "document_id": "5", "count": 1},
    ],
    "views": 0,
    "forwards": 2**31 - 1,
    "replies": 4,
    "raw": {"id": 1, "nested": {"list": [1, 2.5, None, 'x\n"y"']}, "text": "é\\"},
}


def all_sorts() -> list[Row]:
    made = [message(CHANNEL, n + 1, on(DAY, n), text=text) for n, text in enumerate(TEXTS)]
    made += [
        message(CHANNEL, 100, on(DAY), text="rich", **RICH),
        message(CHANNEL, 101, on(DAY), text="empty lists", entities=[], reactions=[]),
        message(CHANNEL, 102, on(DAY), kind="unsupported", text="", content_hash=None),
        message(CHANNEL, 103, on(DAY), poll={"question": "none", "answers": []}),
        message(CHANNEL, 2**33, on(DAY), text="beyond 32 bits"),
        message(ChatKey(CHANNEL.entity_id, 777), -999_999_990, on(DAY), text="before migration"),
        message(ChatKey(CHANNEL.entity_id, 778), -999_999_990, on(DAY), text="another account"),
    ]
    return made


@pytest.fixture
def published(database: Database, folder: Path, publish_all: Publish) -> Path:
    insert(database, all_sorts())
    insert(database, few(PRIVATE, date(2024, 3, 3), 5))
    insert(database, few(ChatKey(PRIVATE.entity_id, 778), date(2024, 3, 3), 1))
    publish_all()
    return folder


def expected_texts() -> list[str]:
    return sorted(
        [row["text"] for row in all_sorts()] + [f"message {n}" for n in (1, 1, 2, 3, 4, 5)]
    )


def query(statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(statement).fetchall()


def test_every_reader_sees_the_same_rows(published: Path) -> None:
    root = published / "messages" / "parquet"
    everything = f"{root}/**/*.parquet"
    by_duckdb = query(f"SELECT text FROM read_parquet('{everything}', hive_partitioning=true)")
    seen = {
        "duckdb": [row[0] for row in by_duckdb],
        "pandas": pd.read_parquet(root)["text"].tolist(),
        "polars": pl.read_parquet(everything, hive_partitioning=True)["text"].to_list(),
        "pyarrow": pq.read_table(root)["text"].to_pylist(),
        "dataset": ds.dataset(root, partitioning="hive").to_table()["text"].to_pylist(),
        "jsonl": [row["text"] for row in rows(published)],
    }
    assert {name: sorted(texts) for name, texts in seen.items()} == dict.fromkeys(
        seen, expected_texts()
    )


def test_duckdb_and_polars_read_the_jsonl(published: Path) -> None:
    path = files(published, "jsonl")[0]
    found = query(f"SELECT count(*), max(id) FROM read_json('{path}')")
    assert found == [(len(all_sorts()), 2**33)]
    assert pl.read_ndjson(b"".join(lines(path))).height == len(all_sorts())


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A Parquet row as JSONL writes it."""

    def plain(name: str, value: Any) -> Any:
        if value is not None and name in {"raw", "action_fields"}:
            return orjson.loads(value)
        return value

    values = {name: plain(name, value) for name, value in row.items()}
    data = orjson.dumps(values, option=orjson.OPT_UTC_Z)
    found: dict[str, Any] = orjson.loads(data)
    return found


def test_jsonl_and_parquet_hold_the_same_row_by_row(published: Path) -> None:
    for table, text in zip(files(published, "parquet"), files(published, "jsonl"), strict=True):
        written = [orjson.loads(line) for line in lines(text)]
        assert written == [as_json(row) for row in parquet(table).to_pylist()]
        assert all(list(row) == SCHEMA.names for row in written)


def by_id(folder: Path) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in parquet(files(folder, "parquet")[0]).to_pylist()}


def test_nested_and_flat_values_arrive(published: Path) -> None:
    row = by_id(published)[100]
    assert row["message_key"] == "-1001613744721:2024-01-15:100"
    assert [entity["type"] for entity in row["entities"]] == [e["type"] for e in ENTITIES]
    assert row["entities"][1]["url"] == ENTITIES[1]["url"]
    assert row["entities"][2]["user_id"] == 7_000_000_001
    assert row["entities"][3]["collapsed"] is False
    assert set(row["entities"][4]) == {
        *("type", "offset", "length", "url", "user_id", "language", "document_id", "collapsed")
    }
    assert row["poll"]["answers"] == [
        {"text": "a", "voters": 3, "chosen": True},
        {"text": "b", "voters": None, "chosen": None},
    ]
    assert [reaction["count"] for reaction in row["reactions"]] == [2, 1]
    assert row["forward_from_id"] == 2**40
    assert row["forward_message_id"] is None
    assert row["forward_date"] == datetime(2020, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert row["deleted_at"] == RICH["deleted_at"]
    assert row["media_size"] == 2**33
    assert row["media_missing_reason"] == "too big"
    assert row["action_type"] == "pin_message"
    assert orjson.loads(row["action_fields"]) == RICH["action"]["fields"]
    assert orjson.loads(row["raw"]) == RICH["raw"]
    assert row["sender_id"] == 9_007_199_254_740_993


def test_not_observed_is_null_and_none_is_empty(published: Path) -> None:
    found = by_id(published)
    assert (found[1]["entities"], found[1]["reactions"], found[1]["poll"]) == (None, None, None)
    assert (found[101]["entities"], found[101]["reactions"]) == ([], [])
    assert found[103]["poll"]["answers"] == []
    assert (found[100]["views"], found[1]["views"]) == (0, None)
    assert found[102]["content_hash"] is None


def test_rows_are_sorted_and_histories_of_both_accounts_are_there(published: Path) -> None:
    table = parquet(files(published, "parquet")[0])
    keys = list(zip(table["id"].to_pylist(), table["account_id"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert keys[:2] == [(-999_999_990, 777), (-999_999_990, 778)]
    assert keys[-1] == (2**33, 0)


def test_private_chats_of_two_accounts_are_two_chats(published: Path) -> None:
    counts = {f["chat"]: f["rows"] for f in manifest(published)["files"] if f["format"] == "jsonl"}
    assert counts == {str(CHANNEL): len(all_sorts()), "777_5000000321": 5, "778_5000000321": 1}


def test_times_are_utc_in_jsonl(published: Path) -> None:
    row = next(row for row in rows(published) if row["id"] == 100)
    assert row["date"] == "2024-01-15T00:00:00Z"
    assert row["deleted_at"] == "2024-02-01T00:00:00.000005Z"


def test_files_say_what_they_are(published: Path) -> None:
    path = files(published, "parquet")[0]
    schema = pq.read_schema(path)
    entry = manifest(published)["files"][0]
    facts = {
        key.decode().removeprefix("tg_pipeline."): value.decode()
        for key, value in (schema.metadata or {}).items()
        if key.startswith(b"tg_pipeline.")
    }
    for name in ("chat", "period", "grain", "data_version", "exporter_version", "schema_version"):
        assert facts[name] == entry[name]
    assert (schema.field("text").metadata or {})[b"description"].startswith(b"plain text")
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_column_names_never_equal_hive_keys() -> None:
    names = [column.name for column in COLUMNS]
    assert not {"chat", "period"} & set(names)
    assert not {"rank", "engagement_rank", "carried", "date_source"} & set(names)
    assert len(set(names)) == len(names)
    assert all(column.doc for column in COLUMNS)


def test_row_groups_are_fixed_and_bytes_are_a_function_of_rows(
    database: Database, folder: Path, publish_all: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(database, few(CHANNEL, DAY, 25_000))
    publish_all()
    file = pq.ParquetFile(files(folder, "parquet")[0])
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert groups == [5_000] * 5
    before = {path.name for path in (*files(folder, "parquet"), *files(folder, "jsonl"))}
    for path in (*files(folder, "parquet"), *files(folder, "jsonl")):
        path.unlink()
    monkeypatch.setattr(
        "tg_pipeline.exports.snapshot._OPTIONS",
        {"adbc.postgresql.batch_size_hint_bytes": "100000"},
    )
    assert publish_all().written == 2
    assert {path.name for path in (*files(folder, "parquet"), *files(folder, "jsonl"))} == before
