"""Makes the database cluster once and runs `postgres` on it.

A cluster is made aside, with roles and databases in it, and takes its place by one rename: there
is never half a cluster. Settings that belong to us are given at every start; those a user may
tune stand in the cluster's own postgresql.conf.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tg_pipeline.errors import DiskFull, EmbeddedStartFailed, EmbeddedUnavailable, TgPipelineError
from tg_pipeline.store.embedded.layout import PORT, Layout
from tg_pipeline.store.embedded.privileges import ServerUser, child_setup

_SUPERUSER = "postgres"
_NO_SPACE = "No space left on device"
_FATAL_MARKS = ("FATAL:", "PANIC:", "initdb: error:", "ERROR:", "error while loading")

# Bulk loads write much WAL; few and long checkpoints keep the disk on the data.
_TUNABLE = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # The log must not repeat people's messages: no statements, no row contents.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# One statement a line: that is how a single-user server reads them.
_FIRST_STATEMENTS = """\
CREATE ROLE tg_pipeline LOGIN CREATEROLE;
CREATE DATABASE tg_pipeline OWNER tg_pipeline;
CREATE DATABASE dagster OWNER tg_pipeline;
"""


_Command = list[str | Path]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster, the programs that serve it and the user they run as."""

    layout: Layout
    programs: Path
    user: ServerUser
    lock_descriptor: int  # server.lock; every process of the server inherits it

    def ensure(self) -> None:
        """Make the cluster unless it is there; what a killed attempt left is redone."""
        if self.layout.data.exists():
            return
        making = self.layout.data_in_making
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        self.user.give(making)
        try:
            self._fill(making)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        making.rename(self.layout.data)
        _sync_folder(self.layout.folder)

    def start(self, socket_folder: Path) -> subprocess.Popen[bytes]:
        """Start the server as our child; it says in `postmaster.pid` when it is ready."""
        # server.lock proves that no process of an earlier server lives. PostgreSQL itself would
        # take any process that now has the old pid for the old server.
        with contextlib.suppress(FileNotFoundError):
            (self.layout.data / "postmaster.pid").unlink()
        ours = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{socket_folder}"',
            "unix_socket_permissions": "0700",
            "logging_collector": "off",
            "log_destination": "stderr",
            "fsync": "on",
        }
        command: _Command = [self.programs / "postgres", "-D", self.layout.data, *_options(ours)]
        setup = child_setup(
            self.user, self.programs, [self.layout.folder, socket_folder], signal.SIGINT
        )
        with _runnable(self.programs):
            return subprocess.Popen(  # noqa: S603  our own arguments only
                command,
                stdin=subprocess.DEVNULL,
                stdout=2,  # the watchdog's standard error is the log
                cwd="/",
                env=_environment(),
                pass_fds=[self.lock_descriptor],
                preexec_fn=setup,  # noqa: PLW1509  the watchdog has one thread
            )

    def failure(self, log_position: int) -> TgPipelineError:
        """Why the server did not start, from what it logged and what room is left."""
        with self.layout.log.open("rb") as log:
            log.seek(log_position)
            said = log.read().decode(errors="replace")
        return self._explain(said)

    def _fill(self, data: Path) -> None:
        initdb: _Command = [
            *(self.programs / "initdb", "--pgdata", data, "--username", _SUPERUSER),
            *("--encoding", "UTF8", "--locale", "C"),
            # Code point order with Unicode's upper and lower case, the same on every machine.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--auth-local", "trust", "--auth-host", "reject"),
            *("--no-sync", "--no-clean", "--no-instructions"),
            *_options(_TUNABLE),
        ]
        self._run(initdb)
        single: _Command = [self.programs / "postgres", "--single", "-F", "-D", data, "postgres"]
        self._run(single, _FIRST_STATEMENTS)
        self._run([self.programs / "initdb", "--sync-only", "--pgdata", data])

    def _run(self, command: _Command, text: str = "") -> None:
        setup = child_setup(self.user, self.programs, [self.layout.folder], signal.SIGKILL)
        with _runnable(self.programs):
            done = subprocess.run(  # noqa: S603  our own arguments only
                command,
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                cwd="/",
                env=_environment(),
                pass_fds=[self.lock_descriptor],
                preexec_fn=setup,  # safe: the watchdog has one thread
            )
        # A single-user server ends with 0 even when a statement failed.
        if done.returncode or "ERROR:" in done.stdout:
            os.write(2, done.stdout.encode())
            raise self._explain(done.stdout or f"{command[0]} ended with {done.returncode}")

    def _explain(self, said: str) -> TgPipelineError:
        if _NO_SPACE in said or self.layout.is_nearly_full():
            return DiskFull(self.layout.folder)
        lines = said.strip().splitlines() or ["it ended without a word"]
        marked = [line for line in lines if any(mark in line for mark in _FATAL_MARKS)]
        reason = (marked or lines)[-1].strip()
        return EmbeddedStartFailed(self.layout.folder, reason, self.layout.log)


@contextlib.contextmanager
def _runnable(programs: Path) -> Iterator[None]:
    """Say so when the programs cannot be run, or not as the server's user."""
    try:
        yield
    except (PermissionError, subprocess.SubprocessError) as error:
        raise EmbeddedUnavailable(
            f"the programs in {programs} cannot be run: {error}",
            remedy="Install it where every user may read and execute, "
            "or name a PostgreSQL server in TG_PIPELINE_DATABASE_URL.",
        ) from error


def _options(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _environment() -> dict[str, str]:
    """Only what programs need: the server is no place for our secrets or for PG* variables."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
