"""Writing events into Dagster's own log in batches: the one place that knows how it is laid out.

Dagster's public way is one event at a time, 3 to 10 ms each; a table of 50 chats and 36 months has
20,000. On PostgreSQL many are written with one statement, into the same tables and in the same
form as Dagster 1.13.27 does it (the version is pinned for this, and a test compares the two). Any
other storage gets them one by one.
"""

import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import dagster as dg
import sqlalchemy as sa
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._serdes import serialize_value
from dagster._time import get_current_timestamp
from dagster_postgres import PostgresEventLogStorage

_EVENTS_AT_ONCE = 500
_Event = TypeVar("_Event", dg.AssetMaterialization, dg.AssetCheckEvaluation)


def record_materializations(
    instance: dg.DagsterInstance, events: Sequence[dg.AssetMaterialization]
) -> None:
    """Record that partitions are materialized, by somebody outside of any run.

    Give upstream assets first: Dagster calls an asset outdated whose event is the older one.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, PostgresEventLogStorage):
        _one_by_one(instance, events)
        return
    for _, of_asset in itertools.groupby(events, key=lambda event: event.asset_key):
        for some in _chunks(of_asset):
            entries = [
                _entry(DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event))
                for event in some
            ]
            storage.store_event_batch(entries)


def record_evaluations(
    instance: dg.DagsterInstance, events: Sequence[dg.AssetCheckEvaluation]
) -> None:
    """Record results of checks on partitions, found by somebody outside of any run.

    The log keeps all of them; beside it Dagster has room for one such result of each check and
    partition, and fails on a second one. So the one before is taken away first.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, PostgresEventLogStorage):
        if isinstance(storage, SqlEventLogStorage):
            with storage.index_connection() as connection:
                _make_room(connection, events)
        _one_by_one(instance, events)
        return
    for some in _chunks(events):
        entries = [_entry(DagsterEventType.ASSET_CHECK_EVALUATION, event) for event in some]
        insert = storage.prepare_insert_event_batch(entries)
        with storage.index_transaction() as connection:
            ids = connection.execute(insert.returning(SqlEventLogStorageTable.c.id)).scalars().all()
            rows = [
                _execution(event, entry, number)
                for event, entry, number in zip(some, entries, ids, strict=True)
            ]
            _lock(connection)
            _make_room(connection, some)
            connection.execute(sa.insert(AssetCheckExecutionsTable).values(rows))


def _lock(connection: sa.Connection) -> None:
    """Let one process at a time take the place of results, until its transaction ends."""
    name = "tg_pipeline results of checks"
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def _make_room(connection: sa.Connection, events: Sequence[dg.AssetCheckEvaluation]) -> None:
    table = AssetCheckExecutionsTable.c
    by_check = sorted(events, key=lambda event: event.asset_check_key)
    for check, of_check in itertools.groupby(by_check, key=lambda event: event.asset_check_key):
        connection.execute(
            sa.delete(AssetCheckExecutionsTable).where(
                table.asset_key == check.asset_key.to_string(),
                table.check_name == check.name,
                table.run_id == RUNLESS_RUN_ID,
                table.partition.in_([event.partition for event in of_check]),
            )
        )


def _one_by_one(
    instance: dg.DagsterInstance,
    events: Iterable[dg.AssetMaterialization | dg.AssetCheckEvaluation],
) -> None:
    for event in events:
        instance.report_runless_asset_event(event)


def _chunks(events: Iterable[_Event]) -> Iterator[list[_Event]]:
    remaining = iter(events)
    while some := list(itertools.islice(remaining, _EVENTS_AT_ONCE)):
        yield some


def _entry(kind: DagsterEventType, data: Any) -> EventLogEntry:
    """An event of no run, as `report_runless_asset_event` makes it."""
    event = DagsterEvent(
        event_type_value=kind.value, job_name=RUNLESS_JOB_NAME, event_specific_data=data
    )
    entry: Any = EventLogEntry  # its constructor has no types
    made: EventLogEntry = entry(
        error_info=None,
        level=logging.INFO,
        user_message="",
        run_id=RUNLESS_RUN_ID,
        timestamp=get_current_timestamp(),
        job_name=RUNLESS_JOB_NAME,
        dagster_event=event,
    )
    return made


def _execution(event: dg.AssetCheckEvaluation, entry: EventLogEntry, number: int) -> dict[str, Any]:
    """The row that stands beside an evaluation's event."""
    status = AssetCheckExecutionRecordStatus
    target = event.target_materialization_data
    return {
        "asset_key": event.asset_key.to_string(),
        "check_name": event.check_name,
        "partition": event.partition,
        "run_id": entry.run_id,
        "execution_status": (status.SUCCEEDED if event.passed else status.FAILED).value,
        "evaluation_event": serialize_value(entry),
        "evaluation_event_timestamp": datetime.fromtimestamp(entry.timestamp, UTC).replace(
            tzinfo=None
        ),
        "evaluation_event_storage_id": number,
        "materialization_event_storage_id": target.storage_id if target else None,
    }
