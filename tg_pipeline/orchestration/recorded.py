"""What Dagster has been told of last: the version in the latest event of each partition."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.event_api import EventRecordsFilter
from dagster._core.events import DagsterEventType

from tg_pipeline.orchestration.names import VERSION

Target = AssetCheckEvaluationTargetMaterializationData
_RECORDS_AT_ONCE = 1_000


def materialized(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Iterable[str]
) -> dict[str, str | None]:
    """Versions of the latest materializations by partition; None where it tells none."""
    kind = DagsterEventType.ASSET_MATERIALIZATION
    latest = _latest(instance, asset, keys)
    versions = _versions(instance, kind, list(latest.values()))
    return {key: versions.get(number) for key, number in latest.items()}


def targets(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Iterable[str]
) -> dict[str, Target]:
    """The latest materializations by partition: results without one count as outdated."""
    latest = _latest(instance, asset, keys)
    records = _records(instance, DagsterEventType.ASSET_MATERIALIZATION, list(latest.values()))
    found = {
        record.storage_id: Target(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in records
    }
    return {key: found[number] for key, number in latest.items()}


def _latest(
    instance: dg.DagsterInstance, asset: dg.AssetKey, keys: Iterable[str]
) -> Mapping[str, int]:
    wanted = set(keys)
    if not wanted:
        return {}
    return instance.event_log_storage.get_latest_storage_id_by_partition(
        asset, DagsterEventType.ASSET_MATERIALIZATION, wanted
    )


def evaluated(
    instance: dg.DagsterInstance, checks: Sequence[dg.AssetCheckKey], keys: Sequence[str]
) -> dict[tuple[str, str], str | None]:
    """Versions of the latest results by check and partition."""
    if not keys:
        return {}
    latest = {
        (info.check_key.name, info.partition_key): info.latest_check_event_storage_id
        for info in instance.event_log_storage.get_asset_check_partition_info(
            checks, partition_keys=keys
        )
        if info.partition_key is not None
    }
    kind = DagsterEventType.ASSET_CHECK_EVALUATION
    versions = _versions(instance, kind, list(latest.values()))
    return {place: versions.get(number) for place, number in latest.items()}


def _versions(
    instance: dg.DagsterInstance, kind: DagsterEventType, numbers: Sequence[int]
) -> dict[int, str]:
    found = {}
    for record in _records(instance, kind, numbers):
        version = _metadata(record.event_log_entry).get(VERSION)
        if isinstance(version, dg.TextMetadataValue) and version.text is not None:
            found[record.storage_id] = version.text
    return found


def _records(
    instance: dg.DagsterInstance, kind: DagsterEventType, numbers: Sequence[int]
) -> Iterator[dg.EventLogRecord]:
    remaining = iter(numbers)
    while some := list(itertools.islice(remaining, _RECORDS_AT_ONCE)):
        wanted = EventRecordsFilter(event_type=kind, storage_ids=some)
        yield from instance.event_log_storage.get_event_records(wanted)


def _metadata(entry: dg.EventLogEntry) -> Mapping[str, Any]:
    event = entry.dagster_event
    if event is None:
        return {}
    if event.event_type is DagsterEventType.ASSET_MATERIALIZATION:
        return event.step_materialization_data.materialization.metadata
    return event.asset_check_evaluation_data.metadata
