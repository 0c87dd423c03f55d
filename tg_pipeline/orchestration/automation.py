"""What runs by itself: the inbox, the view of the truth, and publishing what has changed.

Nothing here remembers what it did in a way that could keep a later change from being seen: what
there is to do is read from the inbox and the tables each time.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from tg_pipeline import flows
from tg_pipeline.files import make_folder
from tg_pipeline.flows import inbox
from tg_pipeline.orchestration import partitions
from tg_pipeline.orchestration.failures import RETRIES, logged, told
from tg_pipeline.orchestration.names import CHAT_TAG, Names
from tg_pipeline.orchestration.runs import clear_stale
from tg_pipeline.orchestration.sync import WINDOWS_AT_ONCE, sync
from tg_pipeline.store.windows import Window

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def build_jobs(names: Names, assets: Sequence[dg.AssetsDefinition]) -> tuple[Any, dg.JobDefinition]:
    """The chain for one chat, and the import of what lies in the inbox."""
    chain = dg.define_asset_job(
        names.unique("archive_chat"),
        selection=dg.AssetSelection.assets(*assets),
        description="One chat through the chain: verify, load, check, publish. "
        "A range of periods is one run.",
    )

    @dg.op(
        name=names.unique("take_in"),
        description="Imports what lies in the inbox and moves it aside, then judges and publishes "
        "its chats.",
        required_resource_keys={names.archive},
        retry_policy=RETRIES,
    )
    def take_in(context: dg.OpExecutionContext) -> None:
        archive: flows.Archive = getattr(context.resources, names.archive)
        with told():
            taken = list(inbox.take_in(archive, progress=logged(context)))
            for one in taken:
                context.log.info(f"{one.name}: {one.outcome}, {one.moved_to or one.reason}")
            _publish(archive, taken, context)

    @dg.job(
        name=names.unique("import_inbox"),
        description="Import the exports that lie in the inbox.",
    )
    def import_inbox() -> None:
        take_in()

    return chain, import_inbox


def _publish(
    archive: flows.Archive, taken: Sequence[inbox.Taken], context: dg.OpExecutionContext
) -> None:
    """Judge and publish the chats that were taken in."""
    wanted = {chat for one in taken for chat in one.chats}
    chats = [chat for chat in sorted(flows.known_chats(archive)) if str(chat) in wanted]
    counts: dict[str, int] = {}
    for one in taken:
        counts[one.outcome.value] = counts.get(one.outcome.value, 0) + 1
    context.add_output_metadata({**counts, "chats": sorted(wanted)})
    if chats:
        flows.refresh(archive, chats, logged(context)).require_all()


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
        windows, cursor = next_windows(archive, Cursor.read(context.cursor))
        if not windows:
            return dg.SensorResult(
                cursor=cursor.written, skip_reason=dg.SkipReason("nothing has changed")
            )
        done = sync(context.instance, archive, names, windows)
        return dg.SensorResult(
            cursor=cursor.written,
            skip_reason=dg.SkipReason(
                f"{done.windows} windows have changed; recorded {done.materializations} "
                f"materializations and {done.results} results of checks"
            ),
        )

    return sync_with_archive


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
    """The next portion of changed windows, and where to go on afterwards."""
    changed = flows.changes(archive, cursor.since)
    upto = cursor.upto if cursor.after else changed.upto
    left = [one for one in changed.windows if cursor.after is None or str(one) > cursor.after]
    left.sort(key=str)
    portion, rest = left[:WINDOWS_AT_ONCE], left[WINDOWS_AT_ONCE:]
    if rest:
        return portion, Cursor(cursor.since, upto, str(portion[-1]))
    return portion, Cursor(since=upto)


def build_schedule(
    names: Names, chain: Any, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """Every hour: judge and publish what has changed, a chat's windows in as few runs as can be."""

    @dg.schedule(
        name=names.unique("publish_changed"),
        job=chain,
        cron_schedule="7 * * * *",
        default_status=status,
        required_resource_keys={names.archive},
        description="Judges and publishes windows that have changed: one run for each chat, "
        "more where the gate has closed windows in between.",
    )
    def publish_changed(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        archive: flows.Archive = getattr(context.resources, names.archive)
        due = flows.due_stretches(archive)
        partitions.register(context.instance, names, {stretch[0].chat for stretch in due})
        for stretch in due:
            windows = [window for window in stretch if partitions.has(window)]
            if windows and not _is_running(context.instance, str(windows[0].chat)):
                yield request(windows)

    return publish_changed


def request(windows: Sequence[Window]) -> dg.RunRequest:
    """A run of the chain over windows of one chat, from the first to the last of them."""
    first, last = windows[0], windows[-1]
    run_key = partitions.key_of(first)  # within one tick: Dagster wants one where runs are several
    tags = {
        CHAT_TAG: str(first.chat),
        ASSET_PARTITION_RANGE_START_TAG: partitions.key_of(first),
        ASSET_PARTITION_RANGE_END_TAG: partitions.key_of(last),
    }
    return dg.RunRequest(run_key, tags=tags)


def _is_running(instance: dg.DagsterInstance, chat: str) -> bool:
    unfinished = dg.RunsFilter(tags={CHAT_TAG: chat}, statuses=_UNFINISHED)
    return instance.get_runs_count(unfinished) > 0
