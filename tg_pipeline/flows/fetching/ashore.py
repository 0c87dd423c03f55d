"""Bringing spools ashore: each is landed and loaded in a thread, while the next pages come in."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.loading import Loading
from tg_pipeline.landing import LandingZone, Spool
from tg_pipeline.logs import get_logger

_AHEAD: Final = 2
"""Spools that may wait: more would only hide that landing is slower than Telegram."""


class Ashore:
    """One thread that lands spools in the order they come."""

    def __init__(self, archive: Archive, loads: Loading, still_alone: Callable[[], None]) -> None:
        self._zone = archive.zone
        self._loads = loads
        self._still_alone = still_alone
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="landing")
        self._waiting: deque[Future[None]] = deque()

    async def take(self, spool: Spool) -> None:
        """Land and load a spool soon; waits while too many are waiting.

        Raises:
            TgPipelineError: this or an earlier one could not be landed or loaded.
        """
        self._waiting.append(self._thread.submit(self._bring, spool))
        while len(self._waiting) > _AHEAD or (self._waiting and self._waiting[0].done()):
            await asyncio.wrap_future(self._waiting.popleft())

    def _bring(self, spool: Spool) -> None:
        self._still_alone()
        manifest = spool.land(self._zone)
        spool.remove()
        self._loads.add(manifest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for all that was taken, unless everything is being broken off."""
        broken_off = kind is not None and not issubclass(kind, Exception)
        self._thread.shutdown(cancel_futures=broken_off)
        if kind is None:
            for future in self._waiting:
                future.result()


def land_what_is_left(folder: Path, zone: LandingZone) -> list[ChatKey]:
    """Land the pages that a killed run has left; the chats that they are of.

    Raises:
        SpoolDamaged
    """
    landed: list[ChatKey] = []
    for path in sorted(folder.glob("*.jsonl")):
        spool = Spool.left(path)
        if spool is not None:
            manifest = spool.land(zone)
            get_logger().info("spool.landed", path=str(path), batch=manifest.batch)
            landed.append(ChatKey(manifest.entity_id, manifest.account_id))
        path.unlink()
    return landed
