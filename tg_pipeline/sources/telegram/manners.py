"""How Telegram is asked: at our own pace, waiting when told to, trying again when it fails.

A flood wait that is short is slept through right here, so that nobody above loses its page; a long
one ends the run with the time at which it can go on. A request that fails is tried again after
random, growing pauses.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from telethon import TelegramClient, errors
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from tg_pipeline.errors import TakeoutDelay, TelegramUnreachable
from tg_pipeline.sources.telegram.client import CONNECTING, answered, method_of
from tg_pipeline.sources.telegram.patience import Patience

TRIES: Final = 8
_LONGEST_PAUSE: Final = 20  # seconds
_LOOK_SECONDS: Final = 0.5


class Manners:
    """Asks one account's client, which is connected, when its patience lets it."""

    def __init__(self, client: TelegramClient, account: str, patience: Patience) -> None:
        self._client = client
        self._account = account
        self._patience = patience

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
            self._patience.fails()
            raise
        self._patience.works()
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
            await self._patience.turn(method)
            await self._reconnect()
            try:
                async with answered(self._account, method, chat=chat):
                    return await self._answer(request)
            except errors.TakeoutInitDelayError as error:
                raise TakeoutDelay(self._account, _in(error.seconds)) from error
            except errors.RPCError as error:  # `answered` lets only those pass that say how long
                self._patience.told(method, int(getattr(error, "seconds", 0)))

    async def _reconnect(self) -> None:
        """Connect again if the connection has broken, which takes a request."""
        while not self._client.is_connected():
            await self._patience.turn(CONNECTING)
            try:
                async with answered(self._account, CONNECTING):
                    await self._client.connect()
            except errors.RPCError as error:
                self._patience.told(CONNECTING, int(getattr(error, "seconds", 0)))

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


def _in(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
