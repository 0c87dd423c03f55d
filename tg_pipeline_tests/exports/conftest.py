"""Publishing as the tests do it: everything that is there, month by month."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tg_pipeline.exports import Published, publish, windows_of
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Grain, windows
from tg_pipeline_tests.exports.rows import vouch

Publish = Callable[..., Published]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "exports"


@pytest.fixture
def publish_all(database: Database, folder: Path) -> Publish:
    """Publish everything, vouched for."""

    def run(grain: Grain = "month") -> Published:
        vouch(database)
        with database.transaction() as connection:
            wanted = [*windows(connection, grain), *windows_of(connection, grain)]
        return publish(database, folder, wanted)

    return run
