"""A small world with every kind of chat, and a server for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tg_pipeline_tests.telegram_server import Account, TelegramServer, World

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
PASSWORD = "lantern-oil 🏮"


class Town:
    """A world, and by name what is in it."""

    def __init__(self) -> None:
        world = self.world = World()
        self.mira = world.account(700_000_001, "Mira", "Lanternkeeper", phone="+12025550100")
        self.joe = world.account(
            700_000_002, "Joe", phone="+12025550101", code="54321", password=PASSWORD
        )
        self.elowen = world.person(5_300_000_017, "Elowen", username="elowen")
        self.ghost = world.person(700_000_040, None)
        self.bot = world.person(760_000_001, "Ferry", username="ferry_bot", bot=True)
        self.news = world.channel(1_700_000_001, "Harbour News", self.mira, username="harbour")
        self.mill = world.channel(1_700_000_002, "The Mill", self.joe, invite="AbCdEf")
        self.atlas = world.supergroup(1_700_000_003, "Teahouse Atlas", self.mira, self.joe)
        self.old_atlas = world.group(900_001, "Teahouse", self.mira, self.joe)
        self.watch = world.group(900_003, "Swift Watch", self.mira, self.joe)
        self._talk()
        world.migrate(self.old_atlas, self.atlas)

    def _talk(self) -> None:
        """Messages everywhere, each a minute after the one before."""
        world, mira, joe = self.world, self.mira, self.joe
        for number in range(1, 8):
            at = NOON + timedelta(minutes=number)
            world.post(self.old_atlas, f"old {number}", by=(joe, mira)[number % 2], date=at)
        for number in range(1, 131):
            at = NOON + timedelta(hours=1, minutes=number)
            world.post(self.news, f"news {number}", by=self.news, date=at)
            later = at + timedelta(seconds=30)
            world.post(self.atlas, f"atlas {number}", by=(joe, mira)[number % 2], date=later)
        for number in range(1, 121):
            at = NOON + timedelta(hours=4, minutes=number)
            by = (self.elowen, mira)[number % 2]
            world.post(self.elowen, f"private {number}", by=by, date=at, to=mira)
            later = at + timedelta(seconds=30)
            world.post(self.watch, f"watch {number}", by=(joe, mira)[number % 2], date=later)
        for number in range(1, 6):
            at = NOON + timedelta(hours=7, minutes=number)
            world.post(self.bot, f"ferry {number}", by=self.bot, date=at, to=mira)
            later = at + timedelta(hours=1)
            world.post(mira.person, f"note {number}", by=mira, date=later)
        world.post(self.mill, "flour", by=self.mill, date=NOON)


@pytest.fixture
def town() -> Town:
    """A fresh world."""
    return Town()


@pytest.fixture
def server(town: Town) -> Iterator[TelegramServer]:
    """A server for it."""
    with TelegramServer(town.world) as running:
        yield running


@pytest.fixture
def mira(town: Town) -> Account:
    """Who logs in without a password."""
    return town.mira
