"""Whatever is there, however often a fetch is cut: each message comes once, and none is missed."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from telethon.errors import TypeNotFoundError
from telethon.tl import types

from tg_pipeline.contracts import ChatKey, ChatType, IdRange
from tg_pipeline.flows.fetching.work import ChatReport, Work, newest_days, news_of
from tg_pipeline.sources.telegram import history
from tg_pipeline.sources.telegram.history import Page, pages
from tg_pipeline.sources.telegram.news import Top
from tg_pipeline.sources.telegram.unreadable import newest
from tg_pipeline.store import fetched
from tg_pipeline.store.database import Database
from tg_pipeline.store.followed import Followed
from tg_pipeline.store.reading import Readable
from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.paging import asked, page

KEY = ChatKey(-1_001_700_000_001)
PEER = types.InputPeerChannel(1_700_000_001, 1)
NOW = datetime.now(UTC)
NEWEST = 60
PAGE = 5
ids = st.sets(st.integers(1, NEWEST))
spans = st.lists(
    st.tuples(st.integers(1, NEWEST), st.integers(0, 15)).map(lambda one: (one[0], sum(one))),
    max_size=6,
)
quick = settings(max_examples=150, deadline=None)


@pytest.fixture(scope="module", autouse=True)
def _short_pages() -> Iterator[None]:
    """Pages of a few messages, so that a few messages make many pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "PAGE", PAGE)
        yield


def ranges_of(numbers: set[int]) -> list[IdRange]:
    """A set of ids as ranges that neither overlap nor touch."""
    found: list[IdRange] = []
    for number in sorted(numbers):
        if found and found[-1].high == number - 1:
            found[-1] = IdRange(account_id=0, low=found[-1].low, high=number)
        else:
            found.append(IdRange(account_id=0, low=number, high=number))
    return found


def numbers_of(intervals: Sequence[tuple[int, int]]) -> set[int]:
    return {number for low, high in intervals for number in range(low, high + 1)}


# ---- what is missing


@quick
@given(known=ids, low=st.integers(1, NEWEST), high=st.integers(0, NEWEST))
def test_gaps_are_what_is_not_fetched_newest_first(known: set[int], low: int, high: int) -> None:
    found = fetched.gaps(ranges_of(known), low, high)
    assert numbers_of(found) == set(range(low, high + 1)) - known
    assert found == sorted(found, reverse=True)
    assert all(older[1] + 1 < newer[0] for newer, older in pairwise(found))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(spans, max_size=5))
@example(batches=[[(1, 3), (4, 9)], [(2, 20)]])
def test_ranges_in_the_table_are_a_set_of_ids(
    batches: list[list[tuple[int, int]]], database: Database
) -> None:
    """In whatever order they come, and however they overlap; another account's stay apart."""
    with database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM fetched_ranges")
        other = IdRange(account_id=7, low=1, high=5)
        fetched.add(connection, KEY.entity_id, [other])
        held: set[int] = set()
        for batch in batches:
            told = [IdRange(account_id=0, low=low, high=high) for low, high in batch]
            fetched.add(connection, KEY.entity_id, told)
            held |= numbers_of(batch)
            assert fetched.of_chat(connection, KEY.entity_id, 0) == ranges_of(held)
        assert fetched.of_chat(connection, KEY.entity_id, 7) == [other]


# ---- fetching it


@dataclass
class Chat:
    """A chat at Telegram: its messages, a day apart, of which some cannot be read."""

    numbers: set[int]
    unreadable: frozenset[int] = frozenset()
    short: Iterator[int] = field(default_factory=lambda: iter(()))
    """How many messages less than asked for the next answers have."""

    def date(self, number: int) -> datetime:
        return NOW - timedelta(days=NEWEST - number, hours=1)

    @property
    def top(self) -> Top | None:
        return Top(max(self.numbers), self.date(max(self.numbers))) if self.numbers else None

    async def ask(self, request: Any, *, chat: str = "") -> Any:
        """What messages.getHistory answers; cut short where there is no telling why."""
        box = Box(Record(one, 0, b"", 0, 0, ()) for one in self.numbers)
        found = [one.id for one in page(box, asked(request))]
        if self.unreadable & set(found):
            raise TypeNotFoundError(0xDEADBEEF, b"bytes")
        found = found[: max(1, len(found) - next(self.short, 0))]
        messages = [SimpleNamespace(id=one, date=self.date(one)) for one in found]
        return SimpleNamespace(messages=messages, users=[], chats=[], count=len(box))


