"""The inbox: what is taken and when, what becomes of it, and what people read about it."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tg_pipeline.contracts import FileOutcome
from tg_pipeline.errors import DatabaseLost, DiskFull, InputChanged
from tg_pipeline.flows import Archive, FileReport, ImportOptions, import_files
from tg_pipeline.flows import inbox as module
from tg_pipeline.flows.dropped import look
from tg_pipeline.flows.inbox import SETTLED_SECONDS, Entry, Taken, numbered, take_in, waiting
from tg_pipeline.settings import Settings
from tg_pipeline_tests.flows.making import account, chat, message, written
from tg_pipeline_tests.sources.zips import zipped

SECRET = "the words of a message"
TICK_SECONDS = 0.02
"""Longer than the steps in which file systems count their times."""


@pytest.fixture
def inbox(archive: Archive) -> Path:
    """The archive's inbox, made and empty."""
    archive.settings.inbox_folder.mkdir(parents=True)
    return archive.settings.inbox_folder


def settled(archive: Archive) -> list[Entry]:
    """What will be waiting in a minute, if nobody touches it until then."""
    return waiting(archive.settings, now=datetime.now(UTC) + timedelta(minutes=1))


def taken(archive: Archive) -> list[Taken]:
    return list(take_in(archive, settled(archive)))


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def ids(archive: Archive) -> list[int]:
    with archive.database.snapshot() as connection:
        return list(connection.scalars(sa.text("SELECT id FROM messages ORDER BY entity_id, id")))


def tree(inbox: Path) -> list[str]:
    """All files below, today's folders as `today`."""
    files = (path for path in inbox.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(str(path.relative_to(inbox)).replace(today(), "today") for path in files)


def outcomes(one: Taken, inbox: Path) -> dict[str, str]:
    return {str(r.path.relative_to(inbox)): r.outcome.value for r in one.reports}


def told(found: list[Taken]) -> list[tuple[str, str]]:
    return [(one.name, one.outcome.value) for one in found]


# ---- what waits -----------------------------------------------------------------------------


def test_without_an_inbox_nothing_waits(archive: Archive) -> None:
    assert waiting(archive.settings) == []
    assert list(take_in(archive)) == []


def test_an_entry_waits_once_it_has_settled(archive: Archive, inbox: Path) -> None:
    path = written(inbox / "result.json", chat(message(1)))
    assert waiting(archive.settings) == []
    later = datetime.now(UTC) + timedelta(seconds=SETTLED_SECONDS + 1)
    (entry,) = waiting(archive.settings, now=later)
    assert (entry.name, entry.path) == ("result.json", path)
    assert waiting(archive.settings, now=later) == [entry]


def test_a_folder_waits_until_nothing_in_it_changes(archive: Archive, inbox: Path) -> None:
    """The times of a folder say nothing about the files in it that grow."""
    path = written(inbox / "export" / "photos" / "photo.jpg", b"x")
    time.sleep(1.1)
    path.write_bytes(b"xx")
    seen = datetime.fromtimestamp(path.stat().st_ctime, UTC)
    assert waiting(archive.settings, now=seen + timedelta(seconds=SETTLED_SECONDS - 0.5)) == []
    found = waiting(archive.settings, now=seen + timedelta(seconds=SETTLED_SECONDS + 0.5))
    assert [entry.name for entry in found] == ["export"]


def test_a_copied_time_in_the_future_does_not_keep_an_entry_for_ever(
    archive: Archive, inbox: Path
) -> None:
    path = written(inbox / "result.json", chat(message(1)))
    year = time.time() + 365 * 86400
    os.utime(path, (year, year))
    assert [entry.name for entry in settled(archive)] == ["result.json"]


def test_what_is_no_entry_is_passed_over(archive: Archive, inbox: Path) -> None:
    names = [".hidden.json", "result.json.part", "a.crdownload", "b.tmp", "c.json~", "~$d.json"]
    names += ["Thumbs.db", ".result.json.x8gT2a", "e.JSON.PART"]
    for name in names:
        written(inbox / name, chat(message(1)))
    written(inbox / "imported" / "old" / "result.json", chat(message(1)))
    written(inbox / "refused" / "old" / "result.json", chat(message(1)))
    (inbox / "just made" / "and empty").mkdir(parents=True)
    assert settled(archive) == []


def test_entries_come_by_name(archive: Archive, inbox: Path) -> None:
    for name in ("c.json", "a.json", "b.json"):
        written(inbox / name, chat(message(1)))
    assert [entry.name for entry in settled(archive)] == ["a.json", "b.json", "c.json"]


# ---- marks ----------------------------------------------------------------------------------


def _write(tree: Path) -> None:
    (tree / "a" / "one.json").write_bytes(b"other")


def _same_size_and_time(tree: Path) -> None:
    """As a copy of the same name that keeps its time: only the inode and ctime tell."""
    path = tree / "a" / "one.json"
    kept = path.stat()
    path.unlink()
    path.write_bytes(b"ONE")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def _there_and_back(tree: Path) -> None:
    tree.rename(tree.with_name("elsewhere"))
    tree.with_name("elsewhere").rename(tree)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": _write,
    "replaced": _same_size_and_time,
    "moved": _there_and_back,
    "renamed": lambda tree: (tree / "b.jpg").rename(tree / "c.jpg"),
    "added": lambda tree: (tree / "a" / "new").write_bytes(b""),
    "removed": lambda tree: (tree / "d.jpg").unlink(),
    "touched": lambda tree: (tree / "e.jpg").touch(),
    "rights": lambda tree: (tree / "e.jpg").chmod(0o400),
    "folder": lambda tree: (tree / "a" / "empty").mkdir(),
    "link": lambda tree: (tree / "link").symlink_to("e.jpg"),
}


