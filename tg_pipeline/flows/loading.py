"""Loading batches in the order they were landed, beside the landing where that is worth a process.

Reading, landing and loading are Python's work, which one process does on one core. So the batches
of a large file are loaded by a process of their own; that of a small one at once, right here.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from tg_pipeline.contracts import BatchManifest
from tg_pipeline.errors import LoaderLost, TgPipelineError
from tg_pipeline.flows.archive import Archive
from tg_pipeline.landing import BATCH_MESSAGES
from tg_pipeline.store.load import Counts, load

_AHEAD: Final = 3
"""Batches that may be landed and not loaded: enough that nobody waits, few enough that a fault
of the database is met soon."""
_Channel: TypeAlias = "Connection[Any, Any]"


class Loading(Protocol):
    """Takes landed batches; what they came to is known when the block is left."""

    counts: Counts

    def add(self, manifest: BatchManifest) -> None:
        """Load a batch, now or soon.

        Raises:
            TgPipelineError: this or an earlier batch could not be loaded.
        """
        ...


@contextmanager
def loading(archive: Archive, messages: int, *, few: int = BATCH_MESSAGES) -> Iterator[Loading]:
    """Load the batches of about so many messages; at the end all of them are loaded.

    Up to `few` messages are not worth a process.

    Left by an error, the batch at hand is finished and the others are left: they are landed, so
    the next run loads them.

    Raises:
        LoaderLost: the process that loads was killed.
    """
    if messages <= few:
        yield _Here(archive)
        return
    with _process() as (channel, process):
        beside = _Beside(archive, channel, process)
        yield beside
        beside.collect(0)


class _Here:
    """Loads each batch as it comes."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.counts = Counts()

    def add(self, manifest: BatchManifest) -> None:
        self.counts += load(self._archive.database, self._archive.zone, manifest)


class _Beside:
    """Hands batches to a process and counts what it answers."""

    def __init__(
        self, archive: Archive, channel: _Channel, process: "subprocess.Popen[bytes]"
    ) -> None:
        self._archive = archive
        self._channel = channel
        self._process = process
        self._waiting = 0
        self.counts = Counts()
        database, landing = archive.database, archive.zone.folder
        place = landing if isinstance(landing, Path) else f"{landing}"
        settings = archive.settings
        self._send((database.url, database.schema, place, settings.log_level, settings.log_format))

    def add(self, manifest: BatchManifest) -> None:
        self._send(manifest)
        self._waiting += 1
        self.collect(_AHEAD)

    def collect(self, left: int) -> None:
        """Take the answers that are there, and wait until so many are left."""
        while self._waiting > left or (self._waiting and self._channel.poll()):
            with self._lost_if_ended():
                answer = self._channel.recv()
            self._waiting -= 1
            if isinstance(answer, TgPipelineError):
                with self._archive.database.surroundings():
                    raise answer
            self.counts += answer

    def _send(self, what: object) -> None:
        with self._lost_if_ended():
            self._channel.send(what)

    @contextmanager
    def _lost_if_ended(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, ConnectionError) as error:
            raise LoaderLost(self._process.wait()) from error


@contextmanager
def _process() -> "Iterator[tuple[_Channel, subprocess.Popen[bytes]]]":
    """A process and the channel to it; it has ended when this is left."""
    ours, theirs = Pipe()
    with ours:
        with theirs:  # only the process holds its end: if it dies, we are told
            descriptor = theirs.fileno()
            process = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", "tg_pipeline.flows.loader", str(descriptor)],
                stdin=subprocess.DEVNULL,
                pass_fds=[descriptor],
            )
        try:
            yield ours, process
        finally:
            ours.close()  # at which the process ends
            process.wait()
