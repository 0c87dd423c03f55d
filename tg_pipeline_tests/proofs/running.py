"""The real command line in a process of its own, with a home of its own, and what it leaves."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tg_pipeline.settings import Settings
from tg_pipeline.store.database import open_database
from tg_pipeline_tests import state

PROGRAM = Path(sys.executable).parent / "tg-pipeline"
GONE_WITHIN_SECONDS = 10
PATIENCE_SECONDS = 240
FAILED = 1
SUCCESS = {0, 3}  # 3: done, with quarantined records


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"


@dataclass(frozen=True, slots=True)
class Home:
    """The home of one archive, only ever touched by commands."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def landing(self) -> Path:
        return Path(self.environment.get("TG_PIPELINE_LANDING", self.folder / "landing"))

    def start(self, *arguments: str | Path) -> "Running":
        command = [PROGRAM, *arguments, "--home", self.folder]
        return Running(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONFAULTHANDLER": "1", **self.environment},
                cwd=self.folder.parent,
                start_new_session=True,
            )
        )

    def run(self, *arguments: str | Path) -> Ended:
        return self.start(*arguments).wait()

    def succeed(self, *arguments: str | Path) -> Ended:
        ended = self.run(*arguments)
        assert ended.code in SUCCESS, ended.told
        return ended

    def state(self) -> dict[str, Any]:
        """Tables, landing zone and published files. Starts the server for a moment."""
        with open_database(Settings(home=self.folder)) as database:
            tables = state.contents(database)
        return {
            **tables,
            "landing": sorted(state.landed(self.landing).items()),
            "published": sorted(state.published(self.folder / "exports").items()),
        }

    def processes(self) -> list[psutil.Process]:
        """Everything alive of this home but ourselves: commands, watchdog, PostgreSQL."""
        return list(_processes_of(self.folder.resolve()))

    def servers(self) -> list[psutil.Process]:
        """The watchdog and everything below it, postmaster first below the watchdog."""
        return [one for one in self.processes() if _is_server(one)]

    def postmaster(self) -> psutil.Process | None:
        """The server's first process, if there is one and it is not about to be replaced."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            written = (self.folder / "postgres" / "data" / "postmaster.pid").read_text()
            process = psutil.Process(int(written.splitlines()[0]))
            return process if process in self.processes() else None
        return None

    def wait_until_quiet(self) -> None:
        """No process of this home may be left; else they are ended and the test fails."""
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        while left := self.processes():
            if time.monotonic() > deadline:
                told = [_words(process) for process in left]
                kill(left)
                raise AssertionError(f"left over after {GONE_WITHIN_SECONDS} s: {told}")
            time.sleep(0.05)


class Running:
    """A command on its way."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.pid = process.pid
        self.began = time.monotonic()
        self.lasted = 0.0

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait(self, seconds: float = PATIENCE_SECONDS) -> Ended:
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)  # upon which it says what every thread was doing
            out, err = self.process.communicate()
            raise AssertionError(f"did not end within {seconds} s: {out}\n{err}") from None
        self.lasted = time.monotonic() - self.began
        return Ended(self.process.returncode, out, err)

    def wait_for(self, true: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for something to happen while the command runs."""
        deadline = time.monotonic() + seconds
        while not true():
            assert self.alive, f"ended before it happened: {self.wait().told}"
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.005)

    def sleep_until(self, offset: float) -> bool:
        """Sleep until so long after the start; whether the command still runs then."""
        while self.alive and (left := self.began + offset - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
        return self.alive

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill -9; some may be gone by now."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def assert_one_message(ended: Ended, code: str) -> None:
    """One message, one remedy, the expected code, no traceback."""
    assert "Traceback" not in ended.err, ended.err
    assert ended.err.count("error: ") == 1, ended.err
    assert ended.err.count("   do: ") == 1, ended.err
    assert f" code: {code}" in ended.err, ended.err


def _processes_of(folder: Path) -> Iterator[psutil.Process]:
    name = str(folder)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if _mentions(process, name) or _has_open(process, name):
                yield process


def _has_open(process: psutil.Process, name: str) -> bool:
    ours = process.name().startswith(("postgres", "initdb", "python", "tg-pipeline"))
    return ours and any(file.path.startswith(f"{name}/") for file in process.open_files())


def _mentions(process: psutil.Process, name: str) -> bool:
    words = [*process.cmdline(), process.cwd()]
    return any(word == name or word.startswith(f"{name}/") for word in words)


def _is_server(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = " ".join(process.cmdline())
        return "embedded.watchdog" in words or process.name() in {"postgres", "initdb"}
    return False


def _words(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return f"{process.pid} {' '.join(process.cmdline())}"
    return f"{process.pid}"
