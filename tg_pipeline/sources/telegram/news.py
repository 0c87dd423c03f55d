"""Which chats have news: one question for a hundred chats, whether or not they are joined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from telethon.errors import TypeNotFoundError
from telethon.tl import types
from telethon.tl.functions.messages import GetPeerDialogsRequest
from telethon.utils import get_peer_id

from tg_pipeline.errors import ChatInaccessible, TelegramRefused
from tg_pipeline.sources.telegram.chat_ref import entities
from tg_pipeline.sources.telegram.history import Ask
from tg_pipeline.sources.telegram.unreadable import must_be_readable, newest

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
        failed: chats that cannot be read, and why.
    """

    tops: dict[int, Top] = field(default_factory=dict)
    entities: dict[int, Any] = field(default_factory=dict)
    failed: dict[int, ChatInaccessible | TelegramRefused] = field(default_factory=dict)


async def news(ask: Ask, peers: Mapping[int, Any]) -> News:
    """Ask for the newest messages of chats, given as InputPeers by their marked ids.

    Raises:
        what `ask` raises, but what concerns one chat alone.
    """
    found = News()
    chats = list(peers.items())
    for start in range(0, len(chats), _AT_ONCE):
        await _ask(ask, chats[start : start + _AT_ONCE], found)
    return found


async def _ask(ask: Ask, chats: Sequence[tuple[int, Any]], found: News) -> None:
    """One chat that cannot be read spoils the question: halve until it is alone."""
    request = GetPeerDialogsRequest([types.InputDialogPeer(peer) for _, peer in chats])
    try:
        answer = await ask(request, chat=str(chats[0][0]))
    except (ChatInaccessible, TelegramRefused, TypeNotFoundError) as error:
        if len(chats) == 1:
            await _ask_alone(ask, *chats[0], error, found)
            return
        half = len(chats) // 2
        await _ask(ask, chats[:half], found)
        await _ask(ask, chats[half:], found)
        return
    dates = {
        (get_peer_id(one.peer_id), one.id): one.date
        for one in answer.messages
        if not isinstance(one, types.MessageEmpty)
    }
    for dialog in answer.dialogs:
        chat, top = get_peer_id(dialog.peer), dialog.top_message
        if top:
            found.tops[chat] = Top(top, dates.get((chat, top)))
    found.entities |= entities(answer.users, answer.chats)


async def _ask_alone(ask: Ask, chat: int, peer: Any, error: Exception, found: News) -> None:
    """A chat that is shut, or whose newest message is of a kind that we cannot read."""
    if isinstance(error, ChatInaccessible | TelegramRefused):
        found.failed[chat] = error
        return
    try:
        await must_be_readable(ask, peer, chat=str(chat))
        top = await newest(ask, peer, chat=str(chat))
    except (ChatInaccessible, TelegramRefused) as refusal:
        found.failed[chat] = refusal
        return
    if top is not None:
        found.tops[chat] = Top(top, None)
