"""A chat's history, page after page, newest first, within a gap of ids that are not fetched yet.

The next page is asked for as soon as the one before has come, so that the network works while the
page is converted. A page ends a gap only if it shows that nothing older is in it: a short page does
not, for Telegram may leave out what it likes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Protocol

from telethon.errors import TypeNotFoundError
from telethon.tl import types
from telethon.tl.functions.messages import GetHistoryRequest

from tg_pipeline.errors import TelegramRefused

HISTORY: Final = "messages.getHistory"
"""What Telegram calls it."""
PAGE: Final = 100
"""Messages in an answer; Telegram gives no more."""
_OLDEST: Final = 1
_MOST_PASSED_OVER: Final = 10_000
_TURNS_TO_SEND: Final = 8
"""A request passes through tasks of ours and Telethon's until it is sent, which takes four turns of
the loop; while it is answered, there is time for the page before."""
_FAR: Final = 0.02
"""Seconds. An answer that takes as long leaves time to spare."""
_BREATH: Final = 0.001
"""Seconds of it in which nothing is done: on a machine with few cores a request that has only just
been sent is otherwise held up by the work on the page before, which cost 1 ms of each 47."""


class Ask(Protocol):
    """Sends a request, with what patience it has."""

    def __call__(self, request: Any, *, chat: str = "") -> Awaitable[Any]:
        """The answer."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """Message ids from `low` to `high`, both included, as the chat that is asked numbers them."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message whose bytes this version of Telethon cannot read, between two ids, both excluded.

    Attributes:
        after: greatest id that is known to be older.
        before: least id that is known to be newer.
        constructor: what could not be read.
        data: the bytes from there on.
    """

    after: int
    before: int
    constructor: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, cut to the gap.

    Attributes:
        messages: as TL objects, newest first.
        users: whom they mention.
        chats: which chats they mention.
        covers: the ids that this page answers for.
        shows: those of them that are not older than the oldest message of the answer. What is
            older may exist: history may be hidden from new members, or cleared. None: it is empty.
        unknown: messages in it that could not be read.
        total: how many messages Telegram says the chat has; None if it does not.
        ends: whether nothing of the gap is left.
        asked_at: when it was asked for, UTC.
    """

    messages: list[Any]
    users: list[Any]
    chats: list[Any]
    covers: Gap
    shows: Gap | None
    unknown: tuple[Unknown, ...]
    total: int | None
    ends: bool
    asked_at: datetime

    @property
    def oldest(self) -> datetime | None:
        """Date of its oldest message, UTC."""
        return min((one.date for one in self.messages), default=None)


async def pages(
    ask: Ask,
    peer: Any,
    gap: Gap,
    *,
    chat: str = "",
    go_on: Callable[[Page], bool] = lambda _page: True,
) -> AsyncIterator[Page]:
    """The pages of a gap, newest first.

    Args:
        ask: sends requests.
        peer: whose history, as an InputPeer.
        gap: which ids.
        chat: its name, for errors.
        go_on: asked with each page, before the next one is sent for.

    Raises:
        TelegramRefused: too many messages in a row cannot be read.
        what `ask` raises, when the page before has been taken.
    """
    reader = _Reader(ask, peer, chat)
    coming: asyncio.Task[Page] | None = asyncio.create_task(reader.read(gap))
    try:
        while coming is not None:
            began = time.monotonic()
            page = await coming
            waited = time.monotonic() - began
            coming = None
            if not page.ends and go_on(page):
                rest = Gap(gap.low, page.covers.low - 1)
                coming = asyncio.create_task(reader.read(rest))
                await _sent(waited)
            yield page
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming


async def _sent(waited: float) -> None:
    """Let a request be sent before the page at hand is worked on.

    Args:
        waited: seconds that the answer before was waited for.
    """
    for _ in range(_TURNS_TO_SEND):
        await asyncio.sleep(0)
    if waited > _FAR:
        await asyncio.sleep(_BREATH)


