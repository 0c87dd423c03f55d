"""The archive as a resource: opened when a run begins, closed when it ends."""

from collections.abc import Iterator

import dagster as dg

from tg_pipeline.flows import Archive, open_archive
from tg_pipeline.orchestration.names import CHAT_TAG
from tg_pipeline.orchestration.runs import clear_stale, mark
from tg_pipeline.settings import Settings

_CHAT_PARTITION_TAG = "dagster/partition/chat"


def archive_resource(settings: Settings) -> dg.ResourceDefinition:
    """Opens the archive that the settings name; they hold secrets, so they are no run config."""

    @dg.resource(description="Database, landing zone and exports of tg_pipeline.")
    def archive(context: dg.InitResourceContext) -> Iterator[Archive]:
        if context.instance is not None and context.run is not None:
            _begin(context.instance, context.run)
        with open_archive(settings) as opened:
            yield opened

    return archive


def _begin(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Say who we are, and see to it that nobody who was killed stands in our way."""
    mark(instance, run.run_id)
    clear_stale(instance)
    chat = run.tags.get(_CHAT_PARTITION_TAG)
    if chat is not None and CHAT_TAG not in run.tags:
        instance.add_run_tags(run.run_id, {CHAT_TAG: chat})
