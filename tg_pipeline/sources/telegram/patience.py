"""When an account may ask: its pace, what it was told to wait for, its budget of a day.

When nothing works any more, the circuit is open: for a while, which grows, nobody asks.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Final, Protocol

from aiolimiter import AsyncLimiter

from tg_pipeline.errors import BudgetSpent, FloodWait, TelegramUnreachable
from tg_pipeline.logs import get_logger
from tg_pipeline.settings import Settings

_CIRCUIT: Final = "*"
"""Under this name the circuit is kept among the methods that wait."""
_CIRCUIT_SECONDS: Final = 15
_CIRCUIT_LONGEST: Final = 3_600


Waiting = Callable[[float, float], None]
"""Told each second of a wait in place how many have passed, and of how many."""


def patiently(_passed: float, _whole: float) -> None:
    """Wait without a word."""


class Limits(Protocol):
    """Waits and requests of one account, wherever they are kept. Times are UTC."""

    def until(self, method: str) -> datetime | None:
        """When a method may be called again; None: now."""
        ...

    def wait(self, method: str, seconds: int) -> datetime:
        """Note that a method may not be called for so long."""
        ...

    def seconds_before(self, method: str) -> int:
        """How long it was to wait last time; 0: it works."""
        ...

    def forget(self, method: str) -> None:
        """Note that it works again."""
        ...

    def spend(self, requests: int = 1) -> int:
        """Count requests; how many there were today."""
        ...


class Patience:
    """Lets one account ask, each time it may.

    Args:
        account: its name.
        limits: what it was told before.
        settings: pace, budget and how long to wait in place.
        waiting: told of waits in place.
    """

    def __init__(
        self, account: str, limits: Limits, settings: Settings, waiting: Waiting = patiently
    ) -> None:
        self._account = account
        self._limits = limits
        self._settings = settings
        self._waiting = waiting
        pace = settings.telegram_requests_per_second
        self._pace = AsyncLimiter(max(1.0, pace), max(1.0, pace) / pace)

    async def turn(self, method: str, requests: int = 1) -> None:
        """Wait until this method may be called, and count it as so many requests.

        Raises:
            FloodWait, TelegramUnreachable, BudgetSpent: that is too long to be waited for here.
        """
        while (until := self._limits.until(_CIRCUIT)) is not None:
            if self._is_too_long(until):
                raise TelegramUnreachable("it failed again and again", until)
            await self._wait(until)
        while (until := self._limits.until(method)) is not None:
            self.require(method)
            await self._wait(until)
        async with self._pace:
            self._spend(requests)

    def require(self, method: str) -> None:
        """Make sure that this method may be called now, or after a wait in place.

        Raises:
            FloodWait: that is too long to be waited for here.
        """
        until = self._limits.until(method)
        if until is not None and self._is_too_long(until):
            raise FloodWait(self._account, method, until)

    def told(self, method: str, seconds: int) -> None:
        """Telegram wants this method to wait."""
        get_logger().info("telegram.flood_wait", method=method, seconds=seconds)
        self._limits.wait(method, seconds)

    def works(self) -> None:
        """Something was answered: the circuit is closed."""
        self._limits.forget(_CIRCUIT)

    def fails(self) -> None:
        """All tries were in vain: the circuit is open, for twice as long as the last time."""
        seconds = max(_CIRCUIT_SECONDS, 2 * self._limits.seconds_before(_CIRCUIT))
        self._limits.wait(_CIRCUIT, min(seconds, _CIRCUIT_LONGEST))

    def _is_too_long(self, until: datetime) -> bool:
        return (until - datetime.now(UTC)).total_seconds() > self._settings.telegram_wait_limit

    async def _wait(self, until: datetime) -> None:
        """Sleep until a time, telling each second how far that is."""
        began = datetime.now(UTC)
        whole = (until - began).total_seconds()
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0:
            self._waiting(whole - left, whole)
            await asyncio.sleep(min(1.0, left))

    def _spend(self, requests: int) -> None:
        budget = self._settings.telegram_daily_requests
        if budget is not None and self._limits.spend(0) + requests > budget:
            raise BudgetSpent(self._account, budget, next_midnight())
        self._limits.spend(requests)


def next_midnight() -> datetime:
    """When the next day begins, UTC."""
    return datetime.combine(datetime.now(UTC).date(), time(0), UTC) + timedelta(days=1)
