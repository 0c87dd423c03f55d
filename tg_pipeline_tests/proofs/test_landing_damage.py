"""A damaged batch is named and refused, never half-loaded, and stands in nobody else's way."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tg_pipeline.contracts import FileOutcome
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.flows import Archive, FileReport, import_files, rebuild, settle, status
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database
from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.state import assert_same, contents, local_folder

MESSAGES = 300


@pytest.fixture
def archive(database: Database, zone: LandingZone) -> Archive:
    return Archive(Settings(home=zone.folder.parent), database, zone)


def flip_a_bit(data: Path) -> None:
    found = bytearray(data.read_bytes())
    found[len(found) // 2] ^= 1
    data.write_bytes(found)


def truncate(data: Path) -> None:
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])


def remove(data: Path) -> None:
    data.unlink()


def cut_the_manifest(data: Path) -> None:
    truncate(manifest_of(data))


def empty_the_manifest(data: Path) -> None:
    manifest_of(data).write_bytes(b"")


def name_another_hash(data: Path) -> None:
    told = json.loads(manifest_of(data).read_bytes())
    manifest_of(data).write_text(json.dumps({**told, "sha256": "0" * 64}))


def manifest_of(data: Path) -> Path:
    return data.with_name(data.name.replace(".jsonl.zst", ".json"))


DAMAGES = [
    flip_a_bit,
    truncate,
    remove,
    cut_the_manifest,
    empty_the_manifest,
    name_another_hash,
]


def imported(archive: Archive, *files: Path) -> list[FileReport]:
    return list(import_files(archive, files))


def data_files(archive: Archive) -> list[Path]:
    return sorted(local_folder(archive.zone.folder).glob("*/*.jsonl.zst"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_batch_is_named_and_everything_else_is_loaded(
    damage: Callable[[Path], None], archive: Archive, tmp_path: Path
) -> None:
    """The other file is of the same chat: its import and its rebuild go through."""
    later = samples.chat_export(tmp_path / "later.json", MESSAGES)
    imported(archive, later)
    without = contents(archive.database)
    sound = set(data_files(archive))

    earlier = samples.chat_export(tmp_path / "earlier.json", MESSAGES, as_of=samples.END)
    imported(archive, earlier)
    whole = contents(archive.database)
    (data,) = set(data_files(archive)) - sound
    kept = data.read_bytes(), manifest_of(data).read_bytes()
    damage(data)

    (told,) = rebuild(archive)
    assert isinstance(told, BatchDamaged)
    assert data.name.split(".")[0] in told.message
    assert_same(contents(archive.database), without)

    third = samples.chat_export(tmp_path / "third.json", MESSAGES, as_of=samples.MIDDLE)
    (report,) = imported(archive, third)
    assert report.outcome is FileOutcome.IMPORTED, report.reason

    assert [chat.chat for chat in status(archive)] == [data.parent.name]

    data.write_bytes(kept[0])
    manifest_of(data).write_bytes(kept[1])
    assert settle(archive) == []
    for path in archive.zone.folder.glob(f"*/{report_prefix(archive, third)}*"):
        path.unlink()
    assert rebuild(archive) == []
    assert_same(contents(archive.database), whole)


def report_prefix(archive: Archive, file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


@pytest.mark.parametrize("damage", DAMAGES)
def test_remedy_of_a_damaged_batch_works(
    damage: Callable[[Path], None], archive: Archive, tmp_path: Path
) -> None:
    """ "Delete the batch and its .json and import its file again" once ended in another error."""
    file = samples.chat_export(tmp_path / "result.json", MESSAGES)
    imported(archive, file)
    whole = contents(archive.database)
    (data,) = data_files(archive)
    damage(data)
    assert len(rebuild(archive)) == 1

    data.unlink(missing_ok=True)
    manifest_of(data).unlink()
    (report,) = imported(archive, file)
    assert report.outcome is FileOutcome.IMPORTED, report.reason
    assert_same(contents(archive.database), whole)


@pytest.mark.parametrize("damage", DAMAGES)
def test_repeating_the_import_of_a_damaged_batch_names_it(
    damage: Callable[[Path], None], archive: Archive, tmp_path: Path
) -> None:
    file = samples.chat_export(tmp_path / "result.json", MESSAGES)
    imported(archive, file)
    (data,) = data_files(archive)
    damage(data)
    rebuild(archive)
    (report,) = imported(archive, file)
    assert report.outcome is FileOutcome.REFUSED
    assert isinstance(report.error, BatchDamaged)
    assert all(not rows for rows in contents(archive.database).values())


def test_file_manifest_cut_by_a_broken_disk_is_named(archive: Archive, tmp_path: Path) -> None:
    file = samples.chat_export(tmp_path / "result.json", MESSAGES)
    imported(archive, file)
    (manifest,) = (local_folder(archive.zone.folder) / "_files").glob("*.json")
    truncate(manifest)
    (report,) = imported(archive, file)
    assert isinstance(report.error, BatchDamaged)
    manifest.unlink()
    (report,) = imported(archive, file)
    assert report.outcome is FileOutcome.IMPORTED, report.reason
