"""The list of chats: order, folders, pages."""

from telethon import functions, utils
from telethon.tl import types

from tg_pipeline_tests.telegram_server import TelegramServer, World, talk
from tg_pipeline_tests.telegram_server.conftest import NOON, Town
from tg_pipeline_tests.telegram_server.tl import TL


async def _names(client: TL, **options: object) -> list[str]:
    return [one.name async for one in client.iter_dialogs(**options)]


def test_newest_first(server: TelegramServer, town: Town) -> None:
    assert talk(server, town.mira, _names) == [
        "Mira Lanternkeeper",
        "Ferry",
        "Swift Watch",
        "Elowen",
        "Teahouse Atlas",
        "Harbour News",
        "Teahouse",
    ]


def test_each_shows_its_newest_message(server: TelegramServer, town: Town) -> None:
    async def tops(client: TL) -> dict[int, tuple[int, str]]:
        every = await client.get_dialogs()
        return {one.id: (one.dialog.top_message, one.message.message) for one in every}

    found = talk(server, town.mira, tops)
    assert found[town.news.peer_id] == (130, "news 130")
    assert found[town.watch.peer_id] == (town.mira.box(-900_003).ids[-1], "watch 120")
    assert len(found) == 7


def test_pinned_and_archived(server: TelegramServer, town: Town) -> None:
    town.mira.pinned = [town.old_atlas.peer_id, town.news.peer_id]
    town.mira.archived = {town.bot.id}

    async def ask(client: TL) -> None:
        every = await client.get_dialogs()
        assert [one.name for one in every][:2] == ["Teahouse", "Harbour News"]
        assert [one.pinned for one in every] == [True, True, *[False] * 5]
        assert await _names(client, folder=1) == ["Ferry"]
        assert "Ferry" not in await _names(client, folder=0)
        assert len(await _names(client, ignore_pinned=True)) == 5

    talk(server, town.mira, ask)


def test_pages_meet_without_gap_or_repetition() -> None:
    world = World()
    mira = world.account(700_000_001, "Mira", phone="+12025550100")
    for number in range(1, 251):
        chat = world.channel(1_600_000_000 + number, f"Chat {number}", mira)
        world.post(chat, "hello", by=chat, date=NOON)  # all in one second
    with TelegramServer(world) as server:
        names = talk(server, mira, _names)
        assert sorted(names) == sorted(one.title for one in world.channels.values())
        assert server.requests.count("messages.getDialogs") == 3


def test_chats_by_name(server: TelegramServer, town: Town) -> None:
    async def ask(client: TL) -> None:
        peers = [await client.get_input_entity(one) for one in ("harbour", "elowen")]
        got = await client(
            functions.messages.GetPeerDialogsRequest([types.InputDialogPeer(p) for p in peers])
        )
        assert [utils.get_peer_id(one.peer) for one in got.dialogs] == [
            town.news.peer_id,
            town.elowen.id,
        ]
        assert [one.message for one in got.messages] == ["news 130", "private 120"]

    talk(server, town.mira, ask)
