"""Reading in a takeout session: the account's owner allows it once, and Telegram is gentler then.

A session goes on over several runs until all is read; a new one would have to be allowed anew.
"""

from collections.abc import Callable
from typing import Any, Final

from telethon.tl.functions import InvokeWithTakeoutRequest
from telethon.tl.functions.account import FinishTakeoutSessionRequest, InitTakeoutSessionRequest

from tg_pipeline.errors import TelegramRefused
from tg_pipeline.sources.telegram.history import Ask

_OVER: Final = {"TAKEOUT_INVALID", "TAKEOUT_REQUIRED"}


class Takeout:
    """Asks within a takeout session, which begins with the first request.

    Args:
        ask: sends requests.
        takeout_id: of the session that was kept; None where there is none.
        keep: told the id of a new session, and None when it has ended.

    Attributes:
        is_new: whether no session was kept, so that nobody else goes on with it.
    """

    def __init__(
        self, ask: Ask, takeout_id: int | None, keep: Callable[[int | None], None]
    ) -> None:
        self._ask = ask
        self._id = takeout_id
        self._keep = keep
        self.is_new = takeout_id is None

    async def ask(self, request: Any, *, chat: str = "") -> Any:
        """Send a request within the session.

        Raises:
            TakeoutDelay: its owner has to allow the session first, or to wait.
        """
        if self._id is not None:
            try:
                return await self._ask(InvokeWithTakeoutRequest(self._id, request), chat=chat)
            except TelegramRefused as error:
                if error.reason not in _OVER:
                    raise
        await self._begin()
        return await self._ask(InvokeWithTakeoutRequest(self._id, request), chat=chat)

    async def _begin(self) -> None:
        request = InitTakeoutSessionRequest(
            message_users=True, message_chats=True, message_megagroups=True, message_channels=True
        )
        self._id = (await self._ask(request)).id
        self._keep(self._id)

    async def finish(self) -> None:
        """End the session, if it has not ended by itself: all is read."""
        if self._id is None:
            return
        request = InvokeWithTakeoutRequest(self._id, FinishTakeoutSessionRequest(success=True))
        try:
            await self._ask(request)
        except TelegramRefused as error:
            if error.reason not in _OVER:
                raise
        self._id = None
        self._keep(None)
