"""Our definitions at work in this process, and what Dagster knows afterwards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from tg_pipeline import flows
from tg_pipeline.orchestration import build_definitions, partitions
from tg_pipeline.orchestration.names import Names
from tg_pipeline.orchestration.sync import Synced, sync_all
from tg_pipeline.settings import Settings
from tg_pipeline_tests.flows.making import Json, chat, written

CHAT = "-1000000000077"
NAMES = Names()
RUNLESS = ""


def at(moment: datetime, number: int, **fields: Any) -> Json:
    """A message of an export, sent at a moment (UTC)."""
    return {
        "id": number,
        "type": "message",
        "date": f"{moment:%Y-%m-%dT%H:%M:%S}",
        "date_unixtime": str(int(moment.timestamp())),
        "from": "Ada",
        "from_id": "user10",
        "text": f"text {number}",
        **fields,
    }


def monthly(first: int, count: int, per_month: int = 3, year: int = 2024) -> list[Json]:
    """Messages of some months of a year, ids counted from 1."""
    return [
        at(datetime(year, first + month, 1 + day, 12, tzinfo=UTC), month * per_month + day + 1)
        for month in range(count)
        for day in range(per_month)
    ]


@dataclass
class Pipeline:
    """An archive, a Dagster instance, and our definitions over both."""

    settings: Settings
    archive: flows.Archive
    instance: dg.DagsterInstance

    @cached_property
    def definitions(self) -> dg.Definitions:
        return build_definitions(self.settings)

    @cached_property
    def repository(self) -> dg.RepositoryDefinition:
        """The same, resolved as Dagster resolves it."""
        return self.definitions.get_repository_def()

    def import_(self, file: str, *messages: Any, **header: Any) -> None:
        """Import an export, and neither judge nor publish it; Dagster learns of its chat."""
        path = written(self.settings.home / "dropped" / f"{file}.json", chat(*messages, **header))
        (report,) = flows.import_files(self.archive, [path])
        assert report.error is None, report
        partitions.register(self.instance, NAMES, flows.known_chats(self.archive))

    def run(
        self,
        first: str,
        last: str | None = None,
        *,
        selection: Sequence[str] | None = None,
        chat_key: str = CHAT,
    ) -> dg.ExecuteInProcessResult:
        """Materialize a month, or a range of months, of all assets and their checks or of some."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey([name]) for name in selection] if selection is not None else None
        if last is None:
            return job.execute_in_process(
                instance=self.instance,
                partition_key=f"{chat_key}|{first}",
                asset_selection=keys,
                raise_on_error=False,
            )
        tags = {
            ASSET_PARTITION_RANGE_START_TAG: f"{chat_key}|{first}",
            ASSET_PARTITION_RANGE_END_TAG: f"{chat_key}|{last}",
        }
        return job.execute_in_process(
            instance=self.instance, tags=tags, asset_selection=keys, raise_on_error=False
        )

    def sync(self) -> Synced:
        return sync_all(self.instance, self.archive, NAMES, lambda _: None)

    def materialized(self, asset: str) -> dict[str, dict[str, Any]]:
        """Metadata of the latest materialization of each partition, without plots and samples."""
        found = {}
        records = self.instance.fetch_materializations(dg.AssetKey([asset]), limit=1000).records
        for record in reversed(records):
            event = record.asset_materialization
            assert event is not None
            found[str(event.partition)] = plain(event.metadata)
        return found

    def checked(self, check: str, key: str) -> AssetCheckEvaluation | None:
        """The latest result of a check on a partition."""
        records = self.instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(["messages"]), check), limit=1000
        )
        for record in records:
            event = record.event.dagster_event if record.event else None
            if event and event.event_type_value == "ASSET_CHECK_EVALUATION":
                evaluation = event.asset_check_evaluation_data
                if evaluation.partition == key:
                    return evaluation
        return None

    def published(self) -> dict[str, Any]:
        """The manifest's Parquet files by period."""
        path = self.archive.exports / "messages" / "_manifest.json"
        if not path.is_file():
            return {}
        files = json.loads(path.read_bytes())["files"]
        return {one["period"]: one for one in files if one["format"] == "parquet"}


def plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as values; plots and tables are told apart from nothing by their kind only."""
    return {
        name: value.value
        if isinstance(value.value, str | int | float | bool | list)
        else type(value).__name__
        for name, value in metadata.items()
    }


def failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Failed steps and what they said."""
    return {
        str(event.step_key): (event.step_failure_data.user_failure_data.description or "")
        if event.step_failure_data.user_failure_data
        else str(event.step_failure_data.error)
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.STEP_FAILURE
    }


def steps(result: dg.ExecuteInProcessResult) -> list[str]:
    """Steps that succeeded."""
    return [
        str(event.step_key)
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.STEP_SUCCESS
    ]
