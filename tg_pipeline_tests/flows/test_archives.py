"""Importing ZIP archives and folders full of things: each is told of, none stops the others."""

import shutil
from pathlib import Path

from tg_pipeline.flows import Archive, ImportOptions, Step, import_files, quarantined
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.making import account, chat, message, written
from tg_pipeline_tests.sources.zips import zipped
from tg_pipeline_tests.state import archived, local_folder

EXPORT = chat(message(1), message(2), {"id": 3})


def told(archive: Archive, *paths: Path) -> list[tuple[str, str | None]]:
    """Outcome and error code of every file."""
    reports = import_files(archive, paths, ImportOptions())
    return [(one.outcome.value, one.error.code if one.error else None) for one in reports]


def test_an_export_is_one_file_zipped_or_not(archive: Archive, tmp_path: Path) -> None:
    path = written(tmp_path / "chat" / "result.json", EXPORT)
    packed = zipped(tmp_path / "chat.zip", {"chat/result.json": path.read_bytes()})
    (report,) = import_files(archive, [packed])
    assert (report.path, report.outcome.value) == (packed / "chat/result.json", "imported")
    (place,) = [one.place for one in quarantined(archive, limit=9)]
    assert place.startswith("chat.zip/chat/result.json at byte ")
    (batch,) = archive.zone.manifests(archive.zone.chats()[0])
    assert batch.origin.file_name == "chat.zip/chat/result.json"
    assert told(archive, path, packed) == [("unchanged", None), ("unchanged", None)]


def test_both_ways_give_the_same_tables(new_archive: NewArchive, tmp_path: Path) -> None:
    export = account(chat(message(1), message(2)), chat(message(1), id=78))
    path = written(tmp_path / "result.json", export)
    packed = zipped(tmp_path / "all.zip", {"result.json": path.read_bytes()})
    plain, unpacked = new_archive(), new_archive()
    assert told(plain, path) == told(unpacked, packed) == [("imported", None)]
    tables = archived(plain.database), archived(unpacked.database)
    assert tables[0]["messages"] == tables[1]["messages"] != []


def test_a_folder_full_of_things(archive: Archive, tmp_path: Path) -> None:
    """What a Downloads folder holds after some years."""
    downloads = tmp_path / "Downloads"
    for number in range(3):
        content = chat(message(number), id=80 + number)
        written(downloads / f"ChatExport_{number}" / "result.json", content)
    zipped(downloads / "more.zip", {"a/result.json": EXPORT, "b/result.json": b"{"})
    zipped(downloads / "photos.zip", {"photo.jpg": b""})
    written(downloads / "cut.zip", b"PK\x03\x04 and so on")
    written(downloads / "package.json", {"name": "left-pad"})
    written(downloads / "old" / "messages.html", b"<!DOCTYPE html>")
    (downloads / "circle").symlink_to(downloads)
    imports = import_files(archive, [downloads, tmp_path / "nowhere"])
    outcomes = {
        str(one.path.relative_to(tmp_path)): one.error.code if one.error else one.outcome.value
        for one in imports
    }
    assert outcomes == {
        "Downloads/ChatExport_0/result.json": "imported",
        "Downloads/ChatExport_1/result.json": "imported",
        "Downloads/ChatExport_2/result.json": "imported",
        "Downloads/cut.zip": "input.archive_damaged",
        "Downloads/more.zip/a/result.json": "imported",
        "Downloads/more.zip/b/result.json": "input.invalid_json",
        "Downloads/package.json": "input.foreign_format",
        "nowhere": "input.missing",
    }
    assert imports.others == len(["photos.zip", "messages.html"])
    assert [note.removeprefix(f"{downloads}/").split()[0] for note in imports.notes] == [
        "circle",
        "old",
    ]


def test_what_vanishes_before_its_turn_is_told(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in (1, 2, 4):
        written(folder / f"{number}.json", chat(message(number)))
    zipped(folder / "3.zip", {"result.json": EXPORT})
    imports = import_files(archive, [folder])
    assert next(imports).outcome.value == "imported"
    (folder / "2.json").unlink()
    (folder / "3.zip").unlink()
    assert [(one.path.name, one.error and one.error.code) for one in imports] == [
        ("2.json", "input.missing"),
        ("result.json", "input.missing"),
        ("4.json", None),
    ]


def test_progress_says_which_of_the_files_it_is(archive: Archive, tmp_path: Path) -> None:
    written(tmp_path / "in" / "one.json", chat(message(1)))
    zipped(tmp_path / "in" / "two.zip", {"result.json": EXPORT})
    steps: list[Step] = []
    assert len(list(import_files(archive, [tmp_path / "in"], progress=steps.append))) == 2
    assert list(dict.fromkeys(step.what for step in steps)) == [
        "1 of 2: scanning one.json",
        "1 of 2: importing one.json",
        "1 of 2: loading one.json",
        "2 of 2: unpacking two.zip/result.json",
        "2 of 2: scanning two.zip/result.json",
        "2 of 2: importing two.zip/result.json",
        "2 of 2: loading two.zip/result.json",
    ]
    assert all(0 <= step.done <= step.total for step in steps)


def test_nothing_unpacked_is_left_in_the_home(archive: Archive, tmp_path: Path) -> None:
    packed = zipped(tmp_path / "all.zip", {"a/result.json": EXPORT, "b/result.json": b"no JSON"})
    assert [code for _, code in told(archive, packed)] == [None, "input.invalid_json"]
    shutil.rmtree(local_folder(archive.zone.folder))
    assert [path for path in archive.settings.home.rglob("*") if path.is_file()] == []
