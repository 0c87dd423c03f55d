"""What holds of the package as a whole: imports, public names, migrations, sizes."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

import tg_pipeline
from tg_pipeline import contracts
from tg_pipeline.store import schema
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import HEAD, metadata

ROOT = Path(__file__).parents[1]
PACKAGE = Path(tg_pipeline.__file__).parent
MOST_LINES = 400
LONGER: set[str] = set()
CONTRACTS = """
    SCHEMA_VERSION Action BatchManifest Chat ChatKey ChatType DatePrecision Entity FileManifest
    FileOutcome Forward IdRange Kind Media Message Origin Participant Poll PollAnswer Reaction
    Record Rejected Source content_hash decode encode
"""


@pytest.fixture
def empty(server_url: str) -> Iterator[Database]:
    """A schema that does not exist yet."""
    opened = Database(server_url, f"test_{uuid.uuid4().hex[:12]}")
    try:
        yield opened
    finally:
        with opened.transaction() as connection:
            connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{opened.schema}" CASCADE')
        opened.close()


def tables(database: Database) -> set[str]:
    with database.transaction() as connection:
        return set(sa.inspect(connection).get_table_names(schema=database.schema))


def test_imports_run_one_way() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_public_names_of_contracts_change_only_on_purpose() -> None:
    assert contracts.__all__ == CONTRACTS.split()
    assert all(hasattr(contracts, name) for name in contracts.__all__)


def test_migrations_make_the_tables_of_the_models(database: Database) -> None:
    with database.transaction() as connection:
        assert schema.differences(connection) == []


def test_migrations_differences_are_seen(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE messages DROP COLUMN post_author")
        assert "post_author" in str(schema.differences(connection))
        connection.rollback()


def test_migrations_go_up_and_down_and_up(empty: Database) -> None:
    expected = {table.name for table in metadata.sorted_tables} | {"alembic_version"}

    for _ in range(2):
        with empty.transaction() as connection:
            schema.upgrade(connection, empty.schema)
            assert schema.current_revision(connection, empty.schema) == HEAD
        assert tables(empty) == expected
        with empty.transaction() as connection:
            schema.downgrade(connection, empty.schema)
            assert schema.current_revision(connection, empty.schema) is None
        assert tables(empty) == {"alembic_version"}


def test_migrations_have_one_head_and_the_code_knows_it() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_modules_can_be_read_at_one_sitting(path: Path) -> None:
    if path.name not in LONGER:
        assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
    assert path.read_bytes().count(b'"""') or not path.stat().st_size, (
        "a module says what it is for"
    )
