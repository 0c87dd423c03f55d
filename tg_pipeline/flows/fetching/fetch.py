"""One run: an account asks which chats have news, and reads one after another what is missing.

What is missing is read from the tables, never remembered: all ids up to the newest that no loaded
batch answers for. So a run that was cut is continued by the next, whoever makes it.
"""

import gc
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import PUT_OFF, Transient
from tg_pipeline.files import make_folder
from tg_pipeline.flows.accounts import Reader, asking, may_call
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.fetching.ashore import Ashore, land_what_is_left
from tg_pipeline.flows.fetching.plan import Days, Planning
from tg_pipeline.flows.fetching.track import Track
from tg_pipeline.flows.fetching.turn import BATCH, Turns
from tg_pipeline.flows.fetching.work import ChatReport
from tg_pipeline.flows.loading import Loading, loading
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.flows.settle import settle
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram.history import HISTORY, Ask
from tg_pipeline.sources.telegram.running import run
from tg_pipeline.sources.telegram.sessions import account_name
from tg_pipeline.sources.telegram.takeout import Takeout
from tg_pipeline.store import accounts
from tg_pipeline.store.leases import lease
from tg_pipeline.store.load import Counts

_COLLECT_AFTER: Final = 50_000
"""Objects, which is some pages."""


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What to fetch, and with which account. Days are UTC and included."""

    account: str = "main"
    since: date | None = None
    until: date | None = None
    takeout: bool | None = None
    """Whether to read in a takeout session; None: as the setting says."""


@dataclass(slots=True)
class FetchReport:
    """What a run has brought.

    Attributes:
        chats: those that had something to fetch, or could not be read.
        asked: how many chats were looked at.
        counts: what became of the messages in the tables.
        requests: how many were sent.
        left: chats of which an earlier run, cut off, had left pages that were taken in now.
        deferred: why it ended before all was there; None where it did not.
    """

    chats: list[ChatReport] = field(default_factory=list)
    asked: int = 0
    counts: Counts = field(default_factory=Counts)
    requests: int = 0
    left: list[ChatKey] = field(default_factory=list)
    deferred: Transient | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "chats": [chat.as_dict() for chat in self.chats],
            "asked": self.asked,
            "read": self.counts.read,
            "new": self.counts.new,
            "updated": self.counts.updated,
            "unchanged": self.counts.unchanged,
            "quarantined": self.counts.quarantined,
            "requests": self.requests,
            "left": [str(chat) for chat in self.left],
            "deferred": self.deferred and self.deferred.message,
            "until": getattr(self.deferred, "until", None),
        }


def fetch_chats(
    archive: Archive,
    chats: Sequence[ChatKey] | None = None,
    options: FetchOptions = FetchOptions(),
    progress: Progress = silent,
) -> FetchReport:
    """Fetch what is missing of the followed chats, or of those that are named, and load it.

    A wait that is too long to be slept through ends the run early: see `deferred` of what is
    returned. Everything that came before is landed and loaded.

    What ends one chat, `ChatInaccessible` or `TelegramRefused`, is in that chat's report.

    Raises:
        UsageError: the account's name is none.
        ApiMissing, ApiInvalid, NotLoggedIn, SessionUnreadable, KeyringUnavailable: set it up first.
        AccountBusy, AccountDiffers, SessionRevoked, KeyDuplicated, AccountBanned: the account.
        SpoolDamaged, DiskFull, DatabaseLost: the surroundings.
    """
    folder = archive.settings.home / "spool" / account_name(options.account)
    make_folder(folder)
    with lease(archive.database, options.account, "fetch") as still_alone:
        left = land_what_is_left(folder, archive.zone)
        settle(archive, progress)
        report = _Run(archive, options, folder, progress).all(chats, still_alone)
    report.left = left
    return report


class _Run:
    """One account at work."""

    def __init__(
        self, archive: Archive, options: FetchOptions, folder: Path, progress: Progress
    ) -> None:
        self.archive = archive
        self.options = options
        self.folder = folder
        self.progress = progress
        self.report = FetchReport()

    def all(self, chats: Sequence[ChatKey] | None, still_alone: Callable[[], None]) -> FetchReport:
        with _fewer_collections(), ExitStack() as ended:
            run(self._asking(chats, still_alone, ended))
        get_logger().info(
            "fetch.ended",
            account=self.options.account,
            chats=len(self.report.chats),
            read=self.report.counts.read,
            requests=self.report.requests,
        )
        return self.report

    async def _asking(
        self,
        chats: Sequence[ChatKey] | None,
        still_alone: Callable[[], None],
        ended: ExitStack,
    ) -> None:
        """Work while connected; landing and loading go on until `ended` is closed."""
        try:
            may_call(self.archive, self.options.account, HISTORY)
            async with asking(self.archive, self.options.account, self._waiting) as reader:
                ended.callback(lambda: setattr(self.report, "requests", reader.sent()))
                await self._fetch(reader, chats, still_alone, ended)
        except PUT_OFF as error:
            self.report.deferred = error

    def _waiting(self, passed: float, whole: float) -> None:
        what = "waiting until Telegram may be asked again"
        self.progress(Step(what, int(passed), math.ceil(whole), "seconds", pause=True))

    async def _fetch(
        self,
        reader: Reader,
        chats: Sequence[ChatKey] | None,
        still_alone: Callable[[], None],
        ended: ExitStack,
    ) -> None:
        account, days = self.options.account, Days(self.options.since, self.options.until)
        planning = Planning(self.archive, reader.ask, account, reader.user_id, days)
        planned = await planning.plan(chats)
        self.report.asked = planned.asked
        self.report.chats = planned.reports
        loads = ended.enter_context(self._loading(planned.size))
        ashore = ended.enter_context(Ashore(self.archive, loads, still_alone))
        takeout = self._takeout(reader.ask, planned.size)
        ask = reader.ask if takeout is None else takeout.ask
        turns = Turns(self.archive, ask, ashore, self.folder, account)
        queue, track = deque(planned.works), Track(self.progress, planned.works)
        while queue:
            work = queue.popleft()
            await turns.take(work, track.of(work, queue))
            if work.stretches:
                queue.append(work)
        everything = chats is None and days == Days(None, None)
        if takeout is not None and (everything or takeout.is_new):
            await takeout.finish()

    @contextmanager
    def _loading(self, messages: int) -> Iterator[Loading]:
        """Load batches; what they came to is known when all are loaded."""
        with loading(self.archive, messages, few=BATCH) as loads:
            yield loads
        self.report.counts = loads.counts

    def _takeout(self, ask: Ask, messages: int) -> Takeout | None:
        """The session to read in, if any: news are too few to begin one that nobody asked for."""
        wanted, account = self.options.takeout, self.options.account
        with self.archive.database.snapshot() as connection:
            kept = accounts.takeout(connection, account)
        if wanted is None:
            begun = kept is not None or messages > BATCH
            wanted = self.archive.settings.telegram_takeout and begun
        if not wanted:
            return None

        def keep(takeout_id: int | None) -> None:
            with self.archive.database.transaction() as connection:
                accounts.keep_takeout(connection, account, takeout_id)

        return Takeout(ask, kept, keep)


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """A page is thousands of objects that vanish by themselves when it is written.

    To look for cycles among them, as Python does after each 700, took a sixth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
