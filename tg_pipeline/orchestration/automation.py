"""What runs by itself: the inbox, the view of the truth, and publishing what has changed.

Nothing here remembers what it did in a way that could keep a later change from being seen: what
there is to do is read from the inbox and the tables each time.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import dagster as dg

from tg_pipeline import flows
from tg_pipeline.files import make_folder
from tg_pipeline.flows import inbox
from tg_pipeline.orchestration import partitions
from tg_pipeline.orchestration.failures import RETRIES, logged, told
from tg_pipeline.orchestration.names import Names
from tg_pipeline.orchestration.runs import clear_stale
from tg_pipeline.orchestration.sync import WINDOWS_AT_ONCE, Synced, sync, sync_in_portions
from tg_pipeline.store.windows import Window

_SECONDS_PER_TICK = 25  # of the 60 that Dagster gives; one portion takes up to 20
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def build_refresh(names: Names) -> dg.OpDefinition:
    """The step with which jobs end: judge and publish what has changed, and show it."""

    @dg.op(
        name=names.unique("refresh"),
        description="Judges and publishes the chats in which something has changed.",
        required_resource_keys={names.archive},
        retry_policy=RETRIES,
        ins={"start": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
    )
    def refresh(context: dg.OpExecutionContext) -> None:
        archive: flows.Archive = getattr(context.resources, names.archive)
        with told():
            chats = flows.due_chats(archive)
            context.add_output_metadata({"chats": [str(chat) for chat in chats]})
            if chats:
                done = flows.refresh(archive, chats, logged(context))
                sync_in_portions(context.instance, archive, names, done.changed, logged(context))
                done.require_all()

    return refresh


def build_jobs(
    names: Names, assets: Sequence[dg.AssetsDefinition], refresh: dg.OpDefinition
) -> tuple[Any, dg.JobDefinition, dg.JobDefinition]:
    """The chain for one chat, the import of what lies in the inbox, and publishing what changed."""
    chain = dg.define_asset_job(
        names.unique("archive_chat"),
        selection=dg.AssetSelection.assets(*assets),
        description="One chat through the chain: verify, load, check, publish. "
        "A range of periods is one run.",
    )

    @dg.op(
        name=names.unique("take_in"),
        description="Imports what lies in the inbox and moves it aside.",
        required_resource_keys={names.archive},
        retry_policy=RETRIES,
        out=dg.Out(dg.Nothing),
    )
    def take_in(context: dg.OpExecutionContext) -> None:
        archive: flows.Archive = getattr(context.resources, names.archive)
        with told():
            taken = list(inbox.take_in(archive, progress=logged(context)))
        for one in taken:
            context.log.info(f"{one.name}: {one.outcome}, {one.moved_to or one.reason}")
        context.add_output_metadata(dict(Counter(one.outcome.value for one in taken)))

    @dg.job(
        name=names.unique("import_inbox"),
        description="Import the exports that lie in the inbox, and publish what has changed.",
    )
    def import_inbox() -> None:
        refresh(take_in())

    @dg.job(
        name=names.unique("publish_changed"),
        description="Judge and publish what has changed, whoever changed it.",
    )
    def publish_changed() -> None:
        refresh()

    return chain, import_inbox, publish_changed


def build_inbox_sensor(
    names: Names, job: dg.JobDefinition, status: dg.DefaultSensorStatus
) -> dg.SensorDefinition:
    """Asks for an import when something has settled in the inbox."""

    @dg.sensor(
        name=names.unique("inbox"),
        job=job,
        minimum_interval_seconds=30,
        default_status=status,
        required_resource_keys={names.archive},
        description="Imports exports that are dropped into the inbox folder.",
    )
    def watch_inbox(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        archive: flows.Archive = getattr(context.resources, names.archive)
        make_folder(archive.settings.inbox_folder)  # so that people see where it is
        entries = inbox.waiting(archive.settings)
        if not entries:
            return dg.SensorResult(
                skip_reason=dg.SkipReason(f"nothing waits in {archive.settings.inbox_folder}")
            )
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=_run_key(entries))])

    return watch_inbox


def _run_key(entries: Sequence[inbox.Entry]) -> str:
    """The same entries ask once an hour at most: a run that failed is tried again then."""
    marks = "\n".join(entry.mark for entry in entries)
    hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
    return f"{hour} {hashlib.sha256(marks.encode()).hexdigest()[:16]}"


def build_sync_sensor(names: Names, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Shows in Dagster what was done without it."""

    @dg.sensor(
        name=names.unique("sync"),
        minimum_interval_seconds=30,
        default_status=status,
        required_resource_keys={names.archive},
        description="Records what the command line and other processes have done, and ends runs "
        "whose process was killed.",
    )
    def sync_with_archive(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        archive: flows.Archive = getattr(context.resources, names.archive)
        clear_stale(context.instance)
        partitions.register(context.instance, names, flows.followed_chats(archive))
        left, cursor = next_windows(archive, Cursor.read(context.cursor))
        done, rest = Synced(), left
        began = time.monotonic()
        while rest and time.monotonic() - began < _SECONDS_PER_TICK:
            portion, rest = rest[:WINDOWS_AT_ONCE], rest[WINDOWS_AT_ONCE:]
            done += sync(context.instance, archive, names, portion)
        # What is left is told by the next tick, from where this one came to.
        cursor = replace(cursor, after=str(left[-len(rest) - 1])) if rest else Cursor(cursor.upto)
        return dg.SensorResult(
            cursor=cursor.written, skip_reason=dg.SkipReason(_told(done, len(rest)))
        )

    return sync_with_archive


def _told(done: Synced, left: int) -> str:
    if not done.windows:
        return "nothing has changed"
    later = f"; {left:,} windows are told by the next ticks" if left else ""
    return (
        f"{done.windows:,} windows have changed; recorded {done.materializations:,} "
        f"materializations and {done.results:,} results of checks{later}"
    )


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the sync has come.

    Attributes:
        since: the mark up to which all changes are recorded.
        upto: the mark up to which changes are being recorded now, in portions.
        after: the last window of the portion before, as chat and period.
    """

    since: int = 0
    upto: int = 0
    after: str | None = None

    @classmethod
    def read(cls, text: str | None) -> Self:
        """A cursor that cannot be read begins anew: recording twice does no harm."""
        try:
            return cls(**json.loads(text)) if text else cls()
        except (TypeError, ValueError):
            return cls()

    @property
    def written(self) -> str:
        """As Dagster keeps it."""
        return json.dumps(asdict(self))


def next_windows(archive: flows.Archive, cursor: Cursor) -> tuple[list[Window], Cursor]:
    """The changed windows that are still to be told, and the mark up to which that will be."""
    changed = flows.changes(archive, cursor.since)
    upto = cursor.upto if cursor.after else changed.upto
    windows = sorted(changed.windows, key=str)
    left = [one for one in windows if cursor.after is None or str(one) > cursor.after]
    return left, Cursor(cursor.since, upto, cursor.after)


def build_schedule(
    names: Names, job: dg.JobDefinition, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Every hour: judge and publish what has changed, unless that is being done."""

    @dg.schedule(
        name=names.unique("publish_changed_hourly"),
        job=job,
        cron_schedule="7 * * * *",
        default_status=status,
        description="Judges and publishes what has changed.",
    )
    def publish_changed_hourly(
        context: dg.ScheduleEvaluationContext,
    ) -> dg.RunRequest | dg.SkipReason:
        return one_at_a_time(context.instance, job) or dg.RunRequest()

    return publish_changed_hourly


def one_at_a_time(instance: dg.DagsterInstance, job: dg.JobDefinition) -> dg.SkipReason | None:
    """Why a job should not be run again now, if it should not."""
    clear_stale(instance)
    busy = dg.RunsFilter(job_name=job.name, statuses=_UNFINISHED)
    if instance.get_runs_count(busy):
        return dg.SkipReason("the run before has not ended yet")
    return None
