"""Windows: one chat and one period, the unit in which files are published.

What a window holds is told by `chat_days` alone: its days' rows and digests are the data version,
which changes exactly when an exported value does. Reading it takes under a millisecond where
reading the messages takes seconds.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.store.tables import chat_days

Grain = Literal["month", "day"]
_DIGITS = 16
Day = tuple[date, int, int]
"""Day, rows and digest, as `chat_days` has them."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A chat and a period, named by its first day. Times are UTC."""

    chat: ChatKey
    period: date
    grain: Grain

    def __post_init__(self) -> None:
        if first_day(self.period, self.grain) != self.period:
            raise ValueError(f"{self.period} is not the first day of a {self.grain}")

    @property
    def next_period(self) -> date:
        """The first day after this window."""
        return first_day(
            self.period + timedelta(days=31 if self.grain == "month" else 1), self.grain
        )

    @property
    def start(self) -> datetime:
        """First moment of the window."""
        return datetime.combine(self.period, time(), UTC)

    @property
    def end(self) -> datetime:
        """First moment after the window."""
        return datetime.combine(self.next_period, time(), UTC)

    def __str__(self) -> str:
        """As in folders: chat and period."""
        return f"chat={self.chat}/period={self.period}"


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows a window should hold, and its data version."""

    rows: int
    version: str


def first_day(day: date, grain: Grain) -> date:
    """The first day of the period that a day belongs to."""
    return day.replace(day=1) if grain == "month" else day


def windows(
    connection: Connection, grain: Grain, chats: Iterable[ChatKey] | None = None
) -> list[Window]:
    """Windows in which the tables hold rows, by chat and period.

    Args:
        connection: to our database.
        grain: length of the windows.
        chats: only these; all where None.
    """
    days = chat_days.c
    period = sa.cast(sa.func.date_trunc(grain, days.day), sa.Date).label("period")
    query = sa.select(days.entity_id, days.account_id, period).where(days.rows > 0).distinct()
    if chats is not None:
        query = query.where(_any_of(chats))
    rows = connection.execute(query)
    return sorted(Window(ChatKey(entity, account), day, grain) for entity, account, day in rows)


def contents(connection: Connection, wanted: Sequence[Window]) -> dict[Window, Content]:
    """Rows and data version of many windows, with one query."""
    return {window: content(days) for window, days in _days(connection, wanted).items()}


def days_in(connection: Connection, wanted: Sequence[Window]) -> dict[Window, dict[date, int]]:
    """Messages of each day of many windows, with one query; days without any are left out."""
    return {
        window: {day: rows for day, rows, _ in sorted(days) if rows}
        for window, days in _days(connection, wanted).items()
    }


def content(days: Iterable[Day]) -> Content:
    """Rows and data version of the given days, whatever their order."""
    held = sorted(day for day in days if day[1])
    total = sum(rows for _, rows, _ in held)
    text = "\n".join(f"{day} {rows} {digest}" for day, rows, digest in held)
    return Content(total, f"{total}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}")


def days_of_window(window: Window) -> sa.Select[tuple[date, int, int]]:
    """The query for the days of one window."""
    days = chat_days.c
    return sa.select(days.day, days.rows, days.digest).where(
        _any_of([window.chat]), days.day >= window.period, days.day < window.next_period
    )


def _days(connection: Connection, wanted: Sequence[Window]) -> dict[Window, list[Day]]:
    found: dict[Window, list[Day]] = {window: [] for window in wanted}
    if found:
        grains = sorted({window.grain for window in found})
        for entity, account, *facts in connection.execute(_days_of(list(found))):
            for grain in grains:
                window = Window(ChatKey(entity, account), first_day(facts[0], grain), grain)
                if window in found:
                    found[window].append((facts[0], facts[1], facts[2]))
    return found


def _days_of(wanted: Sequence[Window]) -> sa.Select[tuple[int, int, date, int, int]]:
    days = chat_days.c
    return sa.select(days.entity_id, days.account_id, days.day, days.rows, days.digest).where(
        _any_of(window.chat for window in wanted),
        days.day >= min(window.period for window in wanted),
        days.day < max(window.next_period for window in wanted),
    )


def _any_of(chats: Iterable[ChatKey]) -> sa.ColumnElement[bool]:
    accounts: dict[int, set[int]] = defaultdict(set)
    for chat in chats:
        accounts[chat.account_id].add(chat.entity_id)
    days = chat_days.c
    return sa.or_(
        sa.false(),
        *(
            sa.and_(days.account_id == account, days.entity_id.in_(sorted(entities)))
            for account, entities in accounts.items()
        ),
    )