def history_request(
    peer: Any,
    *,
    before: int = 0,
    moment: datetime | None = None,
    skip: int = 0,
    limit: int = PAGE,
    above: int = 0,
) -> GetHistoryRequest:
    """A request for messages, newest first.

    Args:
        peer: whose history, as an InputPeer.
        before: only ids below this one; 0: all.
        moment: only what was sent before, UTC; None: all.
        skip: so many of them are passed over.
        limit: so many are wanted.
        above: only ids above this one.
    """
    return GetHistoryRequest(
        peer=peer,
        offset_id=before,
        offset_date=moment,
        add_offset=skip,
        limit=limit,
        max_id=0,
        min_id=above,
        hash=0,
    )


def must_end(passed_over: int) -> None:
    """Go on for ever after no kind of error: what is in every answer is no message.

    Args:
        passed_over: messages that could not be read, one after another.

    Raises:
        TelegramRefused: they are too many.
    """
    if passed_over > _MOST_PASSED_OVER:
        what = f"{_MOST_PASSED_OVER:,} messages in a row are not known to this version"
        raise TelegramRefused(HISTORY, what)


@dataclass(slots=True)
class _Reader:
    """Reads one page at a time, around messages that cannot be read."""

    ask: Ask
    peer: Any
    chat: str

    async def read(self, gap: Gap) -> Page:
        answer, limit, above = None, PAGE, 0
        asked_at = datetime.now(UTC)
        skipped: list[tuple[int, bytes]] = []
        while answer is None:
            try:
                answer = await self._ask(gap.high + 1, len(skipped), limit, above)
            except TypeNotFoundError as error:
                above = gap.low - 1  # what lies below is not ours to read, nor to stumble over
                if limit > 1:
                    limit //= 2
                else:  # it is the next one: pass over it
                    skipped.append((error.invalid_constructor_id, error.remaining))
                    must_end(len(skipped))
                    limit = PAGE
        return _page(answer, gap, skipped, asked_at)

    async def _ask(self, before: int, skip: int, limit: int, above: int) -> Any:
        request = history_request(self.peer, before=before, skip=skip, limit=limit, above=above)
        return await self.ask(request, chat=self.chat)


def _page(answer: Any, gap: Gap, skipped: list[tuple[int, bytes]], asked_at: datetime) -> Page:
    ids = [one.id for one in answer.messages]
    lowest = min(ids, default=_OLDEST - 1)
    ends = not ids or lowest <= max(gap.low, _OLDEST)
    newest = max(ids, default=gap.low - 1)
    covers = Gap(gap.low if ends else lowest, gap.high)
    return Page(
        messages=[
            one
            for one in answer.messages
            if gap.low <= one.id <= gap.high and not isinstance(one, types.MessageEmpty)
        ],
        users=answer.users,
        chats=answer.chats,
        covers=covers,
        shows=Gap(max(covers.low, lowest), covers.high) if ids else None,
        unknown=tuple(
            Unknown(newest, gap.high + 1, constructor, data) for constructor, data in skipped
        ),
        total=_total(answer),
        ends=ends,
        asked_at=asked_at,
    )


def _total(answer: Any) -> int | None:
    """How many messages the chat has; an answer that is no slice is all there is."""
    count = getattr(answer, "count", None)
    return len(answer.messages) if count is None else int(count)


async def newest_before(ask: Ask, peer: Any, moment: datetime, *, chat: str = "") -> int | None:
    """The id of the newest message sent before a moment, of those that can be read; None: none.

    Raises:
        TelegramRefused: too many messages in a row cannot be read.
        what `ask` raises.
    """
    for skip in count():
        must_end(skip)
        request = history_request(peer, moment=moment, skip=skip, limit=1)
        with suppress(TypeNotFoundError):
            answer = await ask(request, chat=chat)
            return max((one.id for one in answer.messages), default=None)
    raise AssertionError
