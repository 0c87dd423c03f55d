"""Puts generated chats into a world, as they are at some moment."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from tg_pipeline.generator import ACCOUNT, DEMO_END, History, demo_histories
from tg_pipeline.generator.model import Peer as TruePeer
from tg_pipeline.generator.phrases import CHANNELS, INLINE_BOTS
from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.filling.actions import old_group_id
from tg_pipeline_tests.telegram_server.filling.messages import Writer
from tg_pipeline_tests.telegram_server.peers import Channel, Group, Peer, Person, Topic
from tg_pipeline_tests.telegram_server.records import record
from tg_pipeline_tests.telegram_server.tl import TL
from tg_pipeline_tests.telegram_server.world import World

BOTS = {name: 760_000_001 + number for number, name in enumerate(INLINE_BOTS)}
PHONE = "+12025550100"


def demo_world(
    histories: Sequence[History] | None = None, *, as_of: datetime = DEMO_END
) -> tuple[World, Account]:
    """A world with the generator's account and, by default, its demo chats."""
    world = World()
    account = add_account(world)
    for history in demo_histories() if histories is None else histories:
        fill(world, account, history, as_of=as_of)
    return world, account


def add_account(world: World, password: str | None = None) -> Account:
    """The account from whose point of view histories are generated."""
    first, _, last = (ACCOUNT.name or "").partition(" ")
    return world.account(ACCOUNT.id, first, last or None, phone=PHONE, password=password)


def fill(
    world: World, account: Account, history: History, *, as_of: datetime, forum: bool = False
) -> Peer:
    """Add a chat with all that is visible at a moment; the same chat later brings it up to date.

    Args:
        world: Where.
        account: Whose chat it is; whom the history was generated for.
        history: The chat.
        as_of: The moment: what was deleted by then is missing, what was edited is edited.
        forum: Whether a supergroup has topics, begun by its topic_created messages.
    """
    if account.id != history.account.id:
        raise ValueError("a history shows one account's view: generate it for this account")
    with world.lock, _uninterrupted():
        _surroundings(world, history)
        chat = _chat(world, account, history, forum=forum)
        writer = Writer(history.plan, account.id, BOTS, forum=forum)
        topics: list[TL] = []
        old, own = _split(_noticing(topics, writer.write(history.as_of(as_of))), chat, forum=forum)
        _keep(world, account, chat, own)
        if history.plan.before_migration:
            _keep(world, account, _old_group(world, account, history, chat), old)
        if isinstance(chat, Channel) and forum:
            _topics(chat, topics)
    return chat


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Without garbage collection, which looks at all messages again and again: a third faster."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _surroundings(world: World, history: History) -> None:
    """Everybody whom the messages may name."""
    _people(world, (*history.cast.people, history.account))
    for channel_id, title in CHANNELS:
        if channel_id not in world.channels:
            world.channel(channel_id, title, username=f"origin_{channel_id % 1000}")
    for name, user_id in BOTS.items():
        world.person(user_id, name.strip("@"), username=name.strip("@"), bot=True)


def _people(world: World, people: Iterable[TruePeer]) -> None:
    for one in people:
        if one.id > 0 and one.id not in world.accounts:
            first, _, last = (one.name or "").partition(" ")
            world.person(one.id, first or None, last or None)


def _chat(world: World, account: Account, history: History, *, forum: bool) -> Peer:
    plan = history.plan
    if plan.kind == "saved":
        return account.person
    if plan.kind == "private":
        return world.people[plan.peer_id]
    members: list[Account | Person] = [
        account,
        *(world.people[one.id] for one in history.cast.people),
    ]
    if plan.kind == "group":
        known = world.groups.get(plan.peer_id)
        return known or world.group(plan.peer_id, plan.title, *members, made=plan.start)
    if (channel := world.channels.get(plan.peer_id)) is not None:
        return channel
    return world.channel(
        plan.peer_id,
        plan.title,
        *members,
        broadcast=plan.kind == "channel",
        username=f"chat_{plan.peer_id}" if plan.public else None,
        invite=f"invite{plan.peer_id}",
        forum=forum,
        made=plan.start,
    )


def _old_group(world: World, account: Account, history: History, chat: Peer) -> Group:
    """The basic group that a supergroup was."""
    number = old_group_id(history.plan)
    if number not in world.groups:
        group = world.group(number, history.plan.title, account, made=history.plan.start)
        if isinstance(chat, Channel):
            world.migrate(group, chat)
    return world.groups[number]


def _split(messages: Iterable[TL], chat: Peer, *, forum: bool) -> tuple[list[Record], list[Record]]:
    """Records of the basic group that the chat was, and of the chat itself."""
    old: list[Record] = []
    own: list[Record] = []
    for message in messages:
        made = record(message, forum=forum)
        (own if made.peers[0] == chat.peer_id else old).append(made)
    return old, own


def _keep(world: World, account: Account, chat: Peer, records: list[Record]) -> None:
    """Replace all messages of a chat."""
    if isinstance(chat, Channel):
        chat.box = Box(records)
        return
    account.boxes[chat.peer_id] = Box()
    for one in records:
        elsewhere = account.find(one.id)
        if elsewhere is not None:
            raise ValueError(
                f"{elsewhere[0]} has a message {one.id} too: give chats other first_ids"
            )
    account.boxes[chat.peer_id] = Box(records)
    if records:
        account.last_id = max(account.last_id, records[-1].id)


def _noticing(topics: list[TL], messages: Iterator[TL]) -> Iterator[TL]:
    """Pass messages on, keeping those that begin a topic."""
    for message in messages:
        if type(message.action).__name__ == "MessageActionTopicCreate":
            topics.append(message)
        yield message


def _topics(forum: Channel, begun: Sequence[TL]) -> None:
    forum.topics = {
        one.id: Topic(one.id, one.action.title, one.date, forum.peer_id) for one in begun
    }
