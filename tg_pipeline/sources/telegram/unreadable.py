"""The newest message of a chat when it cannot be read: its id is found by what lies around it.

Messages newer than the newest one that can be read are counted by passing over them. Then a place
in the numbering is sought from which, passing over as many, one comes out at that same message.
"""

from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.tl import functions, types
from telethon.utils import get_input_user

from tg_pipeline.sources.telegram.client import not_readable
from tg_pipeline.sources.telegram.history import Ask, history_request, must_end

_NEWEST = 0


async def must_be_readable(ask: Ask, peer: Any, *, chat: str = "") -> None:
    """Make sure that it is not the chat itself which cannot be read: it is in every answer.

    Raises:
        TelegramRefused: it is; nothing of the chat can be read.
    """
    request = _alone(peer)
    try:
        await ask(request, chat=chat)
    except TypeNotFoundError as error:
        raise not_readable(request, error) from error


def _alone(peer: Any) -> Any:
    """A request for the chat and nothing else."""
    match peer:
        case types.InputPeerChannel():
            channel = types.InputChannel(peer.channel_id, peer.access_hash)
            return functions.channels.GetChannelsRequest([channel])
        case types.InputPeerChat():
            return functions.messages.GetChatsRequest([peer.chat_id])
        case _:
            return functions.users.GetUsersRequest([get_input_user(peer)])


async def newest(ask: Ask, peer: Any, *, chat: str = "") -> int | None:
    """The id of the newest message, whether it can be read or not; None if there is none.

    Raises:
        TelegramRefused: too many messages in a row cannot be read.
    """
    return await _Seeker(ask, peer, chat).newest()


class _Seeker:
    def __init__(self, ask: Ask, peer: Any, chat: str) -> None:
        self._ask = ask
        self._peer = peer
        self._chat = chat

    async def newest(self) -> int | None:
        unread = 0
        while not (found := await self._at(_NEWEST, unread))[0]:
            unread += 1
            must_end(unread)
        below = found[1]
        if not unread:
            return below
        low = high = (below or 0) + unread
        step = 1
        while not await self._has_all(high, unread, below):
            low, high, step = high + 1, high + step, step * 2
        while low < high:
            middle = (low + high) // 2
            if await self._has_all(middle, unread, below):
                high = middle
            else:
                low = middle + 1
        return high

    async def _has_all(self, upto: int, unread: int, below: int | None) -> bool:
        """Whether all that cannot be read, above `below`, have ids up to this one."""
        if below is None:
            return not (await self._at(upto + 1, unread - 1))[0]
        return await self._at(upto + 1, unread) == (True, below)

    async def _at(self, before: int, skip: int) -> tuple[bool, int | None]:
        """Whether one message can be read, and its id; None: there is none."""
        request = history_request(self._peer, before=before, skip=skip, limit=1)
        try:
            answer = await self._ask(request, chat=self._chat)
        except TypeNotFoundError:
            return False, None
        return True, max((one.id for one in answer.messages), default=None)
