"""The server's parent: stops it when its last user has gone, and dies with it.

One thread, standard library only. Runs detached as `main(folder, programs)`. The kernel ends the
server if the watchdog itself is killed; the next user then starts both anew.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tg_pipeline.errors import DatabaseLost, EmbeddedStartFailed, TgPipelineError
from tg_pipeline.store.embedded import sockets
from tg_pipeline.store.embedded.cluster import Cluster
from tg_pipeline.store.embedded.detached import detach, report
from tg_pipeline.store.embedded.layout import Layout, as_error
from tg_pipeline.store.embedded.leftover import end_leftover
from tg_pipeline.store.embedded.locks import FileLock, open_private
from tg_pipeline.store.embedded.privileges import choose

_TICK_SECONDS = 0.2
_READY_POLL_SECONDS = 0.01
_START_SECONDS = 600  # replaying the WAL after a crash may take minutes
_PATIENCE_SECONDS = 2  # what a killed server leaves mostly ends by itself
_LEFTOVER_SECONDS = 60
_SHUTDOWN_SECONDS = 8  # a server that recovers from a full disk may never end politely
_LOG_LIMIT_BYTES = 8 << 20

_KILLED = DatabaseLost("the embedded server was killed while it started")


class Watchdog:
    """Runs one server for as long as somebody uses it."""

    def __init__(self, layout: Layout, programs: Path, server_lock: FileLock) -> None:
        self.layout = layout
        self.signals = Signals()
        user = choose(layout.folder, layout.data)
        user.let_through(layout.folder)
        self.cluster = Cluster(layout, programs, user, server_lock.descriptor)

    def run(self) -> None:
        """Start the server, tell the starter, stay until nobody needs it."""
        server = self._start()
        report(None)
        try:
            while server.poll() is None and not self._stopped_unused(server):
                _bound(self.layout.log)
                self.signals.wait(_TICK_SECONDS)
                if self.signals.asked_to_stop:
                    break
        finally:
            self._stop(server)
        if server.returncode == 0:  # after a crash open URLs stay valid for the next server
            sockets.clear(self.layout, self.cluster.user)

    def _start(self) -> subprocess.Popen[bytes]:
        self.cluster.ensure()
        _bound(self.layout.log)
        log_position = self.layout.log.stat().st_size
        server = self.cluster.start(sockets.prepare(self.layout, self.cluster.user))
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready(server):
            late = self.signals.asked_to_stop or time.monotonic() > deadline
            if late or server.poll() is not None:
                killed = server.returncode == -signal.SIGKILL
                self._stop(server)
                raise _KILLED if killed else self.cluster.failure(log_position)
            time.sleep(_READY_POLL_SECONDS)
        return server

    def _is_ready(self, server: subprocess.Popen[bytes]) -> bool:
        postmaster = self.layout.postmaster()
        return postmaster is not None and postmaster.pid == server.pid and postmaster.ready

    def _stopped_unused(self, server: subprocess.Popen[bytes]) -> bool:
        """Stop the server if nobody uses it and nobody is just arriving.

        Never waits for a lock: a user may hold start.lock and wait for us to end.
        """
        with FileLock(self.layout.users_lock) as users:
            if not users.try_exclusive():
                return False
        with FileLock(self.layout.start_lock) as start, FileLock(self.layout.users_lock) as users:
            if not start.try_exclusive() or not users.try_exclusive():
                return False
            users.release()
            self._stop(server)
            return True

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        """End the server: politely, then at once (the WAL keeps what was committed)."""
        steps = ((signal.SIGINT, _SHUTDOWN_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
        for number, seconds in steps:
            if server.poll() is not None:
                return
            server.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(seconds)


class Signals:
    """Wakes the loop when the server ends or somebody asks the watchdog to stop."""

    def __init__(self) -> None:
        self.asked_to_stop = False
        self._read_end, self._write_end = socket.socketpair()
        self._read_end.setblocking(False)
        self._write_end.setblocking(False)
        signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def wait(self, seconds: float) -> None:
        """Sleep until the time is over or a signal has come."""
        if select.select([self._read_end], [], [], seconds)[0]:
            self._read_end.recv(1024)

    def _ask(self, *_: object) -> None:
        self.asked_to_stop = True


def main() -> None:
    """Watch over the server of one folder; a second watchdog leaves at once."""
    detach()
    layout, programs = Layout(Path(sys.argv[1])), Path(sys.argv[2])
    with FileLock(layout.watchdog_lock) as only:
        if not only.try_exclusive_for(_TICK_SECONDS):
            report(None)  # the starter sees the other one and waits for it
            return
        try:
            _watch(layout, programs)
        except TgPipelineError as error:
            report(error)
        except OSError as error:
            report(as_error(error, layout.folder))


def _watch(layout: Layout, programs: Path) -> None:
    server_lock = FileLock(layout.server_lock, inherited=True)
    gone = server_lock.try_exclusive_for(_PATIENCE_SECONDS) or server_lock.try_exclusive_for(
        _LEFTOVER_SECONDS, lambda: end_leftover(layout)
    )
    if not gone:
        reason = "processes of an earlier server are still running"
        raise EmbeddedStartFailed(layout.folder, reason, layout.log)
    Watchdog(layout, programs, server_lock).run()


def _bound(log: Path) -> None:
    """Keep one old log and start over: the server appends, so emptying the file is safe."""
    if log.stat().st_size < _LOG_LIMIT_BYTES:
        return
    old = log.with_suffix(".log.1")
    old.unlink(missing_ok=True)
    with log.open("rb") as source, open(open_private(old, os.O_WRONLY), "wb") as copy:  # noqa: PTH123
        shutil.copyfileobj(source, copy)
    os.truncate(log, 0)


if __name__ == "__main__":
    main()
