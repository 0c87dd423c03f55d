"""Dagster shows what others did: the command line, other processes, or before it was lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)

from tg_pipeline import flows
from tg_pipeline.contracts import ChatKey
from tg_pipeline.orchestration import automation
from tg_pipeline.orchestration.automation import Cursor, next_windows
from tg_pipeline.orchestration.record import record_evaluations, record_materializations
from tg_pipeline.orchestration.sync import Synced, sync
from tg_pipeline.quality import RULES
from tg_pipeline_tests.exports.rows import execute
from tg_pipeline_tests.orchestration.pipeline import CHAT, NAMES, Pipeline, at, monthly
from tg_pipeline_tests.state import local_folder

ASSETS = ("raw_messages", "messages", "messages_parquet", "messages_jsonl")
JANUARY, FEBRUARY, MARCH = "2024-01-01", "2024-02-01", "2024-03-01"
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def published(pipeline: Pipeline) -> Pipeline:
    """Two months, imported, judged and published without Dagster."""
    pipeline.import_("export", *monthly(1, 2))
    flows.refresh(pipeline.archive)
    return pipeline


def view(pipeline: Pipeline) -> dict[str, Any]:
    """All that Dagster shows of partitions and checks."""
    shown: dict[str, Any] = {asset: pipeline.materialized(asset) for asset in ASSETS}
    keys = shown["messages"]
    for rule in RULES:
        results = {key: pipeline.checked(rule.name, key) for key in keys}
        shown[rule.name] = {key: result and result.passed for key, result in results.items()}
    return shown


def test_work_done_without_dagster_is_shown(published: Pipeline) -> None:
    assert published.sync() == Synced(2, 2 * len(ASSETS), 2 * len(RULES))

    synced = view(published)
    assert list(synced["messages"]) == [f"{CHAT}|{JANUARY}", f"{CHAT}|{FEBRUARY}"]
    assert synced["unique_keys"] == dict.fromkeys(synced["messages"], True)
    published.run(JANUARY, FEBRUARY)
    assert view(published) == synced, "a run tells the same of the same"


def test_nothing_is_told_twice(published: Pipeline) -> None:
    published.sync()

    assert published.sync() == Synced(2, 0, 0)


def test_only_what_changed_is_told(published: Pipeline) -> None:
    published.sync()
    more = at(datetime(2024, 2, 20, tzinfo=UTC), 99)
    published.import_("more", more)
    flows.refresh(published.archive)

    assert published.sync().results == len(RULES)
    assert published.materialized("messages")[f"{CHAT}|{FEBRUARY}"][
        "dagster/partition_row_count"
    ] == 4  # fmt: skip
    assert published.sync() == Synced(2, 0, 0)


def test_a_check_that_fails_is_shown_and_so_is_its_recovery(published: Pipeline) -> None:
    """Regression: Dagster has room for one result from outside for each check and partition."""
    key = f"{CHAT}|{JANUARY}"
    for text, passed in (("text 1", True), ("changed", False), ("text 1", True)):
        execute(published.archive.database, f"UPDATE messages SET text = '{text}' WHERE id = 1")
        flows.check_windows(published.archive)
        published.sync()

        check = published.checked("reproducible_content_hash", key)
        assert check is not None
        assert check.passed is passed


def test_a_window_that_was_emptied_is_shown_empty(published: Pipeline) -> None:
    published.sync()
    for batch in local_folder(published.archive.zone.folder).glob(f"{CHAT}/*.json"):
        batch.rename(batch.with_suffix(".withdrawn.json"))
    flows.settle(published.archive)
    flows.refresh(published.archive)

    published.sync()

    for asset in ASSETS:
        rows = published.materialized(asset)[f"{CHAT}|{JANUARY}"]["dagster/partition_row_count"]
        assert rows == 0, asset
    assert published.sync().materializations == 0


def test_windows_that_never_held_anything_are_not_shown(published: Pipeline) -> None:
    published.sync()
    published.run("2023-12-01")

    assert published.sync() == Synced(2, 0, 0)


def test_a_lost_instance_is_filled_again(published: Pipeline) -> None:
    published.run(JANUARY, FEBRUARY)
    published.sync()
    before = view(published)
    url = str(published.settings.dagster_database_url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE event_logs, asset_keys, asset_check_executions, dynamic_partitions, runs,"
            " asset_event_tags CASCADE"
        )
    assert view(published)["messages"] == {}

    published.sync()

    assert view(published) == before
    assert published.instance.get_dynamic_partitions(NAMES.partitions) == [CHAT]


def test_downstream_is_never_older_than_upstream(published: Pipeline) -> None:
    """Regression: what was told in order of names made Dagster call all messages outdated."""
    published.sync()

    storage = published.instance.event_log_storage
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    latest = [
        storage.get_latest_storage_id_by_partition(dg.AssetKey([asset]), kind)[f"{CHAT}|{JANUARY}"]
        for asset in ASSETS
    ]
    assert latest == sorted(latest)


def test_batches_are_what_dagster_writes_one_by_one(pipeline: Pipeline) -> None:
    key, asset = f"{CHAT}|{JANUARY}", dg.AssetKey(["messages"])
    materialization = dg.AssetMaterialization(
        asset, partition=key, metadata={"n": 1}, tags={"tg_pipeline/chat": CHAT}
    )
    evaluation = dg.AssetCheckEvaluation(
        asset_key=asset, check_name="unique_keys", passed=False, partition=key,
        severity=dg.AssetCheckSeverity.WARN, metadata={"n": 2},
    )  # fmt: skip
    pipeline.instance.report_runless_asset_event(materialization)
    pipeline.instance.report_runless_asset_event(evaluation)
    one_by_one = stored(pipeline.instance)
    wipe(pipeline.instance)

    record_materializations(pipeline.instance, [materialization])
    record_evaluations(pipeline.instance, [evaluation])

    assert stored(pipeline.instance) == one_by_one
    assert len(one_by_one) == 2 + 1


def stored(instance: dg.DagsterInstance) -> list[Any]:
    """Rows of events and of what Dagster keeps beside them, without ids and times."""
    volatile = {
        "id", "timestamp", "create_timestamp", "evaluation_event_timestamp", "event_timestamp",
        "evaluation_event_storage_id", "event_id",
    }  # fmt: skip
    storage: Any = instance.event_log_storage
    found = []
    with storage.index_connection() as connection:
        tags = sa.Table("asset_event_tags", sa.MetaData(), autoload_with=connection)
        for table in (SqlEventLogStorageTable, AssetCheckExecutionsTable, tags):
            for row in connection.execute(sa.select(table).order_by(sa.text("id"))).mappings():
                kept = {name: value for name, value in row.items() if name not in volatile}
                found.append({name: _without_times(value) for name, value in kept.items()})
    return found


def _without_times(value: Any) -> Any:
    return re.sub(r'"timestamp": [\d.]+', "", value) if isinstance(value, str) else value


def wipe(instance: dg.DagsterInstance) -> None:
    storage: Any = instance.event_log_storage
    with storage.index_connection() as connection:
        connection.execute(
            sa.text("TRUNCATE event_logs, asset_keys, asset_check_executions, asset_event_tags")
        )


# ---- from mark to mark -----------------------------------------------------------------------


def test_changes_are_found_from_mark_to_mark(published: Pipeline) -> None:
    first = flows.changes(published.archive)
    again = flows.changes(published.archive, first.upto)
    execute(
        published.archive.database,
        "UPDATE chat_days SET rows = rows, written_by = DEFAULT WHERE day = '2024-02-01'",
    )
    third = flows.changes(published.archive, again.upto)

    assert [f"{one.period}" for one in first.windows] == [JANUARY, FEBRUARY]
    assert again.windows == ()
    assert [f"{one.period}" for one in third.windows] == [FEBRUARY]


def test_a_change_whose_transaction_ends_late_is_not_missed(published: Pipeline) -> None:
    mark = flows.changes(published.archive).upto
    with psycopg.connect(published.archive.database.url) as slow:
        slow.execute(f'SET search_path TO "{published.archive.database.schema}"'.encode())
        slow.execute(
            "UPDATE chat_days SET rows = rows, written_by = DEFAULT WHERE day = '2024-01-01'"
        )
        execute(
            published.archive.database,
            "UPDATE chat_days SET rows = rows, written_by = DEFAULT WHERE day = '2024-02-01'",
        )
        during = flows.changes(published.archive, mark)
    after = flows.changes(published.archive, during.upto)

    assert [f"{one.period}" for one in during.windows] == [FEBRUARY]
    assert JANUARY in [f"{one.period}" for one in after.windows]


def test_a_batch_that_showed_nothing_new_is_a_change(published: Pipeline) -> None:
    mark = flows.changes(published.archive).upto

    published.import_("again", *monthly(1, 1), name="Renamed")

    assert [f"{one.period}" for one in flows.changes(published.archive, mark).windows] == [JANUARY]


def test_a_mark_of_another_server_begins_anew(published: Pipeline) -> None:
    assert len(flows.changes(published.archive, 2**60).windows) == 2


def test_rows_signed_on_another_server_are_seen(published: Pipeline) -> None:
    """Regression: a copy keeps the signatures of the server it is of; they lie in the future."""
    for table in ("batches", "chat_days", "quality_results", "exports"):
        execute(
            published.archive.database, f"UPDATE {table} SET written_by = written_by + 1000000000"
        )

    assert len(flows.changes(published.archive).windows) == 2


def ticks(published: Pipeline, number: int) -> list[str]:
    """What some ticks of the sensor tell."""
    sensor = published.repository.get_sensor_def("sync")
    cursor, told = None, []
    for _ in range(number):
        context = dg.build_sensor_context(
            instance=published.instance,
            cursor=cursor,
            resources={NAMES.archive: published.archive},
        )
        data = sensor.evaluate_tick(context)
        cursor = data.cursor
        told.append(str(data.skip_message))
    return told


def test_a_tick_that_runs_out_of_time_is_gone_on_with(
    published: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automation, "WINDOWS_AT_ONCE", 1)
    monkeypatch.setattr(automation, "_SECONDS_PER_TICK", 0.001)

    first, second, third = ticks(published, 3)

    assert "1 windows have changed" in first
    assert "1 windows are told by the next ticks" in first
    assert "1 windows have changed" in second
    assert third == "nothing has changed"
    assert len(published.materialized("messages")) == 2


def test_a_change_during_the_portions_is_seen_afterwards(published: Pipeline) -> None:
    (january, february), cursor = next_windows(published.archive, Cursor())
    interrupted = replace(cursor, after=str(january))
    execute(
        published.archive.database,
        "UPDATE chat_days SET rows = rows, written_by = DEFAULT WHERE day = '2024-01-01'",
    )
    second, cursor = next_windows(published.archive, interrupted)
    third, _ = next_windows(published.archive, Cursor(cursor.upto))

    assert second == [february]
    assert third == [january]


@pytest.mark.parametrize("text", [None, "", "nonsense", "[1]", '{"who": 1}'])
def test_a_cursor_that_cannot_be_read_begins_anew(text: str | None) -> None:
    assert Cursor.read(text) == Cursor()


def test_the_sensor_tells_and_moves_its_cursor(published: Pipeline) -> None:
    assert ticks(published, 2) == [
        "2 windows have changed; recorded 8 materializations and 14 results of checks",
        "nothing has changed",
    ]


def test_windows_of_several_chats_are_told_together(published: Pipeline) -> None:
    published.import_("other", at(NOON, 1), id=78)
    flows.refresh(published.archive)
    windows = flows.changes(published.archive).windows

    sync(published.instance, published.archive, NAMES, windows)

    assert set(published.instance.get_dynamic_partitions(NAMES.partitions)) == {
        CHAT,
        "-1000000000078",
    }
    assert ChatKey.parse("-1000000000078") in {window.chat for window in windows}


def test_two_that_sync_at_once_tell_everything_once(published: Pipeline) -> None:
    with ThreadPoolExecutor(2) as threads:
        done = [one.result() for one in [threads.submit(published.sync) for _ in range(2)]]

    assert sorted(one.materializations for one in done) == [0, 2 * len(ASSETS)]
    assert sorted(one.results for one in done) == [0, 2 * len(RULES)]
