"""The chain as assets: landed messages, the table they are merged into, the published files.

An asset passes no data on. It reads which windows are asked for, calls one flow, and tells what
the windows are now.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from tg_pipeline import flows
from tg_pipeline.exports import DATASET, Published
from tg_pipeline.orchestration import fetched, metadata, partitions
from tg_pipeline.orchestration.failures import RETRIES, logged, patient, told
from tg_pipeline.orchestration.metadata import Metadata
from tg_pipeline.orchestration.names import FILES, JSONL, MESSAGES, PARQUET, RAW, Names
from tg_pipeline.settings import Settings
from tg_pipeline.store.windows import Window

_TAGS = {"tg_pipeline/dataset": DATASET}


def build_assets(
    names: Names, settings: Settings, owners: Sequence[str]
) -> list[dg.AssetsDefinition]:
    """The four assets of the chain, on one definition of partitions."""
    windows_of_chats = partitions.definition(names, settings.period)
    one_run_for_a_range = dg.BackfillPolicy.single_run()

    @dg.asset(
        key=names.key(RAW),
        description="Messages as their sources showed them: immutable batches in the landing "
        "zone. Materializing fetches what is missing of a followed chat, and verifies the batches "
        "that touch the window.",
        kinds={"telegram", "jsonl", "zstd"},
        metadata={"dagster/column_schema": metadata.raw_columns()},
        group_name=names.group,
        owners=owners,
        tags=_TAGS,
        partitions_def=windows_of_chats,
        backfill_policy=one_run_for_a_range,
        retry_policy=RETRIES,
        required_resource_keys={names.archive},
    )
    def raw_messages(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        archive, windows = _asked(context, names, settings)
        with told(), patient(context):
            taken = flows.take_windows(archive, windows, logged(context))
        if taken.chats:
            context.log.info(f"fetched with {taken.requests:,} requests")
        return _tell(context, {one: fetched.of_taken(taken, one) for one in windows})

    @dg.asset(
        key=names.key(MESSAGES),
        deps=[names.key(RAW)],
        description="One row for each message: the current version, merged from everything that "
        "was ever landed. Materializing loads the chat's batches that are not loaded yet.",
        kinds={"postgres"},
        metadata={"dagster/column_schema": metadata.table_columns()},
        group_name=names.group,
        owners=owners,
        tags=_TAGS,
        partitions_def=windows_of_chats,
        backfill_policy=one_run_for_a_range,
        retry_policy=RETRIES,
        required_resource_keys={names.archive},
    )
    def messages(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        archive, windows = _asked(context, names, settings)
        with told():
            held = flows.load_windows(archive, windows, logged(context))
        return _tell(context, {one: metadata.of_held(held[one]) for one in windows})

    @dg.multi_asset(
        name=names.unique("publish_messages"),
        specs=[_file_spec(names, file, owners) for file in FILES],
        can_subset=True,  # one pass writes both; each can still be asked for by itself
        partitions_def=windows_of_chats,
        backfill_policy=one_run_for_a_range,
        retry_policy=RETRIES,
        required_resource_keys={names.archive},
    )
    def publish_messages(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[Any]]:
        archive, windows = _asked(context, names, settings)
        with told():
            done = flows.publish_windows(archive, windows, progress=logged(context))
            done.require_all()
        folder = str(done.manifest.parent)
        for key in context.selected_asset_keys:
            yield _tell(context, _files_of(done, FILES[key.path[-1]], folder), key)

    return [raw_messages, messages, publish_messages]


def _file_spec(names: Names, file: str, owners: Sequence[str]) -> dg.AssetSpec:
    what = {PARQUET: "Parquet", JSONL: "JSON lines, compressed with Zstandard"}[file]
    return dg.AssetSpec(
        names.key(file),
        deps=[names.key(MESSAGES)],
        description=f"The published messages as {what}: one immutable file for each window, named "
        "in _manifest.json. Materializing publishes what has passed the checks, and refuses the "
        "rest.",
        kinds={FILES[file]},
        metadata={"dagster/column_schema": metadata.file_columns()},
        group_name=names.group,
        owners=owners,
        tags=_TAGS,
    )


def _asked(
    context: dg.AssetExecutionContext, names: Names, settings: Settings
) -> tuple[flows.Archive, list[Window]]:
    archive: flows.Archive = getattr(context.resources, names.archive)
    return archive, [partitions.window_of(key, settings.period) for key in context.partition_keys]


def _tell(
    context: dg.AssetExecutionContext,
    facts: Mapping[Window, Metadata],
    key: dg.AssetKey | None = None,
) -> dg.MaterializeResult[Any]:
    """Give every partition of the run its own metadata."""
    for window, told_of_it in facts.items():
        context.add_asset_metadata(told_of_it, key, partitions.key_of(window))
    return dg.MaterializeResult(asset_key=key)


def _files_of(done: Published, file_format: str, folder: str) -> dict[Window, Metadata]:
    return {
        one.window: metadata.of_files(
            [file for file in one.files if file.format == file_format], folder
        )
        for one in done.windows
    }