def _mark(path: Path) -> str:
    return look(path, time.time_ns()).mark


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.lists(st.sampled_from(sorted(CHANGES)), max_size=4, unique=True))
def test_a_mark_changes_with_every_change_and_not_without(changes: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        for name in ("a/one.json", "b.jpg", "d.jpg", "e.jpg"):
            written(tree / name, b"one")
        marks = [_mark(tree)]
        for change in changes:
            (tree / "a" / "one.json").read_bytes()
            assert _mark(tree) == marks[-1], "reading is no change"
            time.sleep(TICK_SECONDS)
            CHANGES[change](tree)
            marks.append(_mark(tree))
        assert len(set(marks)) == len(marks)


# ---- what becomes of an entry ---------------------------------------------------------------


def test_a_file_is_imported_and_moved(archive: Archive, inbox: Path) -> None:
    path = written(inbox / "result.json", chat(message(1), message(2)))
    (one,) = taken(archive)
    assert told([one]) == [("result.json", "imported")]
    assert one.moved_to == inbox / "imported" / today() / "result.json"
    assert one.chats == ("-1000000000077",)
    assert outcomes(one, inbox) == {"result.json": "imported"}
    assert [report.counts.new for report in one.reports] == [2]
    assert tree(inbox) == ["imported/today/result.json"]
    assert ids(archive) == [1, 2]
    assert not path.exists()


def test_a_folder_is_imported_and_moved_with_all_that_is_in_it(
    archive: Archive, inbox: Path
) -> None:
    export = inbox / "ChatExport_2024-06-01"
    written(export / "result.json", chat(message(1)))
    written(export / "photos" / "photo_1.jpg", b"\xff\xd8")
    (one,) = taken(archive)
    assert told([one]) == [("ChatExport_2024-06-01", "imported")]
    assert tree(inbox) == [
        "imported/today/ChatExport_2024-06-01/photos/photo_1.jpg",
        "imported/today/ChatExport_2024-06-01/result.json",
    ]


def test_an_archive_is_imported_and_moved_as_it_is(archive: Archive, inbox: Path) -> None:
    zipped(inbox / "chat.zip", {"Chat/result.json": chat(message(1)), "b/result.json": b"{"})
    (one,) = taken(archive)
    assert outcomes(one, inbox) == {
        "chat.zip/Chat/result.json": "imported",
        "chat.zip/b/result.json": "refused",
    }
    assert tree(inbox) == ["refused/today/chat.zip", "refused/today/chat.zip.reason.txt"]
    reason = (inbox / "refused" / today() / "chat.zip.reason.txt").read_text("utf-8")
    assert "chat.zip/b/result.json is not valid JSON" in reason
    zipped(inbox / "good.zip", {"Chat/result.json": chat(message(1), message(2))})
    assert told(taken(archive)) == [("good.zip", "imported")]
    assert ids(archive) == [1, 2]


def test_an_account_export_names_all_its_chats(archive: Archive, inbox: Path) -> None:
    written(inbox / "result.json", account(chat(message(1)), chat(message(1), id=78)))
    (one,) = taken(archive)
    assert one.chats == ("-1000000000077", "-1000000000078")


def test_nothing_new_is_imported_too(archive: Archive, inbox: Path) -> None:
    """The same file once more, perhaps under another name: it is in the archive."""
    for name in ("result.json", "again.json"):
        written(inbox / name, chat(message(1)))
        (one,) = taken(archive)
        assert told([one]) == [(name, "imported")]
    assert outcomes(one, inbox) == {"again.json": "unchanged"}
    assert tree(inbox) == ["imported/today/again.json", "imported/today/result.json"]


def test_the_settings_say_zone_and_account(archive: Archive, inbox: Path) -> None:
    old = message(1)
    del old["date_unixtime"]
    written(inbox / "result.json", chat(old, type="private_group", id=9))
    (one,) = taken(archive)
    assert [report.error and report.error.code for report in one.reports] == [
        "input.timezone_required"
    ]
    named = archive.settings.model_copy(update={"timezone": "Europe/Berlin", "account": 42})
    archive = Archive(named, archive.database, archive.zone)
    written(inbox / "result.json", chat(old, type="private_group", id=9))
    (one,) = taken(archive)
    assert (one.outcome.value, one.chats) == ("imported", ("42_-9",))


# ---- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("broken.json", b'{"messages": [}', "input.invalid_json"),
        ("telethon.json", [{"_": "Message", "id": 1, "message": SECRET}], "input.foreign_format"),
        ("rows.json", [{"text": SECRET}], "input.foreign_format"),
        ("archive.zip", b"PK\x03\x04" + SECRET.encode(), "input.archive_damaged"),
        ("archive.json", b"PK\x03\x04" + SECRET.encode(), "input.foreign_format"),
        ("note.txt", SECRET.encode(), "input.invalid_json"),
        ("nothing.json", b"", "input.empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_reason(
    name: str, content: Any, code: str, archive: Archive, inbox: Path
) -> None:
    written(inbox / name, content)
    (one,) = taken(archive)
    assert told([one]) == [(name, "refused")]
    assert one.moved_to == inbox / "refused" / today() / name
    assert tree(inbox) == [f"refused/today/{name}", f"refused/today/{name}.reason.txt"]
    (report,) = one.reports
    assert report.error is not None
    assert report.error.code == code
    reason = one.moved_to.with_name(f"{name}.reason.txt").read_text("utf-8")
    assert f"  code: {code}\n" in reason
    assert f"  what to do: {report.error.remedy}\n" in reason
    assert SECRET not in reason
    assert str(inbox) not in reason
    assert ids(archive) == []


def test_a_reason_reads_well(archive: Archive, inbox: Path) -> None:
    written(inbox / "both" / "a" / "result.json", chat(message(1, text=SECRET)))
    written(inbox / "both" / "b" / "result.json", b'{"name": "Test",\n"messages": [}')
    taken(archive)
    reason = (inbox / "refused" / today() / "both.reason.txt").read_text("utf-8")
    assert reason.splitlines()[:-1] == [
        "both was imported only in part.",
        "",
        "both/a/result.json: imported, 1 records read",
        "",
        "both/b/result.json: refused",
        "  what happened: both/b/result.json is not valid JSON at line 2 (byte 30): "
        "expected a value",
        "  what to do: Export the chat again, or mend that place in a copy of the file.",
        "  code: input.invalid_json",
        "",
        "When it is mended, put it into the inbox again: what is in the archive already is not "
        "doubled.",
        "Options such as --timezone are for `tg-pipeline import`; the inbox takes the settings",
        "TG_PIPELINE_TIMEZONE and TG_PIPELINE_ACCOUNT instead.",
        "",
    ]


def test_the_good_part_of_a_refused_folder_stays_imported(archive: Archive, inbox: Path) -> None:
    written(inbox / "both" / "good.json", chat(message(1)))
    broken = written(inbox / "both" / "broken.json", b'{"messages": [}')
    (one,) = taken(archive)
    assert told([one]) == [("both", "refused")]
    assert outcomes(one, inbox) == {"both/broken.json": "refused", "both/good.json": "imported"}
    assert one.chats == ("-1000000000077",)
    assert ids(archive) == [1]
    assert not broken.exists()

    mended = inbox / "refused" / today() / "both"
    written(mended / "broken.json", chat(message(2)))
    mended.rename(inbox / "both")
    (one,) = taken(archive)
    assert told([one]) == [("both", "imported")]
    assert outcomes(one, inbox) == {"both/broken.json": "imported", "both/good.json": "unchanged"}


def test_links_are_refused_and_not_followed(archive: Archive, inbox: Path, tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "result.json", chat(message(1)))
    (inbox / "file.json").symlink_to(outside)
    (inbox / "folder").symlink_to(outside.parent)
    written(inbox / "export" / "result.json", chat(message(2)))
    (inbox / "export" / "more.json").symlink_to(outside)
    (inbox / "dangling").symlink_to(tmp_path / "nowhere")
    found = taken(archive)
    assert told(found) == [
        ("dangling", "refused"),
        ("export", "refused"),
        ("file.json", "refused"),
        ("folder", "refused"),
    ]
    assert outcomes(found[1], inbox) == {"export/more.json": "refused"}
    assert ids(archive) == []
    assert outside.exists()
    reason = (inbox / "refused" / today() / "export.reason.txt").read_text("utf-8")
    assert "cannot read export/more.json: it is a link" in reason
    assert (inbox / "refused" / today() / "file.json").is_symlink()


def test_a_pipe_does_not_hold_the_inbox_up(archive: Archive, inbox: Path) -> None:
    os.mkfifo(inbox / "result.json")
    assert told(taken(archive)) == [("result.json", "refused")]


def test_a_name_that_cannot_be_stored_is_refused(archive: Archive, inbox: Path) -> None:
    written(inbox / os.fsdecode(b"export\n\xff") / "result.json", chat(message(1)))
    (one,) = taken(archive)
    assert one.outcome.value == "refused"
    (letter,) = (inbox / "refused" / today()).glob("*.reason.txt")
    assert "its name is no UTF-8" in letter.read_text("utf-8")


def test_folders_in_folders_without_end_are_refused(archive: Archive, inbox: Path) -> None:
    deep = inbox / Path(*["d"] * 300)
    written(deep / "result.json", chat(message(1)))
    assert told(taken(archive)) == [("d", "refused")]


def test_a_folder_that_may_not_be_read_is_refused(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(inbox / "export" / "result.json", chat(message(1)))
    monkeypatch.setattr("tg_pipeline.flows.dropped._can_be_listed", lambda _: False)
    (one,) = taken(archive)
    assert told([one]) == [("export", "refused")]
    assert [str(r.error and r.error.remedy) for r in one.reports] == [
        "Grant read access to the folder."
    ]


# ---- notes ----------------------------------------------------------------------------------


def test_a_cut_file_is_imported_with_a_note(archive: Archive, inbox: Path) -> None:
    path = written(inbox / "result.json", chat(*(message(number) for number in range(1, 51))))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (one,) = taken(archive)
    assert told([one]) == [("result.json", "imported")]
    assert outcomes(one, inbox) == {"result.json": "partial"}
    assert tree(inbox) == ["imported/today/result.json", "imported/today/result.json.note.txt"]
    note = (inbox / "imported" / today() / "result.json.note.txt").read_text("utf-8")
    assert note.startswith("result.json was imported, with gaps.\n\nresult.json: partial, 2")
    assert "  what happened: the file ends in the middle, after byte" in note
    assert "  what to do: Put the whole file into the inbox;" in note


def test_records_set_aside_are_noted(archive: Archive, inbox: Path) -> None:
    unread = {"id": 2, "type": "unsupported"}
    written(inbox / "result.json", chat(message(1, text=SECRET), unread))
    (one,) = taken(archive)
    assert told([one]) == [("result.json", "imported")]
    note = (inbox / "imported" / today() / "result.json.note.txt").read_text("utf-8")
    assert "  what happened: 1 records could not be understood\n" in note
    assert SECRET not in note


# ---- names ----------------------------------------------------------------------------------


def test_names_that_are_taken_get_a_number(archive: Archive, inbox: Path) -> None:
    for number in (1, 2, 3):
        written(inbox / "result.json", chat(message(number)))
        written(inbox / "Chat.2024" / "result.json", chat(message(number), id=78))
        written(inbox / "bad.json", b"%d" % number)
        taken(archive)
    assert tree(inbox / "imported" / today()) == [
        "Chat.2024 (2)/result.json",
        "Chat.2024 (3)/result.json",
        "Chat.2024/result.json",
        "result (2).json",
        "result (3).json",
        "result.json",
    ]
    assert tree(inbox / "refused" / today()) == [
        "bad (2).json",
        "bad (2).json.reason.txt",
        "bad (3).json",
        "bad (3).json.reason.txt",
        "bad.json",
        "bad.json.reason.txt",
    ]
    assert (inbox / "refused" / today() / "bad (2).json").read_bytes() == b"2"
    assert ids(archive) == [1, 2, 3, 1, 2, 3]


def test_a_letter_never_replaces_what_somebody_dropped(archive: Archive, inbox: Path) -> None:
    written(inbox / "bad.json.reason.txt", b"not a letter")
    taken(archive)
    written(inbox / "bad.json", b"bad")
    taken(archive)
    folder = inbox / "refused" / today()
    assert (folder / "bad.json.reason.txt").read_bytes() == b"not a letter"
    assert (folder / "bad (2).json").read_bytes() == b"bad"


def test_a_name_as_long_as_can_be_is_moved_with_its_letter(archive: Archive, inbox: Path) -> None:
    for _ in range(2):
        written(inbox / f"{'ж' * 124}.json", b"bad")
        assert [one.outcome.value for one in taken(archive)] == ["refused"]
    assert len(list((inbox / "refused" / today()).iterdir())) == 4


@given(
    name=st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=255),
    numbers=st.lists(st.integers(2, 10**9), unique=True, min_size=1, max_size=5),
    is_folder=st.booleans(),
)
def test_numbered_names_fit_and_differ(name: str, numbers: list[int], is_folder: bool) -> None:
    names = [numbered(name, number, is_folder=is_folder) for number in numbers]
    assert len(set(names)) == len(names)
    assert all(0 < len(one.encode()) <= 200 and one not in {".", ".."} for one in names)
    if len(name.encode()) <= 200:
        assert numbered(name, 1, is_folder=is_folder) == name


def test_people_who_may_look_into_the_inbox_may_see_what_became_of_it(
    archive: Archive, inbox: Path
) -> None:
    inbox.chmod(0o2775)
    written(inbox / "result.json", chat(message(1)))
    taken(archive)
    modes = [(inbox / "imported" / day).stat().st_mode & 0o777 for day in ("", today())]
    assert modes == [0o775, 0o775]


# ---- what is left ---------------------------------------------------------------------------


def test_an_entry_that_changed_since_it_was_seen_is_left(archive: Archive, inbox: Path) -> None:
    path = written(inbox / "result.json", chat(message(1)))
    entries = settled(archive)
    time.sleep(TICK_SECONDS)
    written(path, chat(message(1), message(2)))
    (one,) = take_in(archive, entries)
    assert told([one]) == [("result.json", "left")]
    assert one.reason == "it changed since it was seen: it may still be being copied"
    assert tree(inbox) == ["result.json"]
    assert ids(archive) == []
    assert told(taken(archive)) == [("result.json", "imported")]
    assert ids(archive) == [1, 2]


@pytest.mark.parametrize("grown", ["result.json", "result2.json"])
def test_an_entry_that_grows_while_it_is_read_is_left(
    grown: str, archive: Archive, inbox: Path
) -> None:
    """A file added after the import had passed would have been put aside unread."""
    written(inbox / "export" / "result.json", chat(message(1)))
    entries = settled(archive)
    time.sleep(TICK_SECONDS)
    steps: list[object] = []

    def grow(step: object) -> None:
        if not steps:
            written(inbox / "export" / grown, chat(message(1), message(2)))
        steps.append(step)

    (one,) = take_in(archive, entries, grow)
    assert steps
    assert one.outcome.value == "left"
    assert one.reason == "it changed while it was read: it may still be being copied"
    assert told(taken(archive)) == [("export", "imported")]
    assert ids(archive) == [1, 2]


def _importing(monkeypatch: pytest.MonkeyPatch, end: Callable[[Path], FileReport]) -> None:
    def instead(_archive: Archive, paths: list[Path], *_: object) -> Iterator[FileReport]:
        yield end(paths[0])

    monkeypatch.setattr(module, "import_files", instead)


def test_a_file_that_is_still_growing_is_left(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(path: Path) -> FileReport:
        error = InputChanged(path)
        return FileReport(path, FileOutcome.REFUSED, error.message, error)

    written(inbox / "result.json", chat(message(1)))
    with monkeypatch.context() as patched:
        _importing(patched, changed)
        (one,) = taken(archive)
    assert told([one]) == [("result.json", "left")]
    assert one.reason is not None
    assert "changed while it was being read" in one.reason
    assert told(taken(archive)) == [("result.json", "imported")]


@pytest.mark.parametrize("error", [DiskFull("/data"), DatabaseLost("terminated")])
def test_failures_of_the_surroundings_are_raised_and_the_entry_stays(
    error: Exception, archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> FileReport:
        raise error

    written(inbox / "a.json", chat(message(1)))
    written(inbox / "b.json", chat(message(2)))
    with monkeypatch.context() as patched:
        _importing(patched, fail)
        with pytest.raises(type(error)):
            taken(archive)
    assert tree(inbox) == ["a.json", "b.json"]
    assert told(taken(archive)) == [("a.json", "imported"), ("b.json", "imported")]


@pytest.mark.parametrize("content", [chat(message(1)), b"bad"], ids=["good", "bad"])
def test_an_entry_that_cannot_be_moved_is_left_and_says_so(
    content: Any, archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    written(inbox / "result.json", content)
    entries = settled(archive)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        (one,) = take_in(archive, entries)
    assert told([one]) == [("result.json", "left")]
    assert one.reason == "it cannot be moved aside: Permission denied"
    assert tree(inbox) == ["result.json"]


def test_a_full_disk_is_raised_when_moving(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    written(inbox / "result.json", chat(message(1)))
    entries = settled(archive)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", full)
        with pytest.raises(DiskFull):
            list(take_in(archive, entries))
    assert told(taken(archive)) == [("result.json", "imported")]


def test_an_entry_that_is_gone_is_not_told(archive: Archive, inbox: Path) -> None:
    written(inbox / "a.json", chat(message(1)))
    written(inbox / "b.json", chat(message(2)))
    entries = settled(archive)
    (inbox / "a.json").unlink()
    assert told(list(take_in(archive, entries))) == [("b.json", "imported")]


# ---- kills and other processes --------------------------------------------------------------


def test_after_a_kill_between_import_and_move_the_entry_is_moved(
    archive: Archive, inbox: Path
) -> None:
    path = written(inbox / "result.json", chat(message(1)))
    list(import_files(archive, [path], ImportOptions()))
    (one,) = taken(archive)
    assert told([one]) == [("result.json", "imported")]
    assert outcomes(one, inbox) == {"result.json": "unchanged"}
    assert one.chats == ("-1000000000077",)
    assert tree(inbox) == ["imported/today/result.json"]


def test_an_entry_that_another_process_works_on_is_left_to_it(
    archive: Archive, inbox: Path
) -> None:
    path = written(inbox / "result.json", chat(message(1)))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        (one,) = taken(archive)
    assert (one.outcome.value, one.reason) == ("left", "another process is taking it in")
    assert told(taken(archive)) == [("result.json", "imported")]


CHILD = """
import sys
from tg_pipeline.flows import open_archive
from tg_pipeline.flows import inbox
from tg_pipeline.settings import Settings

inbox.SETTLED_SECONDS = 0
with open_archive(Settings.model_validate_json(sys.argv[1])) as archive:
    print("ready", flush=True)
    sys.stdin.readline()
    for taken in inbox.take_in(archive):
        print(taken.name, taken.outcome.value, flush=True)
"""


def test_two_processes_at_once_take_each_entry_once(archive: Archive, inbox: Path) -> None:
    expected = {}
    for number in range(1, 9):
        name = f"{number}.json"
        good = chat(*(message(10 * number + last) for last in range(10)))
        written(inbox / name, good if number % 4 else b"bad")
        expected[name] = "imported" if number % 4 else "refused"
    children = [_child(archive.settings) for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    ended = [child.communicate("go\n", timeout=120) for child in children]
    assert [(child.returncode, err) for child, (_, err) in zip(children, ended, strict=True)] == [
        (0, ""),
        (0, ""),
    ]
    lines = [line.split() for out, _ in ended for line in out.splitlines()]
    ends = {(name, outcome) for name, outcome in lines if outcome != "left"}
    assert ends == set(expected.items())
    assert len([outcome for _, outcome in lines if outcome != "left"]) == len(expected)
    assert len(ids(archive)) == 60
    assert [path for path in tree(inbox) if "/" not in path] == []
    assert len(tree(inbox)) == 8 + 2


def _child(used: Settings) -> "subprocess.Popen[str]":
    secret = json.dumps(used.model_dump(mode="json"))
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, secret],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_take_in_looks_by_itself(
    archive: Archive, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(inbox / "result.json", chat(message(1)))
    assert list(take_in(archive)) == []
    monkeypatch.setattr(module, "SETTLED_SECONDS", 0)
    assert told(list(take_in(archive))) == [("result.json", "imported")]


def test_the_same_name_with_other_content_is_another_entry(archive: Archive, inbox: Path) -> None:
    marks = set()
    source = written(inbox.parent / "source.json", chat(message(1)))
    for content in (chat(message(1)), chat(message(1), message(2)), chat(message(1))):
        written(source, content)
        shutil.copy2(source, inbox / "result.json")
        (entry,) = settled(archive)
        marks.add(entry.mark)
        assert told(taken(archive)) == [("result.json", "imported")]
        time.sleep(TICK_SECONDS)
    assert len(marks) == 3
    assert ids(archive) == [1, 2]
