"""`tg-pipeline dev` starts everything, and nothing of it outlives the command."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import psutil
import pytest

from tg_pipeline_tests.cli.running import Program

MARK = "TEST_OF_DEV"
START_SECONDS = 90
END_SECONDS = 30
GROUP = """
import os, sys
from tg_pipeline.cli import tied
sleepers = "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
with tied.start([sys.executable, "-c", sleepers], dict(os.environ)) as process:
    print("started", flush=True)
    process.wait()
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """`tg-pipeline` in a folder whose `.env` names a home that `--home` overrules."""
    (tmp_path / ".env").write_text("TG_PIPELINE_HOME=other\nTG_PIPELINE_LOG_LEVEL=error\n")
    yield Program(tmp_path, {MARK: str(tmp_path)})
    for left in processes(str(tmp_path)):
        left.kill()


def processes(mark: str) -> list[psutil.Process]:
    """Every living process that was started with this mark in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(MARK) == mark
            if marked and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def free_port() -> int:
    """A free port that neither outgoing connections nor other workers' tests take meanwhile."""
    for port in range(21000 + os.getpid() % 10_000, 32000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no free port")


def until(true: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, true
        time.sleep(0.1)


def answers(port: int) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=orjson.dumps({"query": "{ version }"}),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return "version" in orjson.loads(answer.read())["data"]
    except OSError:
        return False


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.prove), signal.SIGKILL],
)
def test_it_answers_and_leaves_nothing_behind(program: Program, number: signal.Signals) -> None:
    port = free_port()
    process = program.start("dev", "--port", port, "--home", program.folder / "home")
    until(lambda: answers(port) or process.poll() is not None, START_SECONDS)
    assert process.poll() is None, process.communicate()

    process.send_signal(number)
    out, err = process.communicate(timeout=END_SECONDS)
    until(lambda: not processes(str(program.folder)), END_SECONDS)

    assert process.returncode == (-number if number == signal.SIGKILL else 0)
    assert all(line.startswith("{") for line in out.splitlines())  # logs, as JSON into a pipe
    assert f"Database: embedded PostgreSQL in {program.folder}/home/postgres" in err
    assert f"http://127.0.0.1:{port}, DAGSTER_HOME {program.folder}/home/dagster" in err
    assert "Traceback" not in err
    assert sorted(entry.name for entry in program.folder.iterdir()) == [".env", "home"]


def test_a_port_in_use_is_told_before_anything_is_started(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = program("dev", "--port", taken.getsockname()[1])

    assert done.code == 1
    assert "in use" in done.err
    assert "--port" in done.err
    assert [entry.name for entry in program.folder.iterdir()] == [".env"]


def test_an_error_of_ours_in_dagsters_process_is_told_as_everywhere(program: Program) -> None:
    program.environment["TG_PIPELINE_DAGSTER_DATABASE_URL"] = "postgresql://me:hush@127.0.0.1:1/x"

    done = program("dev", "--port", free_port())

    assert done.code == 75
    assert "error: no connection to Dagster's database" in done.err
    assert "   do: Check TG_PIPELINE_DAGSTER_DATABASE_URL" in done.err
    assert "Traceback" not in done.err
    assert "hush" not in done.err
    _, left = psutil.wait_procs(processes(str(program.folder)), timeout=20)
    assert not left, "the embedded server ends after its last user"


def test_env_is_for_the_shell_and_prepares_the_folder(program: Program) -> None:
    home = program.folder / "a home"
    done = program("dagster", "env", "--home", home)
    shell = f'{done.out}\necho "$DAGSTER_HOME,$TG_PIPELINE_HOME"'
    said = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == f"{home}/dagster,{home}"
    assert (home / "dagster" / "dagster.yaml").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_is_tied_ends_with_its_user_however_that_ends(
    tmp_path: Path, number: signal.Signals
) -> None:
    environment = {**os.environ, MARK: str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", GROUP], env=environment, stdout=subprocess.PIPE
    ) as user:
        until(lambda: len(processes(str(tmp_path))) == 4, 10)
        user.send_signal(number)
        until(lambda: not processes(str(tmp_path)), 10)
