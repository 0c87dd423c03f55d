"""Killed, out of space, cut from the server, or two at once: the dataset stays whole."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from tg_pipeline.errors import DatabaseLost, DiskFull
from tg_pipeline.exports import publish
from tg_pipeline.exports.drafts import Draft
from tg_pipeline.exports.snapshot import Reader, open_reader
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Window, windows
from tg_pipeline_tests.exports.conftest import Publish
from tg_pipeline_tests.exports.reading import damages, rows
from tg_pipeline_tests.exports.rows import CHANNEL, execute, few, insert, message, on, recount

MONTHS = [date(2024, n, 1) for n in range(1, 9)]
PUBLISH = """
import sys
from pathlib import Path
from tg_pipeline.exports import publish
from tg_pipeline.exports.drafts import Draft
from tg_pipeline.store.windows import windows
from tg_pipeline.store.database import Database

url, schema, folder = sys.argv[1:]
with Database(url, schema) as database:
    with database.transaction() as connection:
        wanted = windows(connection, "month")
    print("ready", flush=True)
    publish(database, Path(folder), wanted, force=True)
"""


@pytest.fixture
def months(database: Database) -> None:
    made = [few(CHANNEL, day, 800, n * 1000 + 1) for n, day in enumerate(MONTHS)]
    insert(database, [row for month in made for row in month])


def edit_everything(database: Database, label: str) -> None:
    execute(database, f"UPDATE messages SET text = '{label} ' || id")
    recount(database)


def start(database: Database, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISH, database.url, database.schema, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.usefixtures("months")
def test_killed_at_any_moment(database: Database, folder: Path, publish_all: Publish) -> None:
    publish_all()
    chance = random.Random(7)
    for round_ in range(6):
        edit_everything(database, f"round {round_}")
        with start(database, folder) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.6))
            os.kill(process.pid, signal.SIGKILL)
        assert not list(damages(folder)), f"after kill {round_}"
        assert len(rows(folder)) == 8 * 800
    publish_all()
    assert not list(damages(folder))
    assert {row["text"].split()[1] for row in rows(folder)} == {"5"}


@pytest.mark.usefixtures("months")
@pytest.mark.parametrize("place", ["record", "_refresh", "replaced"])
def test_cut_off_between_file_record_and_manifest(
    database: Database,
    folder: Path,
    publish_all: Publish,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    names = {
        "record": "tg_pipeline.exports.publication.ledger.record",
        "_refresh": "tg_pipeline.exports.publication._refresh",
        "replaced": "tg_pipeline.exports.publication.manifest.prune",
    }
    publish_all()
    edit_everything(database, "new")

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(names[place], cut)
        with pytest.raises(KeyboardInterrupt):
            publish_all()
    assert not list(damages(folder))
    assert len(rows(folder)) == 8 * 800
    publish_all()
    assert not list(damages(folder))
    assert all(row["text"].startswith("new") for row in rows(folder))


@pytest.mark.usefixtures("months")
def test_what_a_killed_run_finished_is_not_written_again(
    folder: Path, publish_all: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tg_pipeline.exports.publication._refresh", cut)
        with pytest.raises(KeyboardInterrupt):
            publish_all()
    resumed = publish_all()
    assert (resumed.written, resumed.unchanged, resumed.manifest_replaced) == (0, 16, True)


@pytest.mark.usefixtures("months")
def test_two_publishers_at_once(database: Database, folder: Path, publish_all: Publish) -> None:
    publish_all()
    for round_ in range(3):
        edit_everything(database, f"round {round_}")
        with ThreadPoolExecutor(2) as threads:
            done = [future.result() for future in [threads.submit(publish_all) for _ in range(2)]]
        assert sum(published.written for published in done) == 16
        assert not list(damages(folder))
        assert {row["text"].split()[1] for row in rows(folder)} == {f"{round_}"}


@pytest.mark.usefixtures("months")
def test_two_processes_and_a_writer_at_once(database: Database, folder: Path) -> None:
    running = [start(database, folder) for _ in range(2)]
    for n in range(5):
        edit_everything(database, f"round {n}")
        time.sleep(0.1)
    assert [process.wait(120) for process in running] == [0, 0]
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    assert not list(damages(folder))
    assert len(rows(folder)) == 8 * 800


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_the_dataset_as_it_was(database: Database, small_disk: Path) -> None:
    chance = random.Random(3)
    insert(database, few(CHANNEL, MONTHS[0], 10))
    january = [Window(CHANNEL, MONTHS[0], "month")]
    publish(database, small_disk, january, force=True)
    before = (small_disk / "messages" / "_manifest.json").read_bytes()
    insert(
        database,
        [
            message(CHANNEL, 100 + n, on(MONTHS[0], n), text=chance.randbytes(400).hex())
            for n in range(6000)
        ],
    )
    with pytest.raises(DiskFull, match="small"):
        publish(database, small_disk, january, force=True)
    assert (small_disk / "messages" / "_manifest.json").read_bytes() == before
    assert not list(damages(small_disk))
    assert not list(small_disk.rglob("*.tmp"))


def test_a_disk_that_is_full_in_the_middle_of_a_large_window_is_told_as_such(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the window are still being read at that moment; nothing of that may stay open."""
    insert(database, few(CHANNEL, MONTHS[0], 12_000))
    written = Draft.write

    def full(draft: Draft, data: bytes) -> int:
        if draft._bytes > 100_000:
            raise DiskFull(tmp_path)
        return written(draft, data)

    wanted = [Window(CHANNEL, MONTHS[0], "month")]
    with monkeypatch.context() as patch:
        patch.setattr(Draft, "write", full)
        with pytest.raises(DiskFull):
            publish(database, tmp_path, wanted, force=True)
    with database.transaction() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        connection.exec_driver_sql("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
    assert publish(database, tmp_path, wanted, force=True).rows == 12_000


def test_a_server_that_goes_away_in_mid_stream(database: Database) -> None:
    insert(database, few(CHANNEL, MONTHS[0], 30_000))
    with database.transaction() as connection:
        window = windows(connection, "month")[0]
    with open_reader(database) as reader:
        batches = reading(reader, window, lambda pid: end_backend(database, pid))
        with pytest.raises(DatabaseLost):
            list(batches)


def reading(reader: Reader, window: Window, cut: Callable[[int], None]) -> Iterator[int]:
    """Read a window, and be cut off after the first batch."""
    with reader.snapshot() as snapshot:
        pid = snapshot._all("SELECT pg_backend_pid() AS pid")[0][0]
        for number, batch in enumerate(snapshot.batches(window)):
            if number == 0:
                cut(pid)
            yield batch.num_rows


def end_backend(database: Database, pid: int) -> None:
    execute(database, f"SELECT pg_terminate_backend({pid:d})")


@pytest.mark.usefixtures("months")
def test_memory_does_not_grow_with_rows(database: Database) -> None:
    """Batches are streamed: the first arrives long before the last is read."""
    insert(database, few(CHANNEL, date(2025, 1, 1), 40_000, 100_000))
    window = Window(CHANNEL, date(2025, 1, 1), "month")
    with open_reader(database) as reader, reader.snapshot() as snapshot:
        sizes = [batch.nbytes for batch in snapshot.batches(window)]
    assert len(sizes) > 3
    assert max(sizes) < 16 * 1024 * 1024
