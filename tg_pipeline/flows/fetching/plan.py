"""What a run has to do: one question for all chats, and for each what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatInaccessible
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.fetching.moved import follow_moved
from tg_pipeline.flows.fetching.work import ChatReport, Work, newest_days, news_of, peer_of
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram.chat_ref import FORBIDDEN, ref_of
from tg_pipeline.sources.telegram.history import Ask, newest_before
from tg_pipeline.sources.telegram.news import News, news
from tg_pipeline.store import fetched, followed, reading


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
        planned = Planned()
        wanted, told = await self._ask(chats)
        moved = follow_moved(self.archive, wanted, told)
        for chat in wanted:
            await self._add(planned, chat, told)
        if moved:
            wanted, told = await self._ask(moved)
            for chat in wanted:
                await self._add(planned, chat, told)
        return planned

    async def _ask(self, chats: Sequence[ChatKey] | None) -> tuple[list[reading.Readable], News]:
        with self.archive.database.transaction() as connection:
            wanted = reading.readable(connection, self.account, chats)
        told = await news(self.ask, {chat.key.entity_id: peer_of(chat) for chat in wanted})
        self._note(wanted, told)
        return wanted, told

    async def _add(self, planned: Planned, chat: reading.Readable, told: News) -> None:
        """Take on a chat, if there is something to do or to tell."""
        planned.asked += 1
        report = ChatReport(chat.key, chat.followed.title)
        if (error := told.shut.get(chat.key.entity_id)) is not None:
            shut_out(self.archive, report, error)
            planned.reports.append(report)
            return
        work = await self._work(chat, told, report)
        if work.stretches:
            planned.works.append(work)
            planned.reports.append(report)

    def _note(self, wanted: Sequence[reading.Readable], told: News) -> None:
        """Keep what Telegram told beside the news: newest ids, who can be read again, names."""
        tops = [(chat.key, told.tops.get(chat.key.entity_id)) for chat in wanted]
        seen = [
            self._snapshot(chat.key, entity)
            for chat in wanted
            if (entity := told.entities.get(chat.key.entity_id)) is not None
            and not isinstance(entity, FORBIDDEN)
        ]
        with self.archive.database.transaction() as connection:
            reading.note_tops(connection, ((key, top.id) for key, top in tops if top is not None))
            followed.seen(connection, seen)
            for chat in wanted:
                if chat.followed.inaccessible and chat.key.entity_id in told.tops:
                    followed.inaccessible(connection, chat.key, None)

    def _snapshot(self, key: ChatKey, entity: Any) -> followed.Snapshot:
        ref = ref_of(entity, self.account, self.account_id)
        members = getattr(entity, "participants_count", None)
        return followed.Snapshot(key, ref.title, ref.username, members)

    async def _work(self, chat: reading.Readable, told: News, report: ChatReport) -> Work:
        """What is missing of a chat."""
        key = chat.key
        work = Work(chat, self.account_id, told.tops.get(key.entity_id), report)
        with self.archive.database.transaction() as connection:
            ranges = fetched.of_chat(connection, key.entity_id, key.account_id)
            past = fetched.of_chat(connection, key.entity_id, self.account_id)
            if not ranges:  # cut, it goes on with what is missing, and reads no day twice
                reading.note_reread(connection, key)
        upto = await self._newest(work)
        if upto is not None:
            news_of(work, ranges, upto, self.days.start)
        if self.days == Days(None, None):
            newest_days(work, ranges, self.archive.settings.telegram_reread_days)
        if chat.followed.migrated_from is not None:
            work.remember(past)
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
    with archive.database.transaction() as connection:
        followed.inaccessible(connection, report.chat, error.reason)
    report.error = error
