"""Fetching from a loopback Telegram, through the unmodified client, into PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tg_pipeline.generator import DEMO_END, demo_histories
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, TelegramServer, World
from tg_pipeline_tests.telegram_server.filling.chats import demo_world

HISTORY = "messages.getHistory"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def mira(world: World) -> Account:
    return world.account(700_000_001, "Mira", phone="+12025550100")


@pytest.fixture
def server(world: World) -> Iterator[TelegramServer]:
    with TelegramServer(world) as server:
        yield server


@pytest.fixture
def live(server: TelegramServer, mira: Account, new_archive: NewArchive, tmp_path: Path) -> Live:
    archive = new_archive()
    settings = Live.settings_for(server, mira, archive.settings, tmp_path)
    return Live(server, mira, replace(archive, settings=settings))


def test_a_channel_comes_whole_and_a_second_fetch_asks_for_nothing(
    live: Live, world: World, mira: Account
) -> None:
    news = world.channel(1_700_000_001, "Harbour News", mira, username="harbour")
    posted = [world.post(news, f"Boat {number}", by=news) for number in range(1, 351)]
    (key,) = live.follow(news)

    first = live.fetch()

    assert live.ids(key) == posted
    assert first.counts.new == 350
    assert first.deferred is None
    mark = live.server.requests.mark()
    second = live.fetch()
    assert second.counts.read == 0
    assert second.chats == []
    assert live.server.requests.count(HISTORY, mark) == 0


def test_news_cost_one_request(live: Live, world: World, mira: Account) -> None:
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(250):
        world.post(news, f"Boat {number}", by=news)
    (key,) = live.follow(news)
    live.fetch()
    new = [world.post(news, "Late boat", by=news) for _ in range(3)]
    mark = live.server.requests.mark()

    report = live.fetch()

    assert live.server.requests.count(HISTORY, mark) == 1
    assert report.counts.new == 3
    assert live.ids(key)[-3:] == new


def test_every_kind_of_chat_comes_as_the_generator_wrote_it(
    new_archive: NewArchive, tmp_path: Path
) -> None:
    world, account = demo_world()
    chats = {one.plan.entity_id: one for one in demo_histories()}
    with TelegramServer(world) as server:
        archive = new_archive()
        settings = Live.settings_for(server, account, archive.settings, tmp_path)
        live = Live(server, account, replace(archive, settings=settings))
        peers = [
            world.channels[-e - 10**12]
            if e < -(10**12)
            else world.groups[-e]
            if e < 0
            else world.people[e]
            for e in chats
        ]
        live.follow(*peers)
        report = live.fetch()
    assert report.counts.quarantined == 0
    for entity, history in chats.items():
        expected = {(one.account_id, one.id): one.content_hash for one in history.as_of(DEMO_END)}
        found = {
            (account_id, number): None if digest is None else bytes(digest)
            for account_id, number, digest in live.rows(
                f"SELECT account_id, id, content_hash FROM messages WHERE entity_id = {entity}"
            )
        }
        assert found == expected, history.plan.title
