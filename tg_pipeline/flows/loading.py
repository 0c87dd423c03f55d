"""Loading while landing goes on: batches are loaded in the order in which they were landed.

One thread loads. It mostly waits for PostgreSQL, and the main thread reads and lands meanwhile.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from tg_pipeline.contracts import BatchManifest
from tg_pipeline.flows.archive import Archive
from tg_pipeline.store.load import Counts, load

_AHEAD: Final = 2
"""Batches that may be landed and not loaded: enough that nobody waits, few enough that a fault
of the database is met soon."""


class Loading:
    """A queue of landed batches; leaving it waits until all of them are loaded.

    Left by an error, it finishes the batch at hand and forgets the others: they are landed, so
    the next run loads them.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._waiting: deque[Future[Counts]] = deque()
        self.counts = Counts()

    def add(self, manifest: BatchManifest) -> None:
        """Queue one batch.

        Raises:
            TgPipelineError: loading this or an earlier batch failed.
        """
        database, zone = self._archive.database, self._archive.zone
        self._waiting.append(self._thread.submit(load, database, zone, manifest))
        self._collect(_AHEAD)

    def _collect(self, left: int) -> None:
        while len(self._waiting) > left or (self._waiting and self._waiting[0].done()):
            self.counts += self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._collect(0)
        finally:
            self._thread.shutdown(cancel_futures=True)
