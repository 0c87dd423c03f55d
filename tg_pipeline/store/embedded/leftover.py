"""Ends what a killed server left: backends in mid-query, or a server whose watchdog died."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tg_pipeline.store.embedded.layout import Layout

_PROCESSES = Path("/proc")


def end_leftover(layout: Layout) -> None:
    """Ask every process that works in the data folder to leave at once.

    SIGQUIT loses nothing that was committed. Called again until server.lock is free.
    """
    for pid in _pids_in(layout.data) if _PROCESSES.exists() else _pid_on_file(layout):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGQUIT)


def _pids_in(data: Path) -> Iterator[int]:
    for entry in _PROCESSES.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                is_server = (entry / "comm").read_text().strip() == "postgres"
                if is_server and (entry / "cwd").readlink() == data:
                    yield int(entry.name)


def _pid_on_file(layout: Layout) -> Iterator[int]:
    postmaster = layout.postmaster()
    if postmaster is not None:
        yield postmaster.pid
