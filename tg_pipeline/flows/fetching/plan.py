"""What a run has to do: one question for all chats, and for each what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatInaccessible
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.fetching.work import ChatReport, Work, newest_days, news_of
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram.history import Ask, newest_before
from tg_pipeline.sources.telegram.news import News, news
from tg_pipeline.sources.telegram.peers import input_peer
from tg_pipeline.store import reading


@dataclass(frozen=True, slots=True)
class Days:
    """Days to fetch, UTC, both included; None: without that bound."""

    since: date | None
    until: date | None

    @property
    def start(self) -> datetime | None:
        """The first moment that is wanted."""
        return None if self.since is None else datetime.combine(self.since, time(0), UTC)

    @property
    def end(self) -> datetime | None:
        """The first moment that is not wanted any more."""
        if self.until is None:
            return None
        return datetime.combine(self.until, time(0), UTC) + timedelta(days=1)


@dataclass(slots=True)
class Planned:
    """The chats with something to fetch, and reports of these and of those that are shut."""

    asked: int = 0
    works: list[Work] = field(default_factory=list)
    reports: list[ChatReport] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many messages it may be, at most."""
        gaps = (stretch.gap for work in self.works for stretch in work.stretches)
        return sum(gap.high - gap.low + 1 for gap in gaps)


@dataclass(frozen=True, slots=True)
class Planning:
    """Finds out what an account has to do.

    Attributes:
        archive: what is there already.
        ask: sends requests.
        account: name of the account.
        account_id: its Telegram user id.
        days: which are wanted.
    """

    archive: Archive
    ask: Ask
    account: str
    account_id: int
    days: Days

    async def plan(self, chats: Sequence[ChatKey] | None) -> Planned:
        """Ask once which chats have news, and find what is missing of each."""
        database = self.archive.database
        followed = reading.followed(database, self.account, chats)
        peers = [input_peer(chat.key.entity_id, chat.access_hash) for chat in followed]
        told = await news(self.ask, peers)
        tops = [(chat.key, told.tops.get(chat.key.entity_id)) for chat in followed]
        reading.note_tops(database, ((key, top.id) for key, top in tops if top is not None))
        planned = Planned(asked=len(followed))
        for chat in followed:
            report = ChatReport(chat.key, chat.title)
            if (error := told.shut.get(chat.key.entity_id)) is not None:
                shut_out(self.archive, report, error)
                planned.reports.append(report)
                continue
            work = await self._work(chat, told, report)
            if work.stretches:
                planned.works.append(work)
                planned.reports.append(report)
        return planned

    async def _work(self, chat: reading.Followed, told: News, report: ChatReport) -> Work:
        """What is missing of a chat."""
        database, key = self.archive.database, chat.key
        work = Work(chat, self.account_id, told.tops.get(key.entity_id), report)
        ranges = reading.fetched_ranges(database, key, key.account_id)
        upto = await self._newest(work)
        if upto is not None:
            news_of(work, ranges, upto, self.days.start)
        if self.days == Days(None, None):
            newest_days(work, ranges, self.archive.settings.telegram_reread_days)
        if chat.migrated_from is not None:
            work.remember(reading.fetched_ranges(database, key, self.account_id))
        if chat.shut_out:
            reading.shut_out(database, key, None)
        return work

    async def _newest(self, work: Work) -> int | None:
        """The newest id that is wanted; None where there is none."""
        if work.top is None:
            return None
        end = self.days.end
        if end is None or (work.top.date is not None and work.top.date < end):
            return work.top.id
        return await newest_before(self.ask, work.chat_peer, end, chat=work.name)


def shut_out(archive: Archive, report: ChatReport, error: ChatInaccessible) -> None:
    """Note that a chat cannot be read."""
    get_logger().warning("chat.inaccessible", chat=str(report.chat), reason=error.reason)
    reading.shut_out(archive.database, report.chat, error.reason)
    report.error = error
