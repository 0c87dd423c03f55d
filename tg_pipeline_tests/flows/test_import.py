"""Importing files: what is reported, what is stored, and what a second import does."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import zstandard

from tg_pipeline.flows import (
    Archive,
    FileReport,
    ImportOptions,
    Step,
    import_files,
    migrate,
    quarantined,
    rebuild,
    refresh,
    settle,
    status,
)
from tg_pipeline.generator import ACCOUNT, DesktopStyle, demo_histories, write_desktop_json
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.making import account, chat, message, written
from tg_pipeline_tests.state import archived, local_folder

BERLIN = ImportOptions(timezone="Europe/Berlin")
ACCOUNT_EXPORT = DesktopStyle(account_export=True)
KOLKATA = ImportOptions(timezone="Asia/Kolkata")


def local(number: int, **fields: Any) -> dict[str, Any]:
    """As Desktop wrote until March 2022."""
    old = message(number, date=f"2020-06-01T12:00:{number:02}", **fields)
    del old["date_unixtime"]
    return old


def one(archive: Archive, path: Path, options: ImportOptions | None = None) -> FileReport:
    (report,) = import_files(archive, [path], options or ImportOptions())
    counts = report.counts
    assert counts.read == counts.new + counts.updated + counts.unchanged + counts.quarantined
    return report


def ids(archive: Archive) -> list[int]:
    with archive.database.snapshot() as connection:
        return list(connection.scalars(sa.text("SELECT id FROM messages ORDER BY id")))


def exported(archive: Archive) -> set[str]:
    manifest = json.loads((archive.exports / "messages" / "_manifest.json").read_bytes())
    return {file["chat"] for file in manifest["files"]}


def all_kinds(path: Path, style: DesktopStyle = ACCOUNT_EXPORT) -> Path:
    write_desktop_json(path, demo_histories(), as_of=datetime(2024, 4, 1, tzinfo=UTC), style=style)
    return path


# ---- options --------------------------------------------------------------------------------


def test_a_file_with_other_options_is_refused(archive: Archive, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", chat(local(1)))
    one(archive, path, BERLIN)
    before = archived(archive.database)
    report = one(archive, path, KOLKATA)
    assert report.error is not None
    assert report.error.code == "input.options_differ"
    assert "Europe/Berlin" in report.error.message
    assert "Asia/Kolkata" in report.error.message
    assert "--replace" in report.error.remedy
    assert archived(archive.database) == before


def test_options_that_a_file_does_not_need_may_differ(archive: Archive, tmp_path: Path) -> None:
    """Naming a zone for the old files of a folder got all new ones refused that were imported."""
    new = written(tmp_path / "exports" / "new.json", account(chat(message(1))))
    old = written(tmp_path / "exports" / "old.json", chat(local(1), id=78))
    found = list(import_files(archive, [tmp_path / "exports"]))
    assert [(report.path, report.outcome.value) for report in found] == [
        (new, "imported"),
        (old, "refused"),
    ]
    options = ImportOptions(timezone="Europe/Berlin", account=42)
    found = list(import_files(archive, [tmp_path / "exports"], options))
    assert [(report.path, report.outcome.value) for report in found] == [
        (new, "unchanged"),
        (old, "imported"),
    ]


def test_a_file_with_mixed_times_is_read_anew_with_replace(
    archive: Archive, tmp_path: Path
) -> None:
    path = written(tmp_path / "result.json", chat(message(1), local(2)))
    assert one(archive, path).counts.quarantined == 1
    assert one(archive, path, BERLIN).outcome.value == "unchanged"
    again = one(archive, path, ImportOptions(timezone="Europe/Berlin", replace=True))
    assert (again.outcome.value, again.counts.quarantined) == ("imported", 0)
    assert ids(archive) == [1, 2]


def test_replace_gives_the_tables_of_a_fresh_import(
    new_archive: NewArchive, tmp_path: Path
) -> None:
    path = written(tmp_path / "result.json", chat(local(1), local(2, edited="2020-06-02T12:00:00")))
    other = written(tmp_path / "other.json", chat(local(2), local(3)))
    archive, fresh = new_archive(), new_archive()
    for source in (path, other):
        one(archive, source, BERLIN)
    replaced = one(archive, path, ImportOptions(timezone="Asia/Kolkata", replace=True))
    assert replaced.outcome.value == "imported"
    one(fresh, other, BERLIN)
    one(fresh, path, KOLKATA)
    assert archived(archive.database) == archived(fresh.database)
    same = one(archive, path, ImportOptions(timezone="Asia/Kolkata", replace=True))
    assert same.outcome.value == "unchanged"
    assert archived(archive.database) == archived(fresh.database)


def test_a_chat_that_is_fed_no_longer_vanishes(archive: Archive, tmp_path: Path) -> None:
    """A chat of unknown id is imported under a surrogate, then named."""
    nameless = chat(message(1), message(2))
    del nameless["id"]
    path = written(tmp_path / "result.json", nameless)
    (surrogate,) = one(archive, path).chats
    refresh(archive)
    assert exported(archive) == {surrogate}
    one(archive, path, ImportOptions(chat_id=-1000000000077, replace=True))
    refresh(archive)
    assert [found.chat for found in status(archive) if found.messages] == ["-1000000000077"]
    assert exported(archive) == {"-1000000000077"}
    assert [found.chat for found in status(archive)] == ["-1000000000077"]


def test_a_replacement_that_is_refused_leaves_the_import_as_it_was(
    archive: Archive, tmp_path: Path
) -> None:
    """The earlier import was withdrawn before the new options had been found impossible."""
    path = written(tmp_path / "result.json", account(chat(message(1)), chat(message(1), id=78)))
    one(archive, path)
    before = archived(archive.database)
    report = one(archive, path, ImportOptions(chat_id=-1000000000077, replace=True))
    assert report.error is not None
    assert report.error.code == "input.chat_id_not_applicable"
    assert archived(archive.database) == before
    assert one(archive, path).outcome.value == "unchanged"


# ---- broken files ---------------------------------------------------------------------------


def test_a_file_cut_in_half_is_partial_and_the_whole_one_merges(
    archive: Archive, new_archive: NewArchive, tmp_path: Path
) -> None:
    whole = written(tmp_path / "whole.json", chat(*(message(number) for number in range(1, 101))))
    content = whole.read_bytes()
    cut = written(tmp_path / "cut.json", content[: len(content) // 2])
    report = one(archive, cut)
    assert report.outcome.value == "partial"
    complete = content[: len(content) // 2].count(b'"text":') - 1
    assert complete <= report.counts.new <= complete + 1
    assert ids(archive) == list(range(1, report.counts.new + 1))
    assert report.reason is not None
    offset = int(report.reason.split()[-1])
    assert content[:offset].rstrip().endswith(b"}")
    assert content[:offset].count(b'"text":') == report.counts.new
    then = one(archive, whole)
    assert (then.outcome.value, then.counts.read) == ("imported", 100)
    assert then.counts.new == 100 - report.counts.new
    assert then.counts.updated == 0
    assert ids(archive) == list(range(1, 101))


@pytest.mark.parametrize("bugs", [["hex_escapes"], ["unquoted_document_id"]])
def test_broken_json_of_desktop_is_repaired_and_counted(
    bugs: Sequence[Any], new_archive: NewArchive, tmp_path: Path
) -> None:
    archive, sound = new_archive(), new_archive()
    broken = all_kinds(
        tmp_path / "broken.json", DesktopStyle(account_export=True, broken=frozenset(bugs))
    )
    report = one(archive, broken)
    assert report.outcome.value == "imported"
    assert report.repaired > 0
    one(sound, all_kinds(tmp_path / "sound.json"))
    hashes = sa.text("SELECT entity_id, account_id, id, content_hash FROM messages ORDER BY 1,2,3")
    found = []
    for held in (archive, sound):
        with held.database.snapshot() as connection:
            rows = connection.execute(hashes)
            found.append([(*row[:3], row[3] and bytes(row[3])) for row in rows])
    assert found[0] == found[1]
    assert one(archive, broken).repaired == report.repaired


# ---- what is never stored -------------------------------------------------------------------


def test_personal_parts_are_stored_nowhere(archive: Archive, tmp_path: Path) -> None:
    path = all_kinds(tmp_path / "result.json")
    personal = json.loads(path.read_bytes())
    secrets = {entry["phone_number"] for entry in personal["contacts"]["list"]}
    secrets |= {
        personal["personal_information"][name] for name in ("phone_number", "bio", "username")
    }
    secrets |= {personal["contacts"]["about"], "frequent_contacts", "personal_information"}
    secrets |= {"profile_pictures"}
    assert len(secrets) > 10
    one(archive, path)
    refresh(archive)
    kept = [*files_of(local_folder(archive.zone.folder)), *files_of(local_folder(archive.exports))]
    kept += [row.encode() for rows in archived(archive.database).values() for row in rows]
    assert len(kept) > 100
    text = b"\n".join(kept).replace(b"\\u002b", b"+")
    for secret in secrets:
        assert secret.encode() not in text, secret
    assert str(ACCOUNT.id).encode() in text


def files_of(folder: Path) -> list[bytes]:
    """Contents of all files, decompressed; Parquet as rows."""
    found = []
    for path in folder.rglob("*"):
        if path.suffix == ".zst":
            with zstandard.ZstdDecompressor().stream_reader(BytesIO(path.read_bytes())) as stream:
                found.append(stream.read())
        elif path.suffix == ".parquet":
            import pyarrow.parquet as pq  # noqa: PLC0415 - only here

            found.append(json.dumps(pq.read_table(path).to_pylist(), default=str).encode())
        elif path.is_file():
            found.append(path.read_bytes())
    return found


# ---- tables from landing --------------------------------------------------------------------


def test_up_down_and_up_again_on_a_filled_database(archive: Archive, tmp_path: Path) -> None:
    one(archive, all_kinds(tmp_path / "result.json"))
    before = archived(archive.database)
    assert migrate(archive.settings, "base") is None
    assert migrate(archive.settings) is not None
    assert not any(archived(archive.database).values())
    assert settle(archive) == []
    assert archived(archive.database) == before
    assert rebuild(archive) == []
    assert archived(archive.database) == before


def test_an_import_after_the_tables_were_lost_fills_them(archive: Archive, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", chat(message(1)))
    one(archive, path)
    before = archived(archive.database)
    migrate(archive.settings, "base")
    migrate(archive.settings)
    one(archive, path)
    assert archived(archive.database) == before


def test_a_file_whose_name_is_no_utf8_is_imported(archive: Archive, tmp_path: Path) -> None:
    """Regression: writing its name down failed with a traceback."""
    path = tmp_path / os.fsdecode(b"r\xff.json")
    path.write_bytes(written(tmp_path / "good.json", chat(message(1), {"id": 2})).read_bytes())

    (report,) = import_files(archive, [path])

    assert report.counts.new == 1
    assert report.as_dict()["path"].endswith("r\ufffd.json")
    (kept,) = quarantined(archive, limit=5)
    assert kept.place.startswith("r\ufffd.json at byte")


def test_a_refused_file_whose_name_is_no_utf8_can_be_told_of(
    archive: Archive, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"r\xff.json")
    path.write_bytes(b"no JSON")

    (report,) = import_files(archive, [path])

    assert json.dumps(report.as_dict(), ensure_ascii=False).encode()


def test_a_cut_file_says_so_every_time(archive: Archive, tmp_path: Path) -> None:
    """Regression: imported again, it was told to be unchanged, as if nothing were missing."""
    whole = written(tmp_path / "whole.json", chat(*(message(number) for number in range(9))))
    cut = tmp_path / "cut.json"
    cut.write_bytes(whole.read_bytes()[:-300])

    reports = [next(import_files(archive, [cut])) for _ in range(2)]

    assert [report.outcome.value for report in reports] == ["partial", "partial"]
    assert reports[0].reason == reports[1].reason
    assert reports[1].counts.new == 0


def test_a_replaced_import_that_is_refused_midway_tells_what_is_withdrawn(
    archive: Archive, tmp_path: Path
) -> None:
    path = written(tmp_path / "result.json", chat(*(message(number) for number in range(1, 3000))))
    (first,) = import_files(archive, [path])

    def cut(step: Step) -> None:
        if step.what.startswith("importing"):
            os.truncate(path, 100_000)

    options = ImportOptions(supplier="Ada", replace=True)
    (report,) = import_files(archive, [path], options, cut)
    assert report.error is not None
    assert report.withdrawn == first.chats
    assert status(archive) == []
