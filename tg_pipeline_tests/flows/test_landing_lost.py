"""A landing zone that cannot be seen is never taken for an empty one."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline import flows
from tg_pipeline.errors import DatabaseLost, LandingIncomplete
from tg_pipeline.flows import Archive, ImportOptions, Step
from tg_pipeline_tests.flows.making import chat, message, written
from tg_pipeline_tests.state import archived, local_folder

LOSE_THE_LOCK = """
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'advisory' AND datname = current_database() AND state = 'idle'
"""


def filled(archive: Archive, folder: Path) -> dict[str, list[str]]:
    """An archive of two messages, and what it holds."""
    path = written(folder / "first.json", chat(message(1), message(2)))
    (report,) = flows.import_files(archive, [path])
    assert report.counts.new == 2
    return archived(archive.database)


def test_tables_stay_when_the_landing_folder_is_away(archive: Archive, tmp_path: Path) -> None:
    before = filled(archive, tmp_path)
    landing = local_folder(archive.zone.folder)
    landing.rename(tmp_path / "unmounted")
    other = written(tmp_path / "other.json", chat(message(7), id=4711))
    for settle in (flows.settle, lambda one: list(flows.import_files(one, [other]))):
        with pytest.raises(LandingIncomplete, match="lacks 1 batches"):
            settle(archive)
    assert archived(archive.database) == before
    (tmp_path / "unmounted").rename(landing)
    assert flows.settle(archive) == []
    assert archived(archive.database) == before


def test_rebuild_accepts_what_is_left_of_landing(archive: Archive, tmp_path: Path) -> None:
    filled(archive, tmp_path)
    for path in local_folder(archive.zone.folder).glob("*/*.json"):
        if path.parent.name != "_files":
            path.unlink()
    assert flows.rebuild(archive) == []
    assert not archived(archive.database)["messages"]


def test_tables_and_manifest_stay_when_folders_cannot_be_read(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled(archive, tmp_path)
    flows.refresh(archive).require_all()
    manifest = local_folder(archive.exports) / "messages" / "_manifest.json"
    published = manifest.read_bytes()
    scandir = os.scandir

    def broken(path: Any = ".") -> Any:
        if Path(path).name.startswith(("chat=", "-100")):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return scandir(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", broken)
        for work in (flows.settle, flows.publish_windows):
            with pytest.raises(OSError, match="Input/output error"):
                work(archive)
    assert archived(archive.database) == before
    assert manifest.read_bytes() == published


def test_import_that_has_lost_its_lock_stops_before_it_does_harm(
    archive: Archive, tmp_path: Path
) -> None:
    path = written(tmp_path / "one.json", chat(*(message(n) for n in range(1, 50))))

    def progress(step: Step) -> None:
        if step.what.startswith("importing"):
            with archive.database.transaction() as connection:
                connection.exec_driver_sql(LOSE_THE_LOCK)

    with pytest.raises(DatabaseLost):
        list(flows.import_files(archive, [path], progress=progress))
    assert not archived(archive.database)["messages"]
    (report,) = flows.import_files(archive, [path], ImportOptions())
    assert report.error is None
    assert len(archived(archive.database)["messages"]) == 49
