"""Fetching when something happens at a wrong moment; each test is named for what went wrong."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from telethon.tl import types

from tg_pipeline.flows.fetching.turn import Turns
from tg_pipeline.landing import Spool
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, TelegramServer, World
from tg_pipeline_tests.telegram_server.peers import Channel

HISTORY = "messages.getHistory"


class Killed(BaseException):
    """Stands for kill -9 at a line of ours."""


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


@pytest.fixture
def migrated(world: World, mira: Account) -> Channel:
    """A supergroup of three messages that was a basic group of two."""
    quay = world.group(900_001, "Quay", mira)
    for number in range(2):
        world.post(quay, f"Old {number}", by=mira)
    bigger = world.supergroup(1_700_000_007, "Quay", mira)
    world.migrate(quay, bigger)
    world.post(bigger, by=mira, action=types.MessageActionChannelMigrateFrom("Quay", quay.id))
    for number in range(2):
        world.post(bigger, f"New {number}", by=mira)
    return bigger


def test_a_run_killed_after_the_page_that_tells_of_a_past_still_finds_it(
    live: Live, migrated: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was kept before the basic group was noted, and never came again."""
    (key,) = live.follow(migrated)
    add = Spool.add

    def add_and_die(self: Spool, *arguments: object) -> None:
        add(self, *arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(Spool, "add", add_and_die)
    with pytest.raises(Killed):
        live.fetch()
    monkeypatch.undo()

    live.fetch()

    assert len(live.ids(key)) == 5


def test_the_total_of_a_migrated_chat_is_its_own(
    live: Live, migrated: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Continued with its past, a chat was given the number of messages of the basic group."""
    (key,) = live.follow(migrated)
    read = Turns._read

    async def read_and_die(self: Turns, *arguments: object) -> None:
        await read(self, *arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(Turns, "_read", read_and_die)
    with pytest.raises(Killed):
        live.fetch()
    monkeypatch.undo()

    live.fetch()

    assert live.rows("SELECT total FROM checkpoints") == [(3,)]
    assert live.ids(key)[0] < 0
