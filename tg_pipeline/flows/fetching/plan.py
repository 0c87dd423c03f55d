"""What a run has to do: one question for all chats, and for each what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey, ChatType, IdRange
from tg_pipeline.errors import ChatInaccessible, TelegramRefused
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.fetching.moved import follow_moved
from tg_pipeline.flows.fetching.work import ChatReport, Work, newest_days, news_of, peer_of
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram.chat_ref import ref_of
from tg_pipeline.sources.telegram.convert import MIGRATION_SHIFT
from tg_pipeline.sources.telegram.history import Ask, newest_before
from tg_pipeline.sources.telegram.news import News, news
from tg_pipeline.store import dates, fetched, followed, reading


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
        return sum(work.most for work in self.works)


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
        both = moved.keys() | moved.values()
        for chat in wanted:
            if chat.key not in both:
                await self._add(planned, chat, told)
        if moved:
            wanted, told = await self._ask(list(moved.values()))
            for chat in wanted:
                await self._add(planned, chat, told)
        return planned

    async def _ask(self, chats: Sequence[ChatKey] | None) -> tuple[list[reading.Readable], News]:
        with self.archive.database.transaction() as connection:
            wanted = reading.readable(connection, self.account, chats)
        told = await news(self.ask, {chat.key.entity_id: peer_of(chat) for chat in wanted})
        return self._noted(wanted, told), told

    async def _add(self, planned: Planned, chat: reading.Readable, told: News) -> None:
        """Take on a chat, if there is something to do or to tell."""
        planned.asked += 1
        report = ChatReport(chat.key, chat.followed.title)
        error = told.failed.get(chat.key.entity_id)
        if error is None or chat.key.entity_id in told.tops:  # a group shows what it showed before
            try:
                work = await self._work(chat, told, report)
            except (ChatInaccessible, TelegramRefused) as refusal:
                error = refusal
            else:
                if work.stretches:
                    planned.works.append(work)
                    planned.reports.append(report)
                    return
        if error is None:
            can_be_read(self.archive, chat)
        else:
            leave(self.archive, report, error)
            planned.reports.append(report)

    def _noted(self, wanted: Sequence[reading.Readable], told: News) -> list[reading.Readable]:
        """Keep what Telegram told beside the news: newest ids, names; the chats as named now."""
        tops = [(chat.key, told.tops.get(chat.key.entity_id)) for chat in wanted]
        shown = [(chat, self._shown(chat, told)) for chat in wanted]
        with self.archive.database.transaction() as connection:
            reading.note_tops(connection, ((key, top.id) for key, top in tops if top is not None))
            followed.seen(connection, (one for _, one in shown if one is not None))
            named = [chat if one is None else chat.named(one) for chat, one in shown]
            for before, after in zip(wanted, named, strict=True):
                if before != after:
                    followed.rename(connection, after.followed)
        return named

    def _shown(self, chat: reading.Readable, told: News) -> followed.Snapshot | None:
        """How a chat shows itself; None if it does not, or not to us any more."""
        entity = told.entities.get(chat.key.entity_id)
        if entity is None:
            return None
        try:
            ref = ref_of(entity, self.account, self.account_id)
        except ChatInaccessible as error:
            told.failed[chat.key.entity_id] = error
            return None
        members = getattr(entity, "participants_count", None)
        return followed.Snapshot(chat.key, ref.title, ref.username, members)

    async def _work(self, chat: reading.Readable, told: News, report: ChatReport) -> Work:
        """What is missing of a chat."""
        key = chat.key
        top = told.tops.get(key.entity_id)
        work = Work(chat, self.account_id, top, report, self.days.start)
        with self.archive.database.transaction() as connection:
            ranges = fetched.of_chat(connection, key.entity_id, key.account_id)
            past = fetched.of_chat(connection, key.entity_id, self.account_id)
            if not ranges:  # cut, it goes on with what is missing, and reads no day twice
                reading.note_reread(connection, key)
            group = self._past(connection, chat)
        upto = await self._newest(work, ranges)
        if upto is not None:
            news_of(work, ranges, upto)
        if self.days == Days(None, None):
            newest_days(work, ranges, self.archive.settings.telegram_reread_days)
        if group is not None:
            work.take_on(group, past)
        self._leave_out_what_is_older(work)
        return work

    def _leave_out_what_is_older(self, work: Work) -> None:
        """Ask for no gap below a message that is older than what is wanted."""
        if work.since is None:
            return
        accounts = {work.chat.key.account_id, self.account_id}
        with self.archive.database.snapshot() as connection:
            for stretch in list(work.stretches):
                upto = stretch.gap.high + (MIGRATION_SHIFT if stretch.before_migration else 0)
                above = dates.date_above(connection, work.chat.key.entity_id, accounts, upto)
                if above is not None and above < work.since:
                    work.stretches.remove(stretch)

    def _past(self, connection: Connection, chat: reading.Readable) -> int | None:
        """The basic group that a chat was, even if it has been followed anew since.

        None as well if it has shown itself to be shut within a day.
        """
        if not chat.may_read_past:
            return None
        if chat.followed.past_shut_since is not None:  # it is tried again
            reading.past_is_shut(connection, chat.key, None)
        group = chat.followed.migrated_from
        if group is None and chat.followed.type is ChatType.SUPERGROUP:
            group = reading.told_group(connection, chat.key)
            if group is not None:
                reading.was_group(connection, chat.key, group)
        return group

    async def _newest(self, work: Work, ranges: Sequence[IdRange]) -> int | None:
        """The newest id that is wanted; None where there is none."""
        if work.top is None:
            return None
        end = self.days.end
        if end is None or (work.top.date is not None and work.top.date < end):
            return work.top.id
        with self.archive.database.snapshot() as connection:
            before = dates.newest_before(connection, work.chat.key, end, ranges)
        if before is not None:
            return before
        return await newest_before(self.ask, work.chat_peer, end, chat=work.name)


def can_be_read(archive: Archive, chat: reading.Readable) -> None:
    """Note that all which was asked for of a chat has come, in case it once could not be read."""
    if chat.followed.inaccessible is not None:
        with archive.database.transaction() as connection:
            followed.inaccessible(connection, chat.key, None)


def leave(archive: Archive, report: ChatReport, error: ChatInaccessible | TelegramRefused) -> None:
    """Go on without a chat. One that is shut is left alone for a day; a refusal may be passing."""
    get_logger().warning(error.code, chat=str(report.chat), reason=error.reason)
    if isinstance(error, ChatInaccessible):
        with archive.database.transaction() as connection:
            followed.inaccessible(connection, report.chat, error.reason)
    report.error = error
