"""From TL messages to stored records: their bytes, and whom they name."""

from collections.abc import Iterator
from functools import cache

from telethon.tl import types

from tg_pipeline.contracts.identity import CHANNEL_MARK, channel_peer
from tg_pipeline_tests.telegram_server.box import Record
from tg_pipeline_tests.telegram_server.tl import TL

GENERAL = 1
"""The topic of a forum that messages outside all others belong to."""


@cache
def tl_peer(marked: int) -> TL:
    """A marked id as a TL peer."""
    if marked > 0:
        return types.PeerUser(marked)
    if marked > -CHANNEL_MARK:
        return types.PeerChat(-marked)
    return types.PeerChannel(-marked - CHANNEL_MARK)


def marked(peer: TL) -> int:
    """A TL peer as a marked id."""
    if isinstance(peer, types.PeerUser):
        return int(peer.user_id)
    if isinstance(peer, types.PeerChannel):
        return channel_peer(peer.channel_id)
    return -int(peer.chat_id)


@cache
def _shared(peers: tuple[int, ...]) -> tuple[int, ...]:
    """One tuple for all messages that name the same peers."""
    return peers


def record(message: TL, *, forum: bool = False) -> Record:
    """What is stored of a message."""
    out, message.out = bool(message.out), False
    chat = marked(message.peer_id)
    sender = marked(message.from_id) if message.from_id else chat
    stored = Record(
        id=message.id,
        date=int(message.date.timestamp()),
        data=message._bytes(),
        sender=sender,
        thread=_thread(message, forum=forum),
        peers=_shared(tuple(dict.fromkeys(_named(message)))),
    )
    message.out = out
    return stored


def _thread(message: TL, *, forum: bool) -> int:
    """The topic or comment root: what a reply leads to in the end."""
    reply = message.reply_to
    if forum and isinstance(message.action, types.MessageActionTopicCreate):
        return int(message.id)
    if not isinstance(reply, types.MessageReplyHeader) or reply.reply_to_peer_id:
        return GENERAL if forum else 0
    if forum and not reply.forum_topic:
        return GENERAL
    return reply.reply_to_top_id or reply.reply_to_msg_id or 0


def _named(message: TL) -> Iterator[int]:
    """Marked ids of the chat and of everybody the message names."""
    yield marked(message.peer_id)
    header = message.fwd_from
    reply = message.reply_to
    peers = (
        message.from_id,
        message.saved_peer_id,
        *((header.from_id, header.saved_from_peer) if header else ()),
        getattr(reply, "reply_to_peer_id", None),
    )
    yield from (marked(peer) for peer in peers if peer is not None)
    if message.via_bot_id:
        yield message.via_bot_id
    for entity in message.entities or ():
        if isinstance(entity, types.MessageEntityMentionName):
            yield entity.user_id
    if message.action is not None:
        yield from _named_by(message.action)


def _named_by(action: TL) -> Iterator[int]:
    """Users of a service action."""
    yield from getattr(action, "users", ())
    for name in ("user_id", "inviter_id"):
        if number := getattr(action, name, None):
            yield number
