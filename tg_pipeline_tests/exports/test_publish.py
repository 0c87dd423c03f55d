"""When files are written, left alone, withdrawn and deleted."""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tg_pipeline.errors import CountsDiffer, DatabaseUnreachable, FolderNotWritable
from tg_pipeline.exports import Outcome, manifest, publish
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Window, windows
from tg_pipeline_tests.exports import reading
from tg_pipeline_tests.exports.conftest import Publish
from tg_pipeline_tests.exports.reading import damages, files, on_disk, rows
from tg_pipeline_tests.exports.rows import (
    CHANNEL,
    PRIVATE,
    execute,
    few,
    insert,
    message,
    on,
    recount,
)

JANUARY, FEBRUARY = date(2024, 1, 1), date(2024, 2, 1)
State = dict[Path, tuple[int, int]]


def state(folder: Path) -> State:
    """Inode and time of every file, the manifest's too."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


@pytest.fixture
def two_months(database: Database) -> None:
    insert(database, few(CHANNEL, JANUARY, 5) + few(CHANNEL, FEBRUARY, 3, 100))


def edit_january(database: Database) -> None:
    execute(database, "UPDATE messages SET text = 'edited' WHERE id = 2")
    recount(database)


@pytest.mark.usefixtures("two_months")
def test_the_manifest_is_the_dataset(folder: Path, publish_all: Publish) -> None:
    published = publish_all()
    assert (published.written, published.unchanged, published.rows) == (4, 0, 8)
    found = reading.manifest(folder)
    assert found["totals"]["parquet"]["rows"] == found["totals"]["jsonl"]["rows"] == 8
    assert found["totals"]["parquet"]["files"] == 2
    assert [(file["period"], file["format"]) for file in found["files"]] == [
        ("2024-01-01", "jsonl"),
        ("2024-01-01", "parquet"),
        ("2024-02-01", "jsonl"),
        ("2024-02-01", "parquet"),
    ]
    first = found["files"][0]
    assert (first["verdict"], first["profile"], first["forced"]) == ("passed", "full", False)
    assert (
        first["path"] == f"jsonl/chat=-1001613744721/period=2024-01-01/{first['sha256']}.jsonl.zst"
    )
    assert {field["name"] for field in found["fields"]} == set(rows(folder)[0])
    assert not list(damages(folder))
    assert on_disk(folder) == {*files(folder, "parquet"), *files(folder, "jsonl")}


@pytest.mark.usefixtures("two_months")
def test_what_is_unchanged_is_not_touched(folder: Path, publish_all: Publish) -> None:
    publish_all()
    before = state(folder)
    again = publish_all()
    assert (again.written, again.unchanged, again.manifest_replaced) == (0, 4, False)
    assert state(folder) == before


@pytest.mark.usefixtures("two_months")
def test_a_changed_day_rewrites_only_its_window(
    database: Database, folder: Path, publish_all: Publish
) -> None:
    publish_all()
    before = state(folder)
    edit_january(database)
    published = publish_all()
    outcomes = {window.window.period: window.outcome for window in published.windows}
    assert outcomes == {JANUARY: Outcome.WRITTEN, FEBRUARY: Outcome.UNCHANGED}
    after = state(folder)
    kept = [path for path in before if "period=2024-02" in str(path)]
    assert len(kept) == 2
    assert all(after[path] == before[path] for path in kept)
    assert "edited" in {row["text"] for row in rows(folder)}
    assert not list(damages(folder))


@pytest.mark.usefixtures("two_months")
def test_another_exporter_version_rewrites(
    publish_all: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_all()
    monkeypatch.setattr("tg_pipeline.exports.publication.EXPORTER_VERSION", "next")
    assert publish_all().written == 4


@pytest.mark.usefixtures("two_months")
def test_a_lost_or_cut_file_is_written_again(folder: Path, publish_all: Publish) -> None:
    publish_all()
    files(folder, "jsonl")[0].unlink()
    with files(folder, "parquet")[1].open("r+b") as file:
        file.truncate(10)
    assert publish_all().written == 4
    assert not list(damages(folder))


@pytest.mark.usefixtures("two_months")
def test_a_lost_file_that_is_not_asked_for_leaves_the_manifest(
    database: Database, folder: Path, publish_all: Publish
) -> None:
    publish_all()
    files(folder, "jsonl")[0].unlink()
    publish(database, folder, [Window(CHANNEL, FEBRUARY, "month")])
    assert {file["period"] for file in reading.manifest(folder)["files"]} == {"2024-02-01"}
    assert publish_all().written == 2


@pytest.mark.usefixtures("two_months")
def test_superseded_files_stay_for_an_hour(
    database: Database, folder: Path, publish_all: Publish
) -> None:
    publish_all()
    old = [path for path in on_disk(folder) if "period=2024-01" in str(path)]
    age = time.time() - 5 * manifest.GRACE_SECONDS
    for path in on_disk(folder):  # written long ago, superseded only now
        os.utime(path, (age, age))
    edit_january(database)
    publish_all()
    assert all(path.exists() for path in old)
    publish_all()
    assert all(path.exists() for path in old)
    superseded = folder / "messages" / manifest.SUPERSEDED
    told = json.loads(superseded.read_bytes())
    assert {folder / "messages" / path for path in told} == set(old)
    past = datetime.now(UTC) - timedelta(seconds=manifest.GRACE_SECONDS + 60)
    superseded.write_text(json.dumps(dict.fromkeys(told, f"{past:%Y-%m-%dT%H:%M:%SZ}")))
    publish_all()
    assert not any(path.exists() for path in old)
    assert json.loads(superseded.read_bytes()) == {}
    assert len(on_disk(folder)) == 4
    assert not list(damages(folder))


@pytest.mark.usefixtures("two_months")
def test_leftovers_of_killed_runs_go(folder: Path, publish_all: Publish) -> None:
    publish_all()
    place = files(folder, "parquet")[0].parent
    leftovers = [place / ".0af.parquet.tmp", folder / "messages" / "._manifest.json.77.tmp"]
    young = place / ".fresh.parquet.tmp"
    for path in (*leftovers, young):
        path.write_bytes(b"half")
    past = time.time() - manifest.GRACE_SECONDS - 60
    for path in leftovers:
        os.utime(path, (past, past))
    publish_all()
    assert not any(path.exists() for path in leftovers)
    assert young.exists()


@pytest.mark.usefixtures("two_months")
def test_a_window_whose_rows_vanished_is_withdrawn(
    database: Database, folder: Path, publish_all: Publish
) -> None:
    insert(database, few(PRIVATE, JANUARY, 2))
    publish_all()
    execute(database, "DELETE FROM messages WHERE account_id = 777")
    execute(database, "UPDATE messages SET date = '2024-02-03' WHERE date < '2024-02-01'")
    recount(database)
    published = publish_all()
    assert len(published.withdrawn) == 4
    assert {(f["chat"], f["period"]) for f in reading.manifest(folder)["files"]} == {
        (str(CHANNEL), "2024-02-01")
    }
    assert len(rows(folder)) == 8
    assert not list(damages(folder))


def test_an_empty_window_has_no_file(database: Database, folder: Path) -> None:
    published = publish(database, folder, [Window(CHANNEL, JANUARY, "month")])
    assert [window.outcome for window in published.windows] == [Outcome.EMPTY]
    assert reading.manifest(folder)["files"] == []
    assert not on_disk(folder)


@pytest.mark.usefixtures("two_months")
@pytest.mark.parametrize(("before", "after"), [("month", "day"), ("day", "month")])
def test_a_changed_grain_withdraws_the_other(
    folder: Path, publish_all: Publish, before: str, after: str
) -> None:
    publish_all(before)
    published = publish_all(after)
    assert len(published.withdrawn) == 4
    assert {file["grain"] for file in reading.manifest(folder)["files"]} == {after}
    assert len(rows(folder)) == 8
    assert publish_all(after).unchanged == 4


@pytest.mark.usefixtures("two_months")
def test_a_change_of_grain_that_was_cut_short_lists_no_row_twice(
    database: Database, folder: Path, publish_all: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(database, few(PRIVATE, JANUARY, 2))
    publish_all("month")

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tg_pipeline.exports.publication._refresh", cut)
        with pytest.raises(KeyboardInterrupt), database.transaction() as connection:
            publish(database, folder, windows(connection, "day", [CHANNEL]))
    publish(database, folder, [Window(PRIVATE, JANUARY, "month")])
    assert {file["grain"] for file in reading.manifest(folder)["files"]} == {"month"}
    assert len(rows(folder)) == 10
    publish_all("day")
    assert {file["grain"] for file in reading.manifest(folder)["files"]} == {"day"}
    assert len(rows(folder)) == 10


@pytest.mark.usefixtures("two_months")
@pytest.mark.parametrize("rows_told", [4, 6])
def test_counts_that_differ_leave_the_manifest(
    database: Database, folder: Path, publish_all: Publish, rows_told: int
) -> None:
    publish_all()
    before = reading.manifest(folder)
    edit_january(database)
    execute(database, f"UPDATE chat_days SET rows = {rows_told} WHERE day = '2024-01-01'")
    with pytest.raises(CountsDiffer, match=r"period=2024-01-01"):
        publish_all()
    assert reading.manifest(folder) == before
    assert not list(damages(folder))


@pytest.mark.usefixtures("two_months")
def test_rows_that_chat_days_does_not_know_are_found(database: Database, folder: Path) -> None:
    execute(database, "DELETE FROM chat_days")
    with pytest.raises(CountsDiffer):
        publish(database, folder, [Window(CHANNEL, JANUARY, "month")])


@pytest.mark.usefixtures("two_months")
def test_a_damaged_manifest_is_made_anew(folder: Path, publish_all: Publish) -> None:
    publish_all()
    (folder / "messages" / "_manifest.json").write_text("{half")
    assert publish_all().manifest_replaced
    assert not list(damages(folder))


def test_progress_is_told_per_window(database: Database, folder: Path) -> None:
    insert(database, [message(CHANNEL, n, on(date(2024, n, 1))) for n in range(1, 5)])
    told: list[int] = []
    with database.transaction() as connection:
        wanted = windows(connection, "month")
    publish(database, folder, wanted, progress=lambda done: told.append(done.window.period.month))
    assert told == [1, 2, 3, 4]


def test_a_folder_that_cannot_be_made_is_named(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderNotWritable, match="file"):
        publish(database, tmp_path / "file", [])


def test_an_unreachable_server_is_named(folder: Path) -> None:
    with (
        Database("postgresql://nobody@127.0.0.1:9/none", "x") as nowhere,
        pytest.raises(DatabaseUnreachable),
    ):
        publish(nowhere, folder, [Window(CHANNEL, JANUARY, "month")])
