"""Messages of every kind of chat, as the world has them."""

import pytest
from telethon import errors, functions
from telethon.tl import types

from tg_pipeline_tests.telegram_server import Account, TelegramServer, talk
from tg_pipeline_tests.telegram_server.conftest import Town
from tg_pipeline_tests.telegram_server.tl import TL

_CHATS = ("news", "atlas", "old_atlas", "watch", "elowen", "bot", "mira")


@pytest.mark.parametrize("name", _CHATS)
def test_a_chat_is_read_as_it_is(server: TelegramServer, town: Town, name: str) -> None:
    chat = getattr(town, name)
    chat = chat.person if isinstance(chat, Account) else chat
    box = town.world.box(chat, town.mira)

    async def read(client: TL) -> None:
        await client.get_dialogs()
        found = [one async for one in client.iter_messages(chat.peer_id, wait_time=0)]
        assert [one.id for one in found] == box.ids[::-1]
        stored = [town.world.message(chat, one, of=town.mira) for one in box.ids[::-1]]
        for got, kept in zip(found, stored, strict=True):
            kept.out = got.out
            assert got.to_dict() == kept.to_dict()

    talk(server, town.mira, read)


def test_own_messages_are_out_for_their_author_alone(server: TelegramServer, town: Town) -> None:
    async def outs(client: TL) -> set[bool]:
        await client.get_dialogs()
        found = await client.get_messages(town.atlas.peer_id, limit=100)
        return {one.out == (one.sender_id == (await client.get_me()).id) for one in found}

    assert talk(server, town.mira, outs) == {True}
    assert talk(server, town.joe, outs) == {True}


def test_a_basic_group_has_ids_of_each_reader(server: TelegramServer, town: Town) -> None:
    async def read(client: TL) -> list[tuple[int, str]]:
        await client.get_dialogs()
        found = await client.get_messages(town.watch.peer_id, limit=3)
        return [(one.id, one.message) for one in found]

    by_mira, by_joe = talk(server, town.mira, read), talk(server, town.joe, read)
    assert [text for _, text in by_mira] == [text for _, text in by_joe]
    assert [number for number, _ in by_mira] != [number for number, _ in by_joe]


def test_pages_are_whole_or_slices(server: TelegramServer, town: Town) -> None:
    async def ask(client: TL) -> None:
        await client.get_dialogs()

        async def page(peer: int, limit: int) -> TL:
            named = await client.get_input_entity(peer)
            return await client(
                functions.messages.GetHistoryRequest(named, 0, None, 0, limit, 0, 0, 0)
            )

        whole = await page(town.bot.id, 100)
        assert isinstance(whole, types.messages.Messages)
        assert {one.id for one in whole.users} == {town.bot.id}
        part = await page(town.watch.peer_id, 100)
        assert isinstance(part, types.messages.MessagesSlice)
        assert (part.count, len(part.messages)) == (120, 100)
        assert {one.id for one in part.users} == {town.mira.id, town.joe.id}
        assert [one.id for one in part.chats] == [town.watch.id]

    talk(server, town.mira, ask)


def test_messages_by_id_have_holes(server: TelegramServer, town: Town) -> None:
    town.world.delete(town.news, [3, 5])
    notes = town.mira.box(town.mira.id).ids

    async def ask(client: TL) -> None:
        found = await client.get_messages("harbour", ids=[1, 3, 4, 5, 999])
        assert [one and one.id for one in found] == [1, None, 4, None, None]
        found = await client.get_messages("me", ids=[notes[0], 99_999])
        assert [one and one.message for one in found] == ["note 1", None]
        raw = await client(functions.channels.GetMessagesRequest("harbour", [3]))
        assert [type(one).__name__ for one in raw.messages] == ["MessageEmpty"]
        with pytest.raises(errors.MessageIdsEmptyError):
            await client(functions.channels.GetMessagesRequest("harbour", []))

    talk(server, town.mira, ask)


def test_search(server: TelegramServer, town: Town) -> None:
    async def ask(client: TL) -> None:
        await client.get_dialogs()
        found = await client.get_messages(town.atlas.peer_id, search="atlas 12", limit=50)
        assert [one.message for one in found] == [
            f"atlas {number}" for number in (*range(129, 119, -1), 12)
        ]
        mine = await client.get_messages(town.atlas.peer_id, from_user="me", limit=100)
        assert len(mine) == 65
        assert {one.sender_id for one in mine} == {town.mira.id}

    talk(server, town.mira, ask)


def test_the_world_changes_while_it_is_read(server: TelegramServer, town: Town) -> None:
    world, news = town.world, town.news

    async def ask(client: TL) -> None:
        newest = world.post(news, "fresh", by=news)
        world.edit(news, 130, message="amended")
        world.delete(news, [129])
        found = await client.get_messages("harbour", limit=3)
        assert [(one.id, one.message) for one in found] == [
            (newest, "fresh"),
            (130, "amended"),
            (128, "news 128"),
        ]

    talk(server, town.mira, ask)


def test_ids_of_an_account_belong_to_one_chat(town: Town) -> None:
    taken = town.mira.box(town.elowen.id).ids[0]
    message = town.world.message(town.elowen, taken, of=town.mira)
    with pytest.raises(ValueError, match="has a message"):
        town.world.put(town.bot, message, to=town.mira)
    with pytest.raises(ValueError, match="whose"):
        town.world.put(town.bot, message)
    with pytest.raises(KeyError):
        town.world.message(town.news, 9_999)
    with pytest.raises(AttributeError):
        town.world.edit(town.news, 1, colour="red")
