"""Dagster finds its database by itself in every process, and keeps its connections."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import psycopg
import pytest
import sqlalchemy as sa
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import serialize_value

from tg_pipeline.errors import DagsterDatabaseMissing, DagsterDatabaseUnreachable
from tg_pipeline.orchestration.instance import open_instance
from tg_pipeline.store.embedded import acquire, server_status
from tg_pipeline_tests.orchestration.jobs import run

READ_ELSEWHERE = """
import sys
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value
with DagsterInstance.from_ref(deserialize_value(sys.argv[1], InstanceRef)) as instance:
    print([run.status.value for run in instance.get_runs()])
"""
OPEN_AT = """
import sys, time
from tg_pipeline.orchestration.instance import open_instance
time.sleep(max(0, float(sys.argv[1]) - time.time()))
with open_instance() as instance:
    print(instance.get_runs_count())
"""


@pytest.fixture(scope="module")
def warm_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def home(warm_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("TG_PIPELINE_HOME", str(warm_home))
    return warm_home


@pytest.fixture
def own_database(home: Path) -> Iterator[str]:
    """The URL of an empty database on a server that stands for a given one."""
    name = f"dagster_{uuid.uuid4().hex[:12]}"
    with acquire(home / "postgres") as server:
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} OWNER tg_pipeline".encode())
        yield server.url(name)


def postmaster(home: Path) -> int:
    pid = server_status(home / "postgres").pid
    assert pid is not None
    return pid


def test_nothing_has_to_be_set_up_and_the_server_ends_with_its_last_user(home: Path) -> None:
    with open_instance() as instance:
        assert run("unmarked", instance)
        assert instance.get_runs_count() > 0
        assert server_status(home / "postgres").running
        assert instance.storage_directory().startswith(str(home / "dagster"))

    deadline = time.monotonic() + 20
    while server_status(home / "postgres").running:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_another_process_makes_the_same_storage_and_is_told_no_secret(home: Path) -> None:
    with open_instance() as instance:
        run("unmarked", instance)
        reference = serialize_value(instance.get_ref())
        elsewhere = subprocess.run(
            [sys.executable, "-c", READ_ELSEWHERE, reference],
            capture_output=True,
            text=True,
            check=True,
        )

    assert "SUCCESS" in elsewhere.stdout
    assert "postgresql" not in reference


def test_storages_of_a_reference_one_by_one_are_the_same(home: Path) -> None:
    """Older parts of Dagster ask the reference for each storage instead of for the whole."""
    with open_instance() as instance:
        run("unmarked", instance)
        reference = InstanceRef.from_dir(str(home / "dagster"))
        assert reference.run_storage is not None
        assert reference.run_storage.get_runs_count() == instance.get_runs_count()


def test_connections_are_kept(home: Path) -> None:
    opened: list[object] = []

    def count(connection: object, _record: object) -> None:
        opened.append(connection)

    with open_instance() as instance:
        sa.event.listen(sa.Engine, "connect", count)
        try:
            for _ in range(3):
                run("unmarked", instance)
        finally:
            sa.event.remove(sa.Engine, "connect", count)

    assert len(opened) <= 2


def test_instances_that_are_closed_leave_nothing_open(home: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with open_instance():
        before = descriptors()
        for _ in range(5):
            with open_instance() as instance:
                instance.get_runs_count()
        assert descriptors() <= before


def test_a_killed_server_is_started_again_and_its_connections_replaced(home: Path) -> None:
    with open_instance() as instance:
        count = instance.get_runs_count()
        killed = postmaster(home)
        backends = psutil.Process(killed).children()
        os.kill(killed, signal.SIGKILL)
        psutil.wait_procs(backends, timeout=20)  # they notice a moment later, in mid-statement

        assert instance.get_runs_count() == count
        assert run("unmarked", instance)
        assert postmaster(home) != killed


def test_processes_that_begin_at_once_make_the_tables_once(
    own_database: str, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "TG_PIPELINE_HOME": str(tmp_path),
        "TG_PIPELINE_DAGSTER_DATABASE_URL": own_database,
    }
    command = [sys.executable, "-c", OPEN_AT, str(time.time() + 10)]
    processes = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    assert [process.communicate(timeout=60) for process in processes] == [("0\n", "")] * 4


def test_the_web_servers_limit_on_statements_is_kept(home: Path) -> None:
    with open_instance() as instance:
        instance.optimize_for_webserver(statement_timeout=100, pool_recycle=60, max_overflow=5)

        with (
            pytest.raises(sa.exc.OperationalError, match="statement timeout"),
            instance.run_storage.connect() as connection,  # type: ignore[attr-defined]
        ):
            connection.exec_driver_sql("SELECT pg_sleep(2)")


def test_a_named_database_is_used(
    own_database: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TG_PIPELINE_DAGSTER_DATABASE_URL", own_database)
    with open_instance() as instance:
        assert instance.get_runs_count() == 0
        assert run("unmarked", instance)


def test_dagster_yaml_may_name_one_too(own_database: str, tmp_path: Path) -> None:
    custom = {
        "module": "tg_pipeline.orchestration.storage",
        "class": "ArchiveStorage",
        "config": {"postgres_url": {"env": "OWN"}},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OWN", own_database.replace("postgresql://", "postgres://"))
        reference = InstanceRef.from_dir(str(tmp_path), overrides={"storage": {"custom": custom}})
        with dg.DagsterInstance.from_ref(reference) as instance:
            assert run("unmarked", instance)


@pytest.mark.parametrize(
    "environment",
    [{"TG_PIPELINE_DATABASE_URL": "postgresql://u:p@db/x"}, {"TG_PIPELINE_EMBEDDED": "0"}],
)
def test_without_a_database_of_its_own_the_setting_is_asked_for(
    home: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(DagsterDatabaseMissing, match="TG_PIPELINE_DAGSTER_DATABASE_URL"):
        open_instance()


def test_a_database_that_does_not_answer_is_named_without_its_password(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TG_PIPELINE_DAGSTER_DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/x")

    with pytest.raises(DagsterDatabaseUnreachable, match="refused") as caught:
        open_instance()

    assert "hush" not in str(caught.value)
