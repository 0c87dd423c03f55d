"""Generated histories in the server: the client reads, and the pipeline converts, what is true."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from telethon.tl import types

from tg_pipeline.contracts import Message
from tg_pipeline.generator import (
    ACCOUNT,
    DEMO_END,
    DEMO_PLANS,
    DEMO_START,
    ChatPlan,
    TrueMessage,
    history,
)
from tg_pipeline.sources.telegram.convert import Context, to_message
from tg_pipeline_tests.telegram_server import Account, Channel, TelegramServer, World, fill, talk
from tg_pipeline_tests.telegram_server.filling.chats import add_account, demo_world
from tg_pipeline_tests.telegram_server.tl import TL

_BY_KIND = {plan.kind: plan for plan in DEMO_PLANS}
_AT = datetime(2025, 8, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> Iterator[tuple[TelegramServer, Account]]:
    """The demo chats, on a server."""
    world, account = demo_world()
    with TelegramServer(world) as server:
        yield server, account


def _read(server: TelegramServer, account: Account, plan: ChatPlan) -> list[Message]:
    """All of a chat, that of its basic group too, as records by id."""

    async def read(client: TL) -> list[Message]:
        await client.get_dialogs()
        own = [one async for one in client.iter_messages(plan.entity_id, wait_time=0)]
        old = []
        if plan.before_migration:
            channel = server.world.channels[plan.peer_id]
            assert channel.migrated_from is not None
            group = channel.migrated_from.peer_id
            old = [one async for one in client.iter_messages(group, wait_time=0)]
        made = [to_message(one, _context(plan, before=False)) for one in own]
        made += [to_message(one, _context(plan, before=True)) for one in old]
        return made[::-1]

    return sorted(talk(server, account, read), key=lambda one: one.id)


def _context(plan: ChatPlan, *, before: bool) -> Context:
    return Context(plan.entity_id, ACCOUNT.id, _AT, before_migration=before)


def _facts(message: Message | TrueMessage) -> tuple[object, ...]:
    return (
        message.id,
        message.account_id,
        message.date,
        message.kind,
        message.sender_id,
        message.text,
        message.edited_at,
        message.content_hash,
    )


@pytest.mark.parametrize("plan", DEMO_PLANS, ids=lambda plan: plan.kind)
def test_what_is_read_is_what_is_true(demo: tuple[TelegramServer, Account], plan: ChatPlan) -> None:
    truth = list(history(plan, 1).as_of(DEMO_END))
    found = _read(*demo, plan)
    assert list(map(_facts, found)) == list(map(_facts, truth))
    for got, true in zip(found, truth, strict=True):
        assert _counted(got) == _counted(true)
        media = true.content.media
        assert (got.media_meta and got.media_meta.type) == (media and media.kind)


def _counted(message: Message | TrueMessage) -> list[int]:
    return [one.count for one in message.reactions or ()]


def test_albums_are_the_photos_sent_together(demo: tuple[TelegramServer, Account]) -> None:
    found = _read(*demo, _BY_KIND["supergroup"])
    albums = Counter(one.grouped_id for one in found if one.grouped_id)
    assert len(albums) > 3
    assert min(albums.values()) > 1
    one_album = [one for one in found if one.grouped_id == min(albums)]
    assert len({(one.sender_id, one.date) for one in one_album}) == 1


def test_everybody_named_is_sent_along(demo: tuple[TelegramServer, Account]) -> None:
    server, account = demo
    world = server.world

    async def read(client: TL) -> None:
        await client.get_dialogs()
        for plan in DEMO_PLANS:
            async for one in client.iter_messages(plan.entity_id, wait_time=0):
                assert one.sender_id is None or one.sender is not None
                if one.fwd_from and one.fwd_from.from_id:
                    assert one.forward.chat.id in world.channels
                if one.via_bot_id:
                    assert one.via_bot.bot

    talk(server, account, read)


def test_a_forum_has_its_topics() -> None:
    world = World()
    account = add_account(world)
    plan = ChatPlan(
        "supergroup", 1_700_000_077, "Walks", 900, DEMO_START, DEMO_END, people=9, public=True
    )
    forum = fill(world, account, history(plan, 3), as_of=DEMO_END, forum=True)
    assert isinstance(forum, Channel)

    async def read(client: TL) -> None:
        messages = [one async for one in client.iter_messages("chat_1700000077", wait_time=0)]
        begun = {
            one.id for one in messages if isinstance(one.action, types.MessageActionTopicCreate)
        }
        assert begun == set(forum.topics)
        seen = 0
        for topic in (1, *sorted(begun)):
            some = client.iter_messages("chat_1700000077", reply_to=topic, wait_time=0)
            seen += len([one async for one in some])
        assert seen == len(messages)

    with TelegramServer(world) as server:
        talk(server, account, read)


def test_a_chat_is_brought_up_to_date() -> None:
    plan = _BY_KIND["channel"]
    moments = [DEMO_START + timedelta(days=100), DEMO_END]
    world = World()
    account = add_account(world)
    with TelegramServer(world) as server:
        for moment in moments:
            fill(world, account, history(plan, 1), as_of=moment)
            truth = list(history(plan, 1).as_of(moment))
            assert list(map(_facts, _read(server, account, plan))) == list(map(_facts, truth))


def test_ids_that_two_chats_share_are_refused() -> None:
    world = World()
    account = add_account(world)
    for number, refused in ((1, False), (2, True)):
        plan = ChatPlan("private", 700_000_500 + number, "Wren", 30, DEMO_START, DEMO_END)
        if refused:
            with pytest.raises(ValueError, match="first_id"):
                fill(world, account, history(plan, 1), as_of=DEMO_END)
        else:
            fill(world, account, history(plan, 1), as_of=DEMO_END)


def test_histories_of_another_account_are_refused() -> None:
    world = World()
    joe = world.account(5, "Joe", phone="+12025550101")
    with pytest.raises(ValueError, match="account"):
        fill(world, joe, history(DEMO_PLANS[0], 1), as_of=DEMO_END)
