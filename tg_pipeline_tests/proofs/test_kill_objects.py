"""Kill -9 of an export to S3 at any moment: the manifest there never names what is not there."""

import random
import subprocess
import sys
import time
from datetime import date

import pytest

from tg_pipeline.exports import publish
from tg_pipeline.files import open_place
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import windows
from tg_pipeline_tests import state
from tg_pipeline_tests.exports.rows import CHANNEL, execute, few, insert, recount
from tg_pipeline_tests.objects.conftest import enter, moto, new_bucket, s3

__all__ = ["enter", "moto", "new_bucket", "s3"]  # fixtures
MONTHS = [date(2024, n, 1) for n in range(1, 9)]
ROWS = 300
PUBLISH = """
import sys
from tg_pipeline.exports import publish
from tg_pipeline.files import open_place
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import windows

url, schema, folder = sys.argv[1:]
place = open_place(folder)
place.fs.exists(place.path)
with Database(url, schema) as database:
    with database.transaction() as connection:
        wanted = windows(connection, "month")
    print("ready", flush=True)
    publish(database, place, wanted, force=True)
"""


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(2, id="short"),
        pytest.param(10, id="long", marks=[pytest.mark.prove, pytest.mark.timeout(1200)]),
    ],
)
def test_killed_exports_leave_a_whole_dataset(database: Database, s3: str, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    made = [few(CHANNEL, day, ROWS, n * 1000 + 1) for n, day in enumerate(MONTHS)]
    insert(database, [row for month in made for row in month])
    duration = published(database, s3)
    for number in range(kills):
        execute(database, f"UPDATE messages SET text = 'round {number} ' || id")
        recount(database)
        share = (number + chance.random()) / kills
        kill_after(share * duration, database, s3)
        totals = state.published(open_place(s3))["messages"]["totals"]
        assert totals["parquet"]["rows"] == totals["jsonl"]["rows"] == len(MONTHS) * ROWS
    published(database, s3)
    document = state.published(open_place(s3))["messages"]
    with database.transaction() as connection:
        wanted = windows(connection, "month")
    assert publish(database, open_place(s3), wanted, force=True).written == 0
    assert document["totals"]["parquet"]["files"] == len(MONTHS)


def published(database: Database, folder: str) -> float:
    """Publish in a process of its own; the seconds it took once it was ready."""
    with started(database, folder) as process:
        began = time.monotonic()
        assert process.wait(120) == 0
        return time.monotonic() - began


def kill_after(seconds: float, database: Database, folder: str) -> None:
    with started(database, folder) as process:
        time.sleep(seconds)
        process.kill()


def started(database: Database, folder: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, database.url, database.schema, folder],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process
