"""The user's side: start or join the server of a folder, and know how it is."""

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tg_pipeline.errors import EmbeddedStartFailed
from tg_pipeline.store.embedded import binaries
from tg_pipeline.store.embedded.detached import launch
from tg_pipeline.store.embedded.layout import PORT, Layout, Postmaster, as_error
from tg_pipeline.store.embedded.locks import FileLock, is_held

_WATCHDOG = "tg_pipeline.store.embedded.watchdog"
_POLL_SECONDS = 0.01
_DEAF_SECONDS = 10


class EmbeddedServer:
    """A claim on the server of one folder: it runs until the last claim is closed or dies.

    Making one starts the server if it does not run. A process may make several.
    """

    def __init__(self, folder: Path) -> None:
        layout = Layout.of(folder)
        programs = binaries.locate()
        self.folder = layout.folder
        self._claim = FileLock(layout.users_lock)
        try:
            layout.make()
            self._socket_folder = self._join(layout, programs)
        except OSError as error:
            raise as_error(error, layout.folder) from error

    def url(self, database: str, user: str = "tg_pipeline") -> str:
        """A URL for psycopg, ADBC and, with a driver named, SQLAlchemy."""
        return f"postgresql://{user}@/{database}?host={self._socket_folder}&port={PORT}"

    def is_nearly_full(self) -> bool:
        """Whether its disk has too little room for it to go on."""
        return Layout(self.folder).is_nearly_full()

    def close(self) -> None:
        """Give the claim back; the server stops soon after the last one."""
        self._claim.release()

    def _join(self, layout: Layout, programs: Path) -> Path:
        with FileLock(layout.start_lock).exclusive():
            self._claim.shared()
            try:
                return _running(layout, programs).socket_folder
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How the server of a folder is, without touching it."""

    running: bool
    held: bool  # by `db start`
    pid: int | None
    version: str | None
    socket_folder: Path | None
    data_folder: Path


def acquire(folder: Path) -> EmbeddedServer:
    """Start the server of `folder`, or join it if it runs."""
    return EmbeddedServer(folder)


def server_status(folder: Path) -> ServerStatus:
    """Look at the server of `folder`; starts and creates nothing."""
    layout = Layout.of(folder)
    try:
        postmaster = _serving(layout)
        held = is_held(layout.holder_lock)
    except OSError as error:
        raise as_error(error, layout.folder) from error
    return ServerStatus(
        running=postmaster is not None,
        held=held,
        pid=postmaster.pid if postmaster else None,
        version=binaries.version(),
        socket_folder=postmaster.socket_folder if postmaster else None,
        data_folder=layout.data,
    )


def _running(layout: Layout, programs: Path) -> Postmaster:
    """The server that answers; started if need be. Called under start.lock."""
    deaf_since: float | None = None
    while (postmaster := _serving(layout)) is None:
        if not is_held(layout.watchdog_lock):
            launch(_WATCHDOG, layout, str(programs))
            continue
        # It is starting for somebody who was killed, or ending.
        time.sleep(_POLL_SECONDS)
        deaf_since = (deaf_since or time.monotonic()) if _is_deaf(layout) else None
        if deaf_since is not None and time.monotonic() - deaf_since > _DEAF_SECONDS:
            raise EmbeddedStartFailed(layout.folder, "its socket does not answer", layout.log)
    return postmaster


def _serving(layout: Layout) -> Postmaster | None:
    """The server if it answers and somebody watches over it."""
    if not is_held(layout.watchdog_lock):
        return None
    postmaster = layout.postmaster()
    return postmaster if postmaster is not None and postmaster.answers() else None


def _is_deaf(layout: Layout) -> bool:
    """Whether it calls itself ready and does not answer: somebody removed its socket."""
    postmaster = layout.postmaster()
    return postmaster is not None and postmaster.ready and not postmaster.answers()
