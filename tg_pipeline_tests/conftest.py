"""Fixtures: a real PostgreSQL for the session, a schema of its own for each test."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tg_pipeline import logs
from tg_pipeline.landing import LandingZone
from tg_pipeline.store import schema
from tg_pipeline.store.database import Database
from tg_pipeline.store.embedded import acquire
from tg_pipeline_tests.telegram_server import Account, TelegramServer, World

_LONGEST = {"test_readme.py", "test_pages.py"}
GIVEN_SERVER = "TEST_DATABASE_URL"
REAL_FILES = Path(__file__).parents[2] / "shared" / "data" / "telegram_desktop"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, they would go on alone when all others have ended."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of the person who runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("TG_PIPELINE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    logs.configure()


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL: the one named by TEST_DATABASE_URL, else an embedded one."""
    if given := os.environ.get(GIVEN_SERVER):
        yield given
        return
    server = acquire(tmp_path_factory.mktemp("server") / "postgres")
    try:
        yield server.url("tg_pipeline")
    finally:
        server.close()


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """A migrated database in a schema of its own."""
    opened = Database(server_url, f"test_{uuid.uuid4().hex[:12]}")
    with opened.transaction() as connection:
        schema.upgrade(connection, opened.schema)
    try:
        yield opened
    finally:
        with opened.transaction() as connection:
            connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{opened.schema}" CASCADE')
        opened.close()


@pytest.fixture
def world() -> World:
    """An empty Telegram."""
    return World()


@pytest.fixture
def mira(world: World) -> Account:
    """Who reads there."""
    return world.account(700_000_001, "Mira", phone="+12025550100")


@pytest.fixture
def server(world: World) -> Iterator[TelegramServer]:
    """It on loopback."""
    with TelegramServer(world) as server:
        yield server


@pytest.fixture
def zone(tmp_path: Path) -> LandingZone:
    """An empty landing zone."""
    return LandingZone(tmp_path / "landing")


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real exports; tests that need it are skipped without it."""
    if not REAL_FILES.is_dir():
        pytest.skip(f"the real export files are not at {REAL_FILES}")
    return REAL_FILES
