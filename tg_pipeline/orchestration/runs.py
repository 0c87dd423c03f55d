"""Runs whose process was killed: seen by what it left behind, and reported as failed.

A killed run stays STARTED for ever, keeps its pool slots and counts as running. So every run
notes which process it is, and whoever comes next looks whether that process still lives. Pids are
given anew; a pid together with the start of its process is not.
"""

import contextlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import HIDDEN_TAG_PREFIX, WILL_RETRY_TAG

from tg_pipeline.store.embedded.locks import FileLock

TAG = f"{HIDDEN_TAG_PREFIX}tg_pipeline/process"  # hidden tags are not shown in the UI
_UNFINISHED = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
_LINUX = sys.platform == "linux"
_HIDDEN = "hidden"  # it lives, and this system does not show other people's processes


@dataclass(frozen=True, slots=True)
class Process:
    """One process, told apart from every other that ever was."""

    host: str
    boot: str  # empty where a process tells its start in calendar time
    namespace: str  # containers on one host count their pids separately
    pid: int
    started: str

    @classmethod
    def this(cls) -> Self:
        """The process that asks."""
        pid = os.getpid()
        return cls(platform.node(), _boot(), _namespace(), pid, _started(pid) or "")

    def is_gone(self) -> bool:
        """Whether it has surely ended; False where that cannot be seen from here."""
        if self.host != platform.node():
            return False
        if self.boot != _boot():
            return True
        found = _started(self.pid)
        return self.namespace == _namespace() and found not in {self.started, _HIDDEN}


def mark(instance: DagsterInstance, run_id: str) -> None:
    """Note on the run that this process executes it. Call it when the run begins.

    A run whose steps have processes of their own is not marked: none of them stands for it.
    """
    elsewhere = instance.event_log_storage.get_logs_for_run(
        run_id, of_type=DagsterEventType.STEP_WORKER_STARTING, limit=1
    )
    if not elsewhere:
        # A run that is executed again inherits its parent's tags, so the mark names its run.
        note = {"run": run_id, **asdict(Process.this())}
        instance.add_run_tags(run_id, {TAG: json.dumps(note)})


def clear_stale(instance: DagsterInstance) -> list[str]:
    """Report every marked run of this host failed whose process has gone; their ids.

    Its pool slots are free afterwards, and run retries see it as a crash. Left alone are runs on
    other hosts and in other containers, and unmarked ones: Dagster's run monitoring fails those
    that never started, and one killed in the moment between its start and its mark looks like
    the living run of somebody else's job. It holds no slot yet; end it in the UI.
    """
    suspects = [run.run_id for run in _unfinished(instance) if _is_stale(run)]
    if not suspects:
        return []
    with _alone(instance):
        # Read again: it may have ended well before it was looked for, or been reported by others.
        stale = _unfinished(instance, suspects)
        for run in stale:
            _report(instance, run)
    return [run.run_id for run in stale]


def _report(instance: DagsterInstance, run: DagsterRun) -> None:
    # Slots first: if we are killed in between, the run is still found.
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    instance.report_run_failed(
        run,
        "The process of this run was killed. What it had committed is kept: "
        "run it again, and it continues where it stopped.",
    )
    if run.remote_job_origin is None:
        # Dagster announces a retry of every crash, but begins again only what it launched itself.
        instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false"})


def _unfinished(
    instance: DagsterInstance, run_ids: Collection[str] | None = None
) -> list[DagsterRun]:
    ids = None if run_ids is None else list(run_ids)
    return list(instance.get_runs(RunsFilter(run_ids=ids, statuses=list(_UNFINISHED))))


def _is_stale(run: DagsterRun) -> bool:
    try:
        note = json.loads(run.tags[TAG])
        return note.pop("run") == run.run_id and Process(**note).is_gone()
    except (KeyError, TypeError, ValueError):
        return False  # no mark, or not one of ours


@contextlib.contextmanager
def _alone(instance: DagsterInstance) -> Iterator[None]:
    """Let no other process of this host report the same runs."""
    with FileLock(Path(instance.root_directory) / "stale_runs.lock") as lock:
        with contextlib.suppress(OSError):  # without it a run may be reported twice, no more
            lock.exclusive()
        yield


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip() if _LINUX else ""


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink()) if _LINUX else ""


def _started(pid: int) -> str | None:
    """When a process started; None if it has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it lives, as another user
    state, started = _look(pid)
    return None if state in {"Z", "X"} else started


def _look(pid: int) -> tuple[str, str]:
    """A process's state and its start: in ticks since boot, or in calendar time."""
    if _LINUX:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return "", _HIDDEN
        return fields[0], fields[19]
    shown = subprocess.run(  # noqa: S603  a fixed command and a number
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607
        env={"PATH": "/bin:/usr/bin", "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split(maxsplit=1)
    return (shown[0][0], shown[1].strip()) if len(shown) == 2 else ("X", "")
