"""A chat's turn: its newest missing pages, for a slice of time, into a spool and ashore."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from telethon.tl import types

from tg_pipeline.errors import ChatInaccessible, TelegramRefused
from tg_pipeline.files import storage_errors
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.fetching.ashore import Ashore
from tg_pipeline.flows.fetching.plan import can_be_read, leave
from tg_pipeline.flows.fetching.work import Stretch, Work
from tg_pipeline.landing import Covered, Spool
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram.history import Ask, Page, pages
from tg_pipeline.sources.telegram.records import converted
from tg_pipeline.store import reading

SLICE_SECONDS: Final = 60
"""So long a chat is read before the next one has its turn; then its pages become a batch."""
BATCH: Final = 5_000
"""Messages of a batch: few enough that loading goes on beside fetching, not after it."""


class Turns:
    """Gives chats their turns, one after another."""

    def __init__(
        self, archive: Archive, ask: Ask, ashore: Ashore, folder: Path, account: str
    ) -> None:
        self._archive = archive
        self._ask = ask
        self._ashore = ashore
        self._folder = folder
        self._account = account
        self._spool: Spool | None = None

    async def take(self, work: Work, told: Callable[[], None]) -> None:
        """Read a chat until its slice of time is over or nothing is missing of it.

        Args:
            work: the chat.
            told: called after each page.

        Raises:
            TgPipelineError: what ends the run. All pages that came are on their way ashore.
        """
        until = time.monotonic() + SLICE_SECONDS
        try:
            while work.stretches and time.monotonic() < until:
                await self._read(work, work.stretches[0], until, told)
        finally:
            await self._hand_over()
        if not work.stretches and work.report.error is None:
            work.report.finished = True
            can_be_read(self._archive, work.chat)
            if work.rereads:
                with self._archive.database.transaction() as connection:
                    reading.note_reread(connection, work.chat.key)

    async def _read(
        self, work: Work, stretch: Stretch, until: float, told: Callable[[], None]
    ) -> None:
        """Read on in one stretch of ids."""
        over = False
        try:
            async for page in pages(
                self._ask,
                work.peer(stretch),
                stretch.gap,
                chat=work.name,
                go_on=lambda page: not stretch.is_over(page) and time.monotonic() < until,
            ):
                await self._keep(work, stretch, page)
                over = stretch.is_over(page)
                work.answered(stretch, page)
                told()
        except (ChatInaccessible, TelegramRefused) as error:
            self._give_up(work, stretch, error)
            return
        if over:
            work.stretches.remove(stretch)

    async def _keep(self, work: Work, stretch: Stretch, page: Page) -> None:
        """Write a page to the spool."""
        if self._spool is None:
            path = self._folder / f"{page.asked_at:%Y%m%dT%H%M%S%f}.jsonl"
            self._spool = Spool(path, work.seen(page.asked_at), self._account)
        made = converted(page, work.context(stretch, self._spool.chat.observed_at))
        self._note(work, stretch, page)  # before it counts as fetched: it will not come again
        with storage_errors(self._folder):
            self._spool.add(made.records, Covered(made.fetched, made.complete))
        work.count(page, made)
        if self._spool.contents.messages >= BATCH:
            await self._hand_over()

    async def _hand_over(self) -> None:
        spool, self._spool = self._spool, None
        if spool is not None and spool.covered.fetched:
            await self._ashore.take(spool)

    def _give_up(
        self, work: Work, stretch: Stretch, error: ChatInaccessible | TelegramRefused
    ) -> None:
        """Go on without a chat, or without the basic group it was."""
        if stretch.before_migration and isinstance(error, ChatInaccessible):
            get_logger().warning("chat.past_inaccessible", chat=work.name, reason=error.reason)
            with self._archive.database.transaction() as connection:
                reading.past_is_shut(connection, work.chat.key, datetime.now(UTC))
            work.stretches.remove(stretch)
            return
        leave(self._archive, work.report, error)
        work.stretches.clear()

    def _note(self, work: Work, stretch: Stretch, page: Page) -> None:
        """Keep what a page tells of the chat itself; a basic group that it was is read, too."""
        if work.total is None and page.total is not None and not stretch.before_migration:
            work.total = page.total
            with self._archive.database.transaction() as connection:
                reading.note_total(connection, work.chat.key, page.total)
        for message in page.messages:
            action = getattr(message, "action", None)
            if isinstance(action, types.MessageActionChannelMigrateFrom):
                self._take_on(work, -action.chat_id, message.date)

    def _take_on(self, work: Work, past: int, migrated_at: datetime) -> None:
        if work.chat.followed.migrated_from is None:
            with self._archive.database.transaction() as connection:
                reading.was_group(connection, work.chat.key, past)
            if work.since is None or migrated_at >= work.since:
                work.take_on(past, [])
