"""Which chats have news: one question for a hundred chats, whether or not they are joined."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from telethon.tl import types
from telethon.tl.functions.messages import GetPeerDialogsRequest

from tg_pipeline.errors import ChatInaccessible
from tg_pipeline.sources.telegram.history import Ask
from tg_pipeline.sources.telegram.peers import marked

_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Top:
    """The newest message of a chat. Its date is UTC; None where Telegram did not show it."""

    id: int
    date: datetime | None


@dataclass(slots=True)
class News:
    """What Telegram told of some chats.

    Attributes:
        tops: newest messages by marked chat id; a chat without any is not there.
        entities: the chats themselves, as TL objects, by marked id.
        shut: chats that cannot be read, and why.
    """

    tops: dict[int, Top] = field(default_factory=dict)
    entities: dict[int, Any] = field(default_factory=dict)
    shut: dict[int, ChatInaccessible] = field(default_factory=dict)


async def news(ask: Ask, peers: Sequence[Any]) -> News:
    """Ask for the newest messages of these chats, given as InputPeers."""
    found = News()
    for start in range(0, len(peers), _AT_ONCE):
        await _ask(ask, peers[start : start + _AT_ONCE], found)
    return found


async def _ask(ask: Ask, peers: Sequence[Any], found: News) -> None:
    """One chat that cannot be read spoils the question: halve until it is alone."""
    request = GetPeerDialogsRequest([types.InputDialogPeer(peer) for peer in peers])
    try:
        answer = await ask(request, chat=str(marked(peers[0])))
    except ChatInaccessible as error:
        if len(peers) == 1:
            found.shut[marked(peers[0])] = error
            return
        half = len(peers) // 2
        await _ask(ask, peers[:half], found)
        await _ask(ask, peers[half:], found)
        return
    dates = {(marked(one.peer_id), one.id): getattr(one, "date", None) for one in answer.messages}
    for dialog in answer.dialogs:
        chat, top = marked(dialog.peer), dialog.top_message
        if top:
            found.tops[chat] = Top(top, dates.get((chat, top)))
    for user in answer.users:
        found.entities[user.id] = user
    for chat in answer.chats:
        found.entities[_chat_id(chat)] = chat


def _chat_id(chat: Any) -> int:
    channel = isinstance(chat, types.Channel | types.ChannelForbidden)
    return marked(types.PeerChannel(chat.id) if channel else types.PeerChat(chat.id))
