"""Runs that were killed are reported failed and hold nobody up; living ones are let be."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType

from tg_pipeline.orchestration.instance import open_instance
from tg_pipeline.orchestration.runs import TAG, Process, clear_stale
from tg_pipeline_tests.orchestration.jobs import JOBS, POOL, run, running

Note = dict[str, object]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def instance(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("TG_PIPELINE_HOME", str(home))
    with open_instance() as opened:
        yield opened
        for left in opened.get_runs():
            opened.delete_run(left.run_id)


@pytest.fixture(scope="module")
def dead() -> Process:
    """A process of this host that has ended."""
    with subprocess.Popen(["true"]) as ended:
        pass
    return replace(Process.this(), pid=ended.pid)


def started(instance: dg.DagsterInstance, process: Process | None, **changes: object) -> str:
    """A run that has started and is noted to be executed by a process."""
    created = instance.create_run_for_job(JOBS["unmarked"])
    event = DagsterEvent(DagsterEventType.RUN_START.value, created.job_name)
    instance.report_dagster_event(event, created.run_id)
    if process is not None:
        note = {"run": created.run_id, **asdict(process), **changes}
        instance.add_run_tags(created.run_id, {TAG: json.dumps(note)})
    return created.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


def tags(instance: dg.DagsterInstance, run_id: str) -> Mapping[str, str]:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.tags


def failures(instance: dg.DagsterInstance, run_id: str) -> list[str | None]:
    logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    return [entry.message for entry in logs]


def slots_in_use(instance: dg.DagsterInstance) -> int:
    return instance.event_log_storage.get_concurrency_info(POOL).active_slot_count


def test_a_killed_run_fails_and_the_next_has_its_slot_at_once(
    instance: dg.DagsterInstance,
) -> None:
    with running("marked") as (process, run_id):
        assert slots_in_use(instance) == 1
        process.kill()  # nobody has waited for it: it is a zombie, which is not alive
        time.sleep(0.2)

        assert status(instance, run_id) is dg.DagsterRunStatus.STARTED
        assert clear_stale(instance) == [run_id]

    assert status(instance, run_id) is dg.DagsterRunStatus.FAILURE
    assert tags(instance, run_id)["dagster/will_retry"] == "false"  # Dagster did not launch it
    (message,) = failures(instance, run_id)
    assert "killed" in (message or "")
    assert slots_in_use(instance) == 0
    begun = time.monotonic()
    assert run("marked", instance)
    assert time.monotonic() - begun < 10
    assert clear_stale(instance) == []


def test_a_living_run_keeps_its_slot(instance: dg.DagsterInstance) -> None:
    with running("marked") as (_, run_id):
        assert clear_stale(instance) == []
        assert status(instance, run_id) is dg.DagsterRunStatus.STARTED
        assert slots_in_use(instance) == 1
    clear_stale(instance)


def test_the_mark_is_not_shown_and_names_the_process(instance: dg.DagsterInstance) -> None:
    with running("marked") as (process, run_id):
        note = tags(instance, run_id)[TAG]
    assert json.loads(note)["pid"] == process.pid
    assert TAG.startswith(".dagster/")  # which the web server leaves out
    clear_stale(instance)


def test_a_pid_that_was_given_to_another_process_does_not_fool_us(
    instance: dg.DagsterInstance,
) -> None:
    ours_is_younger = replace(Process.this(), started="1")
    run_id = started(instance, ours_is_younger)

    assert clear_stale(instance) == [run_id]


@pytest.mark.parametrize(
    ("gone", "change"),
    [
        (True, lambda process: process),
        (True, lambda process: replace(process, boot="an earlier one")),
        (True, lambda process: replace(process, boot="an earlier one", namespace="pid:[1]")),
        (False, lambda process: replace(process, host="elsewhere")),
        (False, lambda process: replace(process, host="elsewhere", boot="another")),
        (False, lambda process: replace(process, namespace="pid:[1]")),
        (False, lambda _: Process.this()),
        (True, lambda _: replace(Process.this(), boot="an earlier one")),
    ],
)
def test_only_a_process_of_this_host_that_is_surely_gone_is_called_gone(
    instance: dg.DagsterInstance, dead: Process, gone: bool, change: Callable[[Process], Process]
) -> None:
    run_id = started(instance, change(dead))

    assert clear_stale(instance) == ([run_id] if gone else [])


@pytest.mark.parametrize("change", [{"run": "its parent"}, {"pid": None, "new": 1}])
def test_a_mark_that_is_not_the_runs_own_says_nothing(
    instance: dg.DagsterInstance, dead: Process, change: Note
) -> None:
    started(instance, dead, **change)
    started(instance, None)

    assert clear_stale(instance) == []


def test_a_run_that_is_being_canceled_fails_too(
    instance: dg.DagsterInstance, dead: Process
) -> None:
    run_id = started(instance, dead)
    run_record = instance.get_run_by_id(run_id)
    assert run_record is not None
    instance.report_run_canceling(run_record)

    assert clear_stale(instance) == [run_id]


def test_a_run_that_ended_well_stays_so(instance: dg.DagsterInstance) -> None:
    with running("marked", 0) as (process, run_id):
        process.wait()

    assert clear_stale(instance) == []
    assert status(instance, run_id) is dg.DagsterRunStatus.SUCCESS


def test_steps_in_processes_of_their_own_do_not_mark_the_run(
    instance: dg.DagsterInstance,
) -> None:
    with running("apart", 0) as (process, run_id):
        process.wait()

    assert status(instance, run_id) is dg.DagsterRunStatus.SUCCESS
    assert TAG not in tags(instance, run_id)


def test_two_who_look_at_once_report_once(instance: dg.DagsterInstance, dead: Process) -> None:
    run_ids = {started(instance, dead) for _ in range(3)}
    cleared: list[str] = []
    together = threading.Barrier(3)

    def look() -> None:
        with open_instance() as own:
            together.wait()
            cleared.extend(clear_stale(own))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(cleared) == sorted(run_ids)
    assert [len(failures(instance, run_id)) for run_id in run_ids] == [1, 1, 1]
