"""An archive whose landing zone and exports lie on an object store is the one a folder holds."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tg_pipeline import files, flows
from tg_pipeline.exports import manifest
from tg_pipeline.files import Place
from tg_pipeline.flows import Archive, ImportOptions, doctor, import_files, refresh, stages
from tg_pipeline.flows.settle import rebuild
from tg_pipeline.landing import LandingZone
from tg_pipeline.orchestration import metadata
from tg_pipeline_tests import state
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.making import chat, message, written
from tg_pipeline_tests.proofs import samples

MESSAGES = 600
LATER = samples.AS_OF + timedelta(days=90)
Twins = tuple[Archive, Archive]


@pytest.fixture
def twins(new_archive: NewArchive, url: str) -> Twins:
    """An archive on an object store, and one in folders."""
    return _on(new_archive(), url), new_archive()


def _on(archive: Archive, url: str) -> Archive:
    update = {"landing": f"{url}/landing", "exports": f"{url}/published/exports"}
    settings = archive.settings.model_validate({**archive.settings.model_dump(), **update})
    return replace(archive, settings=settings, zone=LandingZone(settings.landing_folder))


def whole(archive: Archive) -> dict[str, Any]:
    """Tables, batches and published files, every file checked against its manifest."""
    return {
        **state.contents(archive.database),
        "landed": sorted(state.landed(archive.zone.folder).items()),
        "exports": sorted(state.published(archive.exports).items()),
    }


def test_the_same_archive_as_in_folders(twins: Twins, tmp_path: Path) -> None:
    """Import, publish, publish again, import a later export, withdraw one, clear away, rebuild."""
    remote, local = twins
    first = samples.chat_export(tmp_path / "first.json", MESSAGES)
    later = samples.chat_export(tmp_path / "later.json", MESSAGES, as_of=LATER)
    edited = tmp_path / "edited.json"
    edited.write_text(first.read_text("utf-8").replace("the", "The"), "utf-8")
    for file in (first, later, edited):
        for archive in twins:
            (report,) = import_files(archive, [file])
            assert report.error is None
            refresh(archive)
        state.assert_same(whole(remote), whole(local))
    _nothing_changes(remote)
    _withdrawn_as_one(twins, edited)
    _cleared(remote)
    before = state.archived(remote.database)
    assert rebuild(remote) == []
    state.assert_same(state.archived(remote.database), before)
    _is_read(remote.exports / "messages")
    assert [one for one in doctor.examine(remote.settings) if not one.well] == []


def _nothing_changes(remote: Archive) -> None:
    objects = [files.listing(place) for place in (remote.exports, remote.zone.folder)]
    again = refresh(remote)
    assert (again.written, again.manifest_replaced) == (0, False)
    assert [files.listing(place) for place in (remote.exports, remote.zone.folder)] == objects


def _withdrawn_as_one(twins: Twins, file: Path) -> None:
    for archive in twins:
        (report,) = import_files(archive, [file], ImportOptions(supplier="Ada", replace=True))
        assert report.error is None
        refresh(archive)
    remote, local = map(whole, twins)
    assert any(name.endswith(".withdrawn.json") for name, _ in remote["landed"])
    state.assert_same(remote, local)


def _cleared(remote: Archive) -> None:
    """Superseded files stay for their hour; then they go, and nothing else."""
    dataset = remote.exports / "messages"
    document = json.loads(files.read(dataset / manifest.MANIFEST))
    named = {file["path"] for file in document["files"]}
    told = json.loads(files.read(dataset / manifest.SUPERSEDED))
    there = files.listing(dataset)
    data = {path for path in there if not path.startswith("_")}
    assert set(told) == data - named != set()
    assert manifest.prune(dataset, there, named) == 0
    assert manifest.prune(dataset, there, named, grace_seconds=-60) == len(told)
    assert set(files.names(dataset)) == {*named, manifest.MANIFEST, manifest.SUPERSEDED}
    state.published(remote.exports)


def _is_read(dataset: Place) -> None:
    """As people read it: by the manifest, through fsspec."""
    document = json.loads(fsspec.open(f"{dataset}/_manifest.json").open().read())
    paths = [file["path"] for file in document["files"] if file["format"] == "parquet"]
    store, below = fsspec.url_to_fs(f"{dataset}")
    frame = pd.concat(pd.read_parquet(f"{below}/{path}", filesystem=store) for path in paths)
    table = pq.read_table([f"{below}/{path}" for path in paths], filesystem=store)
    assert len(frame) == table.num_rows == document["totals"]["parquet"]["rows"] > MESSAGES / 2


def test_the_reading_example_reads(
    new_archive: NewArchive,
    s3: str,
    tmp_path: Path,
    enter: Callable[[dict[str, str]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = _on(new_archive(), s3)
    list(import_files(archive, [written(tmp_path / "one.json", chat(message(1), message(2)))]))
    refresh(archive)
    enter({"AWS_ALLOW_HTTP": "true"})  # polars asks for it
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "object-storage.md").read_text("utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    held: dict[str, Any] = {}
    exec(example.replace("s3://my-archive/exports", f"{archive.exports}"), held)
    assert len(held["frame"]) == 2
    assert "message" in capsys.readouterr().out


def test_a_damaged_and_a_lost_object_are_told(
    new_archive: NewArchive, s3: str, tmp_path: Path
) -> None:
    archive = _on(new_archive(), s3)
    list(import_files(archive, [written(tmp_path / "one.json", chat(message(1), message(2)))]))
    refresh(archive)
    (data,) = (name for name in files.names(archive.zone.folder) if name.endswith(".zst"))
    with files.durable(archive.zone.folder / data) as file:
        file.write(b"cut")
    (finding,) = (one for one in doctor.examine(archive.settings) if not one.well)
    assert f"batch {archive.zone.folder / data} is damaged" in finding.found
    damaged = rebuild(archive)
    assert [error.batch for error in damaged] == [f"{archive.zone.folder / data}"]
    files.delete(archive.zone.folder / data)
    assert len(rebuild(archive)) == 1


def test_a_lost_file_is_published_again(new_archive: NewArchive, s3: str, tmp_path: Path) -> None:
    archive = _on(new_archive(), s3)
    list(import_files(archive, [written(tmp_path / "one.json", chat(message(1), message(2)))]))
    refresh(archive)
    before = state.published(archive.exports)
    lost = next(name for name in files.names(archive.exports) if name.endswith(".parquet"))
    files.delete(archive.exports / lost)
    assert flows.due_chats(archive) != []
    assert refresh(archive).written == 2
    assert state.published(archive.exports) == before
    assert flows.due_chats(archive) == []


def test_the_rule_that_reads_landing_again_reads_it_there(
    new_archive: NewArchive, s3: str, tmp_path: Path
) -> None:
    archive = _on(new_archive(), s3)
    list(import_files(archive, [written(tmp_path / "one.json", chat(message(1), message(2)))]))
    assert refresh(archive).refused == ()
    with archive.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM messages WHERE id = 2")
    windows = flows.find_windows(archive)
    flows.check_windows(archive, windows)
    failing = {rule for one in stages.judged(archive, windows).values() for rule in one.failing}
    assert "loaded_is_landed" in failing


def test_dagster_is_told_the_urls(new_archive: NewArchive, s3: str, tmp_path: Path) -> None:
    archive = _on(new_archive(), s3)
    list(import_files(archive, [written(tmp_path / "one.json", chat(message(1)))]))
    (done,) = refresh(archive).windows
    told = [metadata.of_files([file], f"{archive.exports}/messages") for file in done.files]
    assert sorted(one["path"].value for one in told) == sorted(
        f"{archive.exports / 'messages' / file.path}" for file in done.files
    )
    assert all(one["path"].value.startswith("s3://") for one in told)
