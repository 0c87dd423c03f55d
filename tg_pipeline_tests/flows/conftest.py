"""Archives in folders and schemas of their own."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tg_pipeline.flows import Archive
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store import schema
from tg_pipeline.store.database import Database
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, TelegramServer

NewArchive = Callable[[], Archive]


@pytest.fixture
def new_archive(server_url: str, tmp_path: Path) -> Iterator[NewArchive]:
    """Make an empty archive, as often as it is called."""
    yield from archives(server_url, tmp_path)


def archives(server_url: str, folder: Path) -> Iterator[NewArchive]:
    """What makes empty archives below a folder; they are gone when this is left."""
    opened: list[Database] = []
    numbers = itertools.count(1)

    def make() -> Archive:
        home = folder / f"archive{next(numbers)}"
        name = f"test_{uuid.uuid4().hex[:12]}"
        database = Database(server_url, name)
        opened.append(database)
        with database.transaction() as connection:
            schema.upgrade(connection, name)
        settings = Settings(home=home, database_url=server_url, database_schema=name)
        return Archive(settings, database, LandingZone(settings.landing_folder))

    yield make
    for database in opened:
        with database.transaction() as connection:
            connection.exec_driver_sql(f'DROP SCHEMA "{database.schema}" CASCADE')
            connection.exec_driver_sql(f'DROP ROLE IF EXISTS "{database.schema}_reader"')
        database.close()


@pytest.fixture
def archive(new_archive: NewArchive) -> Archive:
    """One empty archive."""
    return new_archive()


@pytest.fixture
def live(server: TelegramServer, mira: Account, archive: Archive) -> Live:
    """An archive that mira's account fetches into."""
    return Live.over(archive, server, mira)
