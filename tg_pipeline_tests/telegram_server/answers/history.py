"""Messages: pages of a chat, of its search, of comments; and single ones by id."""

from collections.abc import Iterable, Sequence

from telethon.tl import functions, patched, types

from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.paging import asked, page
from tg_pipeline_tests.telegram_server.peers import Channel, Peer
from tg_pipeline_tests.telegram_server.records import tl_peer
from tg_pipeline_tests.telegram_server.tl import TL, Opaque


@answers(functions.messages.GetHistoryRequest)
def get_history(ask: Ask, request: TL) -> TL:
    """A page of a chat."""
    chat = ask.readable(request.peer)
    box = ask.world.box(chat, ask.account)
    return pack(ask, chat, box, page(box, asked(request)))


@answers(functions.messages.SearchRequest)
def search(ask: Ask, request: TL) -> TL:
    """A page of the messages that hold a text, are somebody's, or lie in a thread."""
    chat = ask.readable(request.peer)
    box = ask.world.box(chat, ask.account)
    wanted = request.q.encode()
    sender = ask.peer(request.from_id).peer_id if request.from_id else None
    thread = request.top_msg_id
    if wanted or sender or thread:
        box = box.where(
            lambda record: (
                wanted in record.data
                and sender in (None, record.sender)
                and thread in (None, record.thread)
            )
        )
    return pack(ask, chat, box, page(box, asked(request, date="max_date")))


@answers(functions.messages.GetRepliesRequest)
def get_replies(ask: Ask, request: TL) -> TL:
    """A page of a topic, or of the comments below a message."""
    chat, root = _thread(ask, request)
    box = chat.box.thread(root)
    return pack(ask, chat, box, page(box, asked(request)))


@answers(functions.messages.GetDiscussionMessageRequest)
def get_discussion_message(ask: Ask, request: TL) -> TL:
    """The root of the comments below a post."""
    chat, root = _thread(ask, request)
    record = chat.box.get(root)
    if record is None:
        raise bad("MSG_ID_INVALID")
    chats, users = ask.view.named(record.peers)
    top = chat.box.thread(root).top
    return types.messages.DiscussionMessage(
        _shown(ask, chat, [record]), 0, chats, users, max_id=top.id if top else None
    )


@answers(functions.channels.GetMessagesRequest)
def get_channel_messages(ask: Ask, request: TL) -> TL:
    """Messages of a channel by id; messageEmpty for those that are not there."""
    channel = ask.channel(request.channel)
    ask.may_read(channel)
    found = [channel.box.get(one) for one in _ids(request)]
    records = [record for record in found if record is not None]
    messages = _with_holes(request, found, _shown(ask, channel, records), tl_peer(channel.peer_id))
    chats, users = ask.view.named(_peers(channel, records))
    return types.messages.ChannelMessages(channel.pts, len(messages), messages, [], chats, users)


@answers(functions.messages.GetMessagesRequest)
def get_messages(ask: Ask, request: TL) -> TL:
    """Messages of private chats and basic groups by the account's ids."""
    account = ask.account
    found = [account.find(one) for one in _ids(request)]
    present = [pair for pair in found if pair is not None]
    shown = [
        shown
        for peer_id, record in present
        for shown in _shown(ask, ask.view.peer(peer_id), [record])
    ]
    messages = _with_holes(request, found, shown, None)
    chats, users = ask.view.named(one for _, record in present for one in record.peers)
    return types.messages.Messages(messages, [], chats, users)


def pack(ask: Ask, chat: Peer, box: Box, records: Sequence[Record]) -> TL:
    """An answer that holds some of a chat's messages."""
    chats, users = ask.view.named(_peers(chat, records))
    messages = _shown(ask, chat, records)
    if isinstance(chat, Channel):
        return types.messages.ChannelMessages(chat.pts, len(box), messages, [], chats, users)
    if len(records) == len(box):
        return types.messages.Messages(messages, [], chats, users)
    return types.messages.MessagesSlice(len(box), messages, [], chats, users)


def _thread(ask: Ask, request: TL) -> tuple[Channel, int]:
    """Where the comments of a message are: those of a post in the discussion group."""
    chat = ask.readable(request.peer)
    if not isinstance(chat, Channel):
        raise bad("PEER_ID_INVALID")
    if not chat.broadcast:
        return chat, request.msg_id
    root = chat.roots.get(request.msg_id)
    if chat.linked is None or root is None:
        raise bad("MSG_ID_INVALID")
    return chat.linked, root


def _shown(ask: Ask, chat: Peer, records: Iterable[Record]) -> list[Opaque]:
    """Messages as this account gets them; garbled ones as nobody can read them."""
    garbled, user_id = ask.state.faults.garbled, ask.account.id
    if not garbled:
        return [Opaque(record.seen_by(user_id)) for record in records]
    return [
        Opaque(
            record.garbled() if (chat.peer_id, record.id) in garbled else record.seen_by(user_id)
        )
        for record in records
    ]


def _peers(chat: Peer, records: Iterable[Record]) -> Iterable[int]:
    yield chat.peer_id
    for record in records:
        yield from record.peers


def _ids(request: TL) -> list[int]:
    if not request.id:
        raise bad("MESSAGE_IDS_EMPTY")
    return [getattr(one, "id", 0) for one in request.id[:100]]


def _with_holes(
    request: TL, found: Sequence[object | None], shown: Sequence[Opaque], peer: TL | None
) -> list[object]:
    """What was found, in the order asked for, with messageEmpty between."""
    present = iter(shown)
    return [
        patched.MessageEmpty(number, peer) if one is None else next(present)
        for number, one in zip(_ids(request), found, strict=True)
    ]
