"""Topics of forums and comments below posts."""

import pytest
from telethon import errors, functions
from telethon.tl import types

from tg_pipeline_tests.telegram_server import TelegramServer, comment, publish, talk
from tg_pipeline_tests.telegram_server.conftest import NOON, Town
from tg_pipeline_tests.telegram_server.tl import TL


@pytest.fixture
def forum(town: Town) -> tuple[int, int]:
    """A forum with General and two topics; their ids."""
    world, mira = town.world, town.mira
    forum = world.supergroup(1_700_000_005, "Walks", mira, town.joe, forum=True, username="walks")
    world.post(forum, "in general", by=mira, date=NOON)
    coast, mill = (world.topic(forum, name, by=mira, date=NOON).id for name in ("Coast", "Mill"))
    for number in range(3):
        header = types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=coast)
        first = world.post(forum, f"coast {number}", by=mira, date=NOON, reply_to=header)
        answer = types.MessageReplyHeader(
            forum_topic=True, reply_to_msg_id=first, reply_to_top_id=coast
        )
        world.post(forum, f"coast answer {number}", by=town.joe, date=NOON, reply_to=answer)
    return coast, mill


def test_topics(server: TelegramServer, town: Town, forum: tuple[int, int]) -> None:
    coast, mill = forum

    async def ask(client: TL) -> None:
        walks = await client.get_input_entity("walks")
        got = await client(functions.messages.GetForumTopicsRequest(walks, None, 0, 0, 100))
        assert [(one.id, one.title) for one in got.topics] == [
            (coast, "Coast"),
            (mill, "Mill"),
            (1, "General"),
        ]
        assert [one.id for one in got.messages] == [one.top_message for one in got.topics]
        first = await client(functions.messages.GetForumTopicsRequest(walks, None, 0, 0, 1))
        at = first.topics[-1].top_message
        rest = await client(functions.messages.GetForumTopicsRequest(walks, None, at, coast, 100))
        assert [one.id for one in rest.topics] == [mill, 1]
        some = await client(functions.messages.GetForumTopicsByIDRequest(walks, [mill]))
        assert [one.title for one in some.topics] == ["Mill"]
        with pytest.raises(errors.ChannelForumMissingError):
            await client(functions.messages.GetForumTopicsRequest("harbour", None, 0, 0, 100))

    talk(server, town.mira, ask)


def test_messages_of_a_topic(server: TelegramServer, town: Town, forum: tuple[int, int]) -> None:
    coast, mill = forum

    async def ask(client: TL) -> None:
        found = await client.get_messages("walks", reply_to=coast, limit=100)
        assert [one.message for one in found if one.message] == [
            text for number in (2, 1, 0) for text in (f"coast answer {number}", f"coast {number}")
        ]
        assert found[-1].id == coast
        assert len(await client.get_messages("walks", reply_to=mill, limit=100)) == 1
        general = await client.get_messages("walks", reply_to=1, limit=100)
        assert [one.message for one in general] == ["in general"]

    talk(server, town.mira, ask)


def test_comments(server: TelegramServer, town: Town) -> None:
    world, mira = town.world, town.mira
    group = world.supergroup(1_700_000_006, "Harbour Talk", town.joe)
    world.link(town.news, group)
    posts = [publish(world, town.news, f"with comments {number}") for number in range(2)]
    first = comment(world, town.news, posts[0], "first", by=mira)
    comment(world, town.news, posts[0], "and second", by=town.joe, reply_to=first)
    comment(world, town.news, posts[1], "elsewhere", by=mira)

    async def ask(client: TL) -> None:
        found = await client.get_messages("harbour", reply_to=posts[0], limit=10)
        assert [one.message for one in found] == ["and second", "first"]
        assert {one.chat_id for one in found} == {group.peer_id}
        shown = await client.get_messages("harbour", ids=posts[0])
        assert (shown.replies.replies, shown.replies.channel_id) == (2, group.id)
        root = await client(functions.messages.GetDiscussionMessageRequest("harbour", posts[0]))
        copy = root.messages[0]
        assert copy.id == town.news.roots[posts[0]]
        assert (copy.fwd_from.channel_post, copy.message) == (posts[0], "with comments 0")
        full = await client(functions.channels.GetFullChannelRequest("harbour"))
        assert full.full_chat.linked_chat_id == group.id
        whole = await client.get_messages(copy.peer_id, limit=10)  # open, as the channel is
        assert len(whole) == 5
        with pytest.raises(errors.MsgIdInvalidError):
            await client.get_messages("harbour", reply_to=1, limit=10)

    talk(server, mira, ask)
