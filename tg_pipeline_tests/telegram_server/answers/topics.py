"""The topics of a forum."""

from collections.abc import Sequence

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.box import Record
from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.paging import MOST
from tg_pipeline_tests.telegram_server.peers import Channel, Topic
from tg_pipeline_tests.telegram_server.records import GENERAL, tl_peer
from tg_pipeline_tests.telegram_server.tl import TL, Opaque


@answers(functions.messages.GetForumTopicsRequest)
def get_forum_topics(ask: Ask, request: TL) -> TL:
    """A page of the topics, the one with the newest message first."""
    forum = _forum(ask, request)
    every = sorted(_tops(forum), key=lambda pair: -pair[1].id)
    if request.offset_topic or request.offset_id:
        every = [pair for pair in every if pair[1].id < request.offset_id]
    return _packed(ask, forum, every[: min(request.limit, MOST)])


@answers(functions.messages.GetForumTopicsByIDRequest)
def get_forum_topics_by_id(ask: Ask, request: TL) -> TL:
    """Some topics."""
    forum = _forum(ask, request)
    wanted = set(request.topics)
    return _packed(ask, forum, [pair for pair in _tops(forum) if pair[0].id in wanted])


def _forum(ask: Ask, request: TL) -> Channel:
    chat = ask.readable(request.peer)
    if not isinstance(chat, Channel) or not chat.forum:
        raise bad("CHANNEL_FORUM_MISSING")
    return chat


def _tops(forum: Channel) -> list[tuple[Topic, Record]]:
    """Topics with their newest messages. General has no message that made it."""
    general = Topic(GENERAL, "General", forum.made, forum.peer_id)
    every = {GENERAL: general, **forum.topics}.values()
    found = ((topic, forum.box.thread(topic.id).top) for topic in every)
    return [(topic, top) for topic, top in found if top is not None]


def _packed(ask: Ask, forum: Channel, chosen: Sequence[tuple[Topic, Record]]) -> TL:
    peers = [one for _, top in chosen for one in top.peers]
    chats, users = ask.view.named((forum.peer_id, *peers, *(topic.creator for topic, _ in chosen)))
    return types.messages.ForumTopics(
        count=len(_tops(forum)),
        topics=[_topic(ask, forum, topic, top) for topic, top in chosen],
        messages=[Opaque(top.seen_by(ask.account.id)) for _, top in chosen],
        chats=chats,
        users=users,
        pts=forum.pts,
    )


def _topic(ask: Ask, forum: Channel, topic: Topic, top: Record) -> TL:
    return types.ForumTopic(
        topic.id,
        topic.date,
        tl_peer(forum.peer_id),
        topic.title,
        icon_color=0x6FB9F0,
        top_message=top.id,
        read_inbox_max_id=top.id,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        from_id=tl_peer(topic.creator),
        notify_settings=types.PeerNotifySettings(),
        my=topic.creator == ask.account.id,
        closed=topic.closed,
        pinned=topic.pinned,
    )
