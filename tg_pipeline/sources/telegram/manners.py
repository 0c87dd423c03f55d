"""How Telegram is asked: at our own pace, waiting when told to, trying again when it fails.

A flood wait that is short is slept through right here, so that nobody above loses its page; a long
one ends the run with the time at which it can go on. A request that fails is tried again after
random, growing pauses; when even that fails, the circuit is open: for a while, which grows too,
nobody asks.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Protocol

from aiolimiter import AsyncLimiter
from telethon import TelegramClient, errors
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from tg_pipeline.errors import BudgetSpent, FloodWait, TakeoutDelay, TelegramUnreachable
from tg_pipeline.logs import get_logger
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram.client import answered, method_of

TRIES: Final = 8
_LONGEST_PAUSE: Final = 20  # seconds
_LOOK_SECONDS: Final = 0.5
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

    def spend(self) -> int:
        """Count a request; how many there were today."""
        ...


class Manners:
    """Asks one account's client.

    Args:
        client: connected.
        account: its name.
        limits: what it was told before.
        settings: pace, budget and how long to wait in place.
        waiting: told of waits in place.
    """

    def __init__(
        self,
        client: TelegramClient,
        account: str,
        limits: Limits,
        settings: Settings,
        waiting: Waiting = patiently,
    ) -> None:
        self._client = client
        self._account = account
        self._limits = limits
        self._settings = settings
        self._waiting = waiting
        pace = settings.telegram_requests_per_second
        self._pace = AsyncLimiter(max(1.0, pace), max(1.0, pace) / pace)

    async def ask(self, request: Any, *, chat: str = "") -> Any:
        """Send a request and return its answer.

        Raises:
            FloodWait, BudgetSpent, TelegramUnreachable, TakeoutDelay: later.
            SessionRevoked, KeyDuplicated, AccountBanned, TelegramRefused: somebody has to act.
            ChatInaccessible, UsernameUnknown, InviteUnusable: not this chat.
        """
        try:
            answer: Any = await self._retrying()(self._asked, request, chat)
        except TelegramUnreachable:
            self._open_circuit()
            raise
        self._limits.forget(_CIRCUIT)
        return answer

    def _retrying(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception_type(TelegramUnreachable),
            wait=wait_random_exponential(multiplier=0.25, max=_LONGEST_PAUSE),
            stop=stop_after_attempt(TRIES),
            reraise=True,
        )

    async def _asked(self, request: Any, chat: str) -> Any:
        method = method_of(request)
        while True:
            await self._turn(method)
            try:
                async with answered(self._account, method, chat=chat):
                    if not self._client.is_connected():
                        await self._client.connect()
                    return await self._answer(request)
            except errors.TakeoutInitDelayError as error:
                raise TakeoutDelay(self._account, _in(error.seconds)) from error
            except errors.RPCError as error:  # `answered` lets only those pass that say how long
                seconds = int(getattr(error, "seconds", 0))
                get_logger().info("telegram.flood_wait", method=method, seconds=seconds)
                self._limits.wait(method, seconds)

    async def _answer(self, request: Any) -> Any:
        """The answer; Telethon would wait for it on a connection that is gone, too."""
        answer = asyncio.ensure_future(self._client(request))
        try:
            while not (await asyncio.wait({answer}, timeout=_LOOK_SECONDS))[0]:
                if not self._client.is_connected():
                    raise ConnectionResetError("the connection broke")
            return answer.result()
        finally:
            answer.cancel()

    async def _turn(self, method: str) -> None:
        """Wait until this method may be called."""
        for waited in (_CIRCUIT, method):
            while (until := self._limits.until(waited)) is not None:
                await self._wait(method, until)
        async with self._pace:
            self._spend()

    async def _wait(self, method: str, until: datetime) -> None:
        """Sleep until a time, telling each second how far that is."""
        began = datetime.now(UTC)
        whole = (until - began).total_seconds()
        if whole > self._settings.telegram_wait_limit:
            raise FloodWait(self._account, method, until)
        while (left := (until - datetime.now(UTC)).total_seconds()) > 0:
            self._waiting(whole - left, whole)
            await asyncio.sleep(min(1.0, left))

    def _spend(self) -> None:
        budget, spent = self._settings.telegram_daily_requests, self._limits.spend()
        if budget is not None and spent > budget:
            midnight = datetime.combine(datetime.now(UTC).date(), time(0), UTC)
            raise BudgetSpent(self._account, budget, midnight + timedelta(days=1))

    def _open_circuit(self) -> None:
        seconds = max(_CIRCUIT_SECONDS, 2 * self._limits.seconds_before(_CIRCUIT))
        self._limits.wait(_CIRCUIT, min(seconds, _CIRCUIT_LONGEST))


def _in(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
