"""The command line on a schema of its own."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tg_pipeline_tests.cli.inside import Inside
from tg_pipeline_tests.cli.running import Program
from tg_pipeline_tests.cli.station import Station
from tg_pipeline_tests.cli.station import environment as station_environment
from tg_pipeline_tests.telegram_server import TelegramServer
from tg_pipeline_tests.telegram_server.conftest import Town


@pytest.fixture
def schema(server_url: str) -> Iterator[str]:
    """A name for a schema; dropped afterwards, with the role that may read it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    with psycopg.connect(server_url) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'.encode())
        reader = f"{name}_reader"
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (reader,)).fetchone():
            connection.execute(f'DROP ROLE "{reader}"'.encode())


@pytest.fixture
def program(server_url: str, schema: str, tmp_path: Path) -> Program:
    """`tg-pipeline` with a home and a schema of its own on the tests' server."""
    return Inside(
        tmp_path,
        {
            "TG_PIPELINE_HOME": str(tmp_path / "home"),
            "TG_PIPELINE_DATABASE_URL": server_url,
            "TG_PIPELINE_DATABASE_SCHEMA": schema,
        },
    )


@pytest.fixture
def station(program: Program, tmp_path: Path) -> Iterator[Station]:
    """The command line with a loopback Telegram."""
    town = Town()
    with TelegramServer(town.world) as server:
        environment = {**program.environment, **station_environment(server, tmp_path)}
        yield Station(Program(tmp_path, environment), server, town)
