"""All of it as Definitions, for our own deployment or somebody else's."""

import warnings
from collections.abc import Sequence

import dagster as dg

from tg_pipeline.orchestration.assets import build_assets
from tg_pipeline.orchestration.automation import (
    build_inbox_sensor,
    build_jobs,
    build_refresh,
    build_schedule,
    build_sync_sensor,
)
from tg_pipeline.orchestration.checks import build_checks
from tg_pipeline.orchestration.names import Names
from tg_pipeline.orchestration.refreshing import build_refresh_chats, build_refresh_schedule
from tg_pipeline.orchestration.resource import archive_resource
from tg_pipeline.settings import Settings


def expect_warnings() -> None:
    """Let two kinds of warnings pass in this process, the only ones that are let pass at all.

    In the version of Dagster that is pinned, `backfill_policy` is Beta and `partitions_def` of a
    check is Preview. Dagster itself calls functions that are Beta when it loads definitions.
    """
    for kind in (dg.BetaWarning, dg.PreviewWarning):
        warnings.simplefilter("ignore", kind)


def build_definitions(
    settings: Settings,
    *,
    key_prefix: Sequence[str] = (),
    group_name: str = "telegram",
    partitions_name: str = "telegram_chats",
    owners: Sequence[str] = ("team:tg_pipeline",),
    archive: dg.ResourceDefinition | None = None,
    automation: bool = False,
) -> dg.Definitions:
    """Assets, checks, jobs, sensors and schedules over one archive.

    Nothing is opened or read here: the archive is opened by a run, a sensor or a schedule. There
    is no executor among them, so the deployment's own is used.

    Args:
        settings: which archive, and the grain of partitions.
        key_prefix: of asset keys and of all names; different for each archive in a deployment.
        group_name: of the assets.
        partitions_name: of the set of chats; dynamic partitions belong to the whole instance.
        owners: of the assets, as Dagster writes them: `team:name` or an e-mail address.
        archive: opens the archive, in place of our own resource.
        automation: whether sensors and the schedule of publishing run unless somebody stops them.
            The one that asks Telegram is only ever started by a person.
    """
    names = Names(tuple(key_prefix), group_name, partitions_name)
    sensors = dg.DefaultSensorStatus.RUNNING if automation else dg.DefaultSensorStatus.STOPPED
    schedules = dg.DefaultScheduleStatus.RUNNING if automation else dg.DefaultScheduleStatus.STOPPED
    with warnings.catch_warnings():
        expect_warnings()
        assets = build_assets(names, settings, owners)
        refresh = build_refresh(names)
        chain, import_inbox, publish_changed = build_jobs(names, assets, refresh)
        refresh_chats = build_refresh_chats(names, refresh)
        return dg.Definitions(
            assets=assets,
            asset_checks=[build_checks(names, settings)],
            jobs=[chain, import_inbox, publish_changed, refresh_chats],
            sensors=[
                build_inbox_sensor(names, import_inbox, sensors),
                build_sync_sensor(names, sensors),
            ],
            schedules=[
                build_schedule(names, publish_changed, schedules),
                build_refresh_schedule(names, refresh_chats),
            ],
            resources={names.archive: archive or archive_resource(settings)},
        )
