"""What there is to fetch of one chat: stretches of ids that no loaded batch answers for."""

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tg_pipeline.contracts import Chat, ChatKey, ChatType, IdRange, Source
from tg_pipeline.errors import ChatInaccessible, TelegramRefused
from tg_pipeline.sources.telegram.convert import MIGRATION_SHIFT, Context
from tg_pipeline.sources.telegram.history import Gap, Page
from tg_pipeline.sources.telegram.news import Top
from tg_pipeline.sources.telegram.peers import input_peer
from tg_pipeline.sources.telegram.records import Converted
from tg_pipeline.store.fetched import gaps
from tg_pipeline.store.reading import REREAD_EVERY, Readable

_NEWEST_PAST: Final = -1 - MIGRATION_SHIFT
"""No id of a basic group is greater."""


@dataclass(slots=True)
class ChatReport:
    """What a run has brought of one chat.

    Attributes:
        chat: its key.
        title: its name.
        messages: how many came, known ones too.
        rejected: how many of them went to quarantine.
        pages: how many answers they came in.
        finished: whether nothing that was asked for is missing now.
        error: why it cannot be read.
    """

    chat: ChatKey
    title: str | None
    messages: int = 0
    rejected: int = 0
    pages: int = 0
    finished: bool = False
    error: ChatInaccessible | TelegramRefused | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "chat": str(self.chat),
            "title": self.title,
            "messages": self.messages,
            "quarantined": self.rejected,
            "pages": self.pages,
            "finished": self.finished,
            "error": self.error and self.error.message,
            "code": self.error and self.error.code,
        }


@dataclass(slots=True)
class Stretch:
    """Ids to fetch, newest first.

    Attributes:
        gap: which, as the chat that is asked numbers them.
        since: what was sent before is not wanted; None: all is.
        floor: an id that must be reached even so.
        before_migration: they are asked of the basic group that the chat was.
    """

    gap: Gap
    since: datetime | None = None
    floor: int | None = None
    before_migration: bool = False

    def is_over(self, page: Page) -> bool:
        """Whether nothing is wanted that is older than this page."""
        if page.ends:
            return True
        reached = self.floor is None or page.covers.low <= self.floor
        return (
            reached
            and self.since is not None
            and page.oldest is not None
            and page.oldest < self.since
        )

    def after(self, page: Page) -> None:
        """What is left once this page is there."""
        self.gap = Gap(self.gap.low, page.covers.low - 1)

    @property
    def size(self) -> int:
        """How many ids there are."""
        return self.gap.high - self.gap.low + 1

    @property
    def is_unmeasured(self) -> bool:
        """Whether nobody knows its newest id, as before the first page of a past."""
        return self.before_migration and self.gap.high == _NEWEST_PAST


@dataclass(slots=True)
class Work:
    """A chat on its way; `stretches` is empty when all is done.

    Attributes:
        since: what was sent before is not wanted, UTC; None: all is.
    """

    chat: Readable
    account_id: int
    top: Top | None
    report: ChatReport
    since: datetime | None = None
    stretches: deque[Stretch] = field(default_factory=deque)
    total: int | None = None
    rereads: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return self.chat.followed.title or str(self.chat.key)

    @property
    def left(self) -> int:
        """How many ids nobody has asked for yet, as far as is known."""
        return sum(one.size for one in self.stretches if not one.is_unmeasured)

    @property
    def most(self) -> int:
        """How many messages may come, at most."""
        return sum(one.size for one in self.stretches)

    def answered(self, stretch: Stretch, page: Page) -> None:
        """Go on after a page. What is read again need not be read as a hole as well."""
        stretch.after(page)
        if stretch.floor is None:
            return
        for other in list(self.stretches):
            if other is not stretch and not other.before_migration:
                other.gap = Gap(other.gap.low, min(other.gap.high, page.covers.low - 1))
                if not other.size > 0:
                    self.stretches.remove(other)

    def count(self, page: Page, made: Converted) -> None:
        """Note what a page has brought."""
        self.report.pages += 1
        self.report.messages += len(page.messages) + len(page.unknown)
        self.report.rejected += made.rejected

    def peer(self, stretch: Stretch) -> Any:
        """Whom to ask for a stretch."""
        past = self.chat.followed.migrated_from
        if stretch.before_migration and past is not None:
            return input_peer(past, ChatType.GROUP, None)
        return self.chat_peer

    @property
    def chat_peer(self) -> Any:
        """The chat itself, as an InputPeer."""
        return peer_of(self.chat)

    def context(self, stretch: Stretch, observed_at: datetime) -> Context:
        """How its messages are to be understood."""
        return Context(
            entity_id=self.chat.key.entity_id,
            account_id=self.account_id,
            observed_at=observed_at,
            before_migration=stretch.before_migration,
        )

    def seen(self, observed_at: datetime) -> Chat:
        """The chat, as a record."""
        return Chat(
            source=Source.TELEGRAM,
            entity_id=self.chat.key.entity_id,
            account_id=self.chat.key.account_id,
            type=self.chat.followed.type,
            is_public=self.chat.followed.username is not None or None,
            title=self.chat.followed.title,
            observed_at=observed_at,
        )

    def take_on(self, group: int, past: list[IdRange]) -> None:
        """Take on what is missing of the basic group, a marked peer id, that the chat was."""
        self.chat = replace(self.chat, followed=replace(self.chat.followed, migrated_from=group))
        low, high = 1 + MIGRATION_SHIFT, -1
        self.stretches.extend(
            Stretch(
                Gap(first - MIGRATION_SHIFT, last - MIGRATION_SHIFT),
                self.since,
                before_migration=True,
            )
            for first, last in gaps(past, low, high)
        )


def peer_of(chat: Readable) -> Any:
    """A chat as an InputPeer."""
    return input_peer(chat.key.entity_id, chat.followed.type, chat.access_hash)


def news_of(work: Work, ranges: list[IdRange], upto: int) -> None:
    """Take on what is missing up to an id."""
    work.stretches.extend(Stretch(Gap(*gap), work.since) for gap in gaps(ranges, 1, upto))


def newest_days(work: Work, ranges: list[IdRange], days: int) -> None:
    """Take on the newest days again, once a day, and with them the news there are."""
    known = ranges[-1].high if ranges else 0
    bound = datetime.now(UTC) - timedelta(days=days)
    if not (known and days) or work.top is None or not _is_due(work.chat.reread_at):
        return
    if work.top.date is not None and work.top.date < bound and work.top.id == known:
        return
    work.rereads = True
    newest = max(known, work.top.id)  # what was the newest once may have been deleted
    again = Stretch(Gap(1, newest), bound, floor=known + 1)
    older = [stretch for stretch in work.stretches if stretch.gap.high <= known]
    work.stretches = deque([again, *older])


def _is_due(reread_at: datetime | None) -> bool:
    return reread_at is None or datetime.now(UTC) - reread_at > REREAD_EVERY
