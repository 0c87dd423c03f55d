"""An archive and a Dagster instance of its own for each test, both on the real server."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from tg_pipeline.flows import open_archive
from tg_pipeline.orchestration.build import expect_warnings
from tg_pipeline.orchestration.instance import open_instance
from tg_pipeline.settings import load
from tg_pipeline_tests.conftest import GIVEN_SERVER
from tg_pipeline_tests.orchestration.pipeline import Pipeline


@pytest.fixture(autouse=True)
def _expected_warnings() -> None:
    expect_warnings()


@pytest.fixture(scope="session")
def superuser_url(server_url: str) -> str:
    """May create databases: Dagster's tables get one for each test."""
    if GIVEN_SERVER in os.environ:
        pytest.skip("databases for Dagster are created on the embedded server")
    return server_url.replace("tg_pipeline@/tg_pipeline", "postgres@/postgres")


@pytest.fixture(scope="session")
def template(superuser_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with Dagster's tables, to be copied: making them takes seconds."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    execute(superuser_url, f"CREATE DATABASE {name} OWNER tg_pipeline")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("template")))
        patch.setenv("TG_PIPELINE_DAGSTER_DATABASE_URL", url_of(superuser_url, name))
        with open_instance() as instance:
            assert instance.get_runs_count() == 0
    return name


@pytest.fixture
def surroundings(
    superuser_url: str,
    server_url: str,
    template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Environment variables that name a new archive and a new Dagster; the archive's home."""
    schema, name = f"test_{uuid.uuid4().hex[:12]}", f"dagster_{uuid.uuid4().hex[:12]}"
    execute(superuser_url, f"CREATE DATABASE {name} TEMPLATE {template} OWNER tg_pipeline")
    monkeypatch.setenv("TG_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TG_PIPELINE_DATABASE_URL", server_url)
    monkeypatch.setenv("TG_PIPELINE_DATABASE_SCHEMA", schema)
    monkeypatch.setenv("TG_PIPELINE_DAGSTER_DATABASE_URL", url_of(superuser_url, name))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    yield tmp_path / "home"
    execute(superuser_url, f"DROP DATABASE {name} WITH (FORCE)")
    execute(server_url, f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


@pytest.fixture
def instance(surroundings: Path) -> Iterator[dg.DagsterInstance]:
    """An empty Dagster instance."""
    assert surroundings
    with open_instance() as opened:
        yield opened


@pytest.fixture
def pipeline(instance: dg.DagsterInstance) -> Iterator[Pipeline]:
    """Our definitions over an empty archive and an empty instance."""
    settings = load().settings
    with open_archive(settings) as archive:
        yield Pipeline(settings, archive, instance)


def url_of(server: str, database: str) -> str:
    """The URL of a database on the tests' server, as its owner."""
    return server.replace("postgres@/postgres", f"tg_pipeline@/{database}")


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