def work_of(chat: Chat, known: set[int], *, days: int = 0) -> Work:
    """What a run would plan for it."""
    followed = Followed(KEY, "main", ChatType.CHANNEL)
    work = Work(Readable(followed, 1, None), 1, chat.top, ChatReport(KEY, None))
    if chat.top is not None:
        news_of(work, ranges_of(known), chat.top.id)
    newest_days(work, ranges_of(known), days)
    return work


@dataclass
class Run:
    """What came, over any number of runs."""

    known: set[int]
    messages: Counter[int] = field(default_factory=Counter)
    unknown: list[range] = field(default_factory=list)

    async def read(self, chat: Chat, work: Work, most: int) -> None:
        """Read at most so many pages, and note them as a landed batch would be."""
        done = 0
        while work.stretches and done < most:
            stretch = work.stretches[0]
            async for one in pages(chat.ask, PEER, stretch.gap):
                over = stretch.is_over(one)
                self._keep(one)
                stretch.after(one)
                done += 1
                if over or done == most:
                    break
            if over:
                work.stretches.popleft()

    seen_again: set[int] = field(default_factory=set)

    def _keep(self, one: Page) -> None:
        self.seen_again |= set(range(one.covers.low, one.covers.high + 1))
        self.messages.update(message.id for message in one.messages)
        self.unknown += [range(gap.after + 1, gap.before) for gap in one.unknown]
        self.known |= set(range(one.covers.low, one.covers.high + 1))


@quick
@given(
    numbers=ids,
    known=ids,
    unreadable=ids,
    cuts=st.lists(st.integers(1, 4), max_size=8),
    short=st.lists(st.integers(0, PAGE), max_size=12),
)
@example(numbers={1, 3, 4, 9}, known={9, 4}, unreadable={1, 4}, cuts=[1, 1], short=[])
def test_what_is_missing_comes_once_however_often_a_run_is_cut(
    numbers: set[int], known: set[int], unreadable: set[int], cuts: list[int], short: list[int]
) -> None:
    chat = Chat(numbers, frozenset(unreadable & numbers), iter(short))
    run, wanted = Run(set(known)), numbers - known

    async def all_runs() -> None:
        for most in [*cuts, 10_000]:
            await run.read(chat, work_of(chat, run.known), most)

    asyncio.run(all_runs())
    if not numbers:
        assert not run.messages
        return
    assert run.messages == Counter(wanted - unreadable)
    assert len(run.unknown) == len(wanted & unreadable), "each is set aside once"
    for number in wanted & unreadable:
        assert any(number in one for one in run.unknown)
    assert not work_of(chat, run.known).stretches, "nothing is left"


@quick
@given(
    numbers=ids.filter(bool),
    known=spans.map(numbers_of).filter(bool),
    days=st.integers(1, NEWEST),
    short=st.lists(st.integers(0, PAGE), max_size=12),
)
@example(numbers={1, 2}, known={1, 2, 3}, days=NEWEST, short=[])
def test_newest_days_are_read_again_and_with_them_all_that_is_missing(
    numbers: set[int], known: set[int], days: int, short: list[int]
) -> None:
    """Also where the newest messages are there no more: that has to be seen."""
    chat, run = Chat(numbers, short=iter(short)), Run(set(known))
    top = max(numbers)
    work = work_of(chat, known, days=days)
    bound = NOW - timedelta(days=days)
    asyncio.run(run.read(chat, work, 10_000))
    assert not work.stretches
    newer = {number for number in numbers if chat.date(number) >= bound}
    assert newer | (numbers - known) <= run.messages.keys()
    assert max(run.messages.values(), default=1) <= 2
    if work.rereads:
        assert run.seen_again >= set(range(min(newer, default=top), max(known) + 1))


@quick
@given(numbers=ids.filter(bool), unread=st.integers(1, 6))
def test_the_newest_id_is_found_where_the_newest_messages_cannot_be_read(
    numbers: set[int], unread: int
) -> None:
    chat = Chat(numbers, frozenset(sorted(numbers)[-unread:]))
    assert asyncio.run(newest(chat.ask, PEER)) == max(numbers)
