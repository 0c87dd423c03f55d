"""Exports in ZIP archives: read like those in folders, and refused clearly where they cannot be."""

import shutil
import zipfile
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tg_pipeline.contracts import Rejected
from tg_pipeline.errors import (
    ArchiveDamaged,
    ArchiveUnsupported,
    DataError,
    DiskFull,
    InputChanged,
    InputEmpty,
    InputMissing,
)
from tg_pipeline.sources.desktop_json import Input, discover, scan
from tg_pipeline_tests.sources.making import export, message, read_whole, written
from tg_pipeline_tests.sources.zips import (
    CRC,
    FLAGS,
    METHOD,
    UNPACKED_SIZE,
    edited,
    long,
    outcome,
    records_of,
    short,
    zipped,
)

EXPORT = export(*[message(number) for number in range(1, 40)])
PAGE = b"<!DOCTYPE html>"


def sources(path: Path) -> list[Input]:
    inputs = discover([path]).inputs
    return [one for one in inputs if isinstance(one, Input)]


def names(path: Path) -> list[str]:
    """What an archive's exports are called, without the archive's name."""
    return [source.name.removeprefix(f"{path.name}/") for source in sources(path)]


def refusal(path: Path, folder: Path) -> DataError:
    (error,) = outcome(path, folder)
    assert isinstance(error, DataError), error
    assert error.message.startswith(str(path))
    return error


# ---- what is read ---------------------------------------------------------------------------


def test_a_zipped_export_is_the_same_file_as_the_unpacked_one(tmp_path: Path) -> None:
    folder = written(tmp_path, EXPORT)
    archive = zipped(tmp_path / "chat.zip", {"Chat/result.json": folder.read_bytes()})
    (source,) = sources(archive)
    assert (source.name, source.path) == ("chat.zip/Chat/result.json", archive / "Chat/result.json")
    with source.at_hand(tmp_path, lambda _done: None):
        assert scan(source).sha256 == scan(Input(folder)).sha256
    assert records_of(source, tmp_path) == read_whole(folder).records


def test_places_name_the_archive_and_the_member(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"Chat/result.json": export(message(1), {"id": 2})})
    (source,) = sources(archive)
    found = [one for one in records_of(source, tmp_path) if isinstance(one, Rejected)]
    assert [one.place.partition(" at byte ")[0] for one in found] == ["chat.zip/Chat/result.json"]


def test_members_count_by_the_rules_of_folders(tmp_path: Path) -> None:
    members = [
        "a/result.json", "a/files/notes.json", "a/later/result10.json", "a/later/result2.json",
        "b/deep/two.json", "b/one.json", "b/.hidden/three.json", "__MACOSX/a/._result.json",
        "b/._one.json", "a/photos/photo.jpg", "b/nested.zip", "b/empty/",
    ]  # fmt: skip
    archive = zipped(tmp_path / "all.zip", dict.fromkeys(members, b"{}"))
    assert names(archive) == [
        "a/result.json", "a/later/result2.json", "a/later/result10.json", "b/one.json",
        "b/deep/two.json",
    ]  # fmt: skip
    (note,) = discover([archive]).notes
    assert "holds other archives (1), which were not opened" in note


@pytest.mark.parametrize(
    "name",
    ["../../result.json", "/etc/result.json", "C:\\exports\\result.json", "Чат/результат.json"],
)
def test_a_name_is_never_a_place_to_write_to(tmp_path: Path, name: str) -> None:
    archive = zipped(tmp_path / "deep" / "in" / "chat.zip", {name: EXPORT})
    before = sorted(tmp_path.rglob("*"))
    (records,) = outcome(archive, tmp_path)
    assert isinstance(records, list)
    assert len(records) == 40
    assert sorted(tmp_path.rglob("*")) == before
    assert names(archive) == [name.replace("\\", "/")]


def test_a_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"\x1b[2J\nresult.json": EXPORT})
    assert names(archive) == ["\ufffd[2J\ufffdresult.json"]


def test_stored_members_and_archives_behind_other_bytes_are_read(tmp_path: Path) -> None:
    """A download helper or a self-extracting archive begins with bytes of its own."""
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT}, zipfile.ZIP_STORED)
    archive.write_bytes(b"#!/bin/sh\n" + archive.read_bytes())
    assert [len(records_of(source, tmp_path)) for source in sources(archive)] == [40]


def test_handles_stand_at_places_of_their_own(tmp_path: Path) -> None:
    (source,) = sources(zipped(tmp_path / "chat.zip", {"result.json": EXPORT}))
    with source.at_hand(tmp_path, lambda _done: None), source.open() as one, source.open() as other:
        whole = one.read()
        other.seek(5)
        assert (one.tell(), other.tell()) == (len(whole), 5)
        assert other.read(3) == whole[5:8]
        assert one.read(1) == b""
    with pytest.raises(RuntimeError, match="not at hand"):
        source.open()


def test_unpacking_tells_how_far_it_is_and_leaves_nothing(tmp_path: Path) -> None:
    big = export(*[message(number, text="x" * 999) for number in range(3_000)])
    (source,) = sources(zipped(tmp_path / "chat.zip", {"result.json": big}))
    told: list[int] = []
    with source.at_hand(tmp_path / "room", told.append):
        assert list((tmp_path / "room").iterdir()) == []
    assert told == sorted(told)
    assert told[-1] == source.size() > 3 * 10**6
    assert len(told) > 2


def test_memory_does_not_grow_with_the_member(tmp_path: Path) -> None:
    path = tmp_path / "chat.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("result.json", "w") as member,
    ):
        for _ in range(200):
            member.write(b"x" * 2**20)
    process = psutil.Process()
    before = process.memory_info().rss
    (source,) = sources(path)
    peak = 0

    def sample(_done: int) -> None:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)

    with source.at_hand(tmp_path, sample):
        pass
    assert peak - before < 50 * 2**20


# ---- what is refused ------------------------------------------------------------------------


def test_what_is_no_archive(tmp_path: Path) -> None:
    not_one = "not a ZIP archive"
    for content, said in (
        (b"", "the file is empty"),
        (PAGE, not_one),
        (b'{"messages": []}', not_one),
    ):
        error = refusal(written(tmp_path, content, "chat.zip"), tmp_path)
        assert isinstance(error, ArchiveDamaged)
        assert said in error.message


def test_an_archive_that_was_cut(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT, "photo.jpg": PAGE})
    archive.write_bytes(archive.read_bytes()[:-30])
    error = refusal(archive, tmp_path)
    assert isinstance(error, ArchiveDamaged)
    assert "it was cut" in error.message


def test_a_member_whose_bytes_have_changed(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT})
    error = refusal(edited(archive, CRC, long(7)), tmp_path)
    assert isinstance(error, ArchiveDamaged)
    assert "CRC" in error.message
    assert "result.json" in error.message


def test_an_encrypted_member(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT})
    error = refusal(edited(archive, FLAGS, short(1)), tmp_path)
    assert isinstance(error, ArchiveUnsupported)
    assert "encrypted" in error.message


@pytest.mark.parametrize(("method", "told"), [(9, "Deflate64"), (14, "LZMA"), (77, "method 77")])
def test_a_method_that_is_not_read(tmp_path: Path, method: int, told: str) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT})
    error = refusal(edited(archive, METHOD, short(method)), tmp_path)
    assert isinstance(error, ArchiveUnsupported)
    assert told in error.message


def test_bzip2_is_not_read_for_it_has_no_bounds(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT}, zipfile.ZIP_BZIP2)
    assert "bzip2" in refusal(archive, tmp_path).message


@pytest.mark.parametrize("size", [0, 100, 10**6, 2**32 - 2])
def test_a_size_that_is_a_lie(tmp_path: Path, size: int) -> None:
    """A bomb is one too: it unpacks to more, or is said to, than its bytes can hold."""
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT})
    error = refusal(edited(archive, UNPACKED_SIZE, long(size)), tmp_path)
    assert isinstance(error, ArchiveDamaged)


def test_two_members_of_one_name(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT, "other/result.json": EXPORT})
    with zipfile.ZipFile(archive, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("result.json", "{}")
    twice, whole = outcome(archive, tmp_path)
    assert isinstance(twice, ArchiveUnsupported)
    assert "2 members of this name" in twice.message
    assert isinstance(whole, list)


@pytest.mark.parametrize(
    ("members", "told", "remedy"),
    [
        ([], "it is empty", "Export chat history"),
        (["chat/messages.html", "chat/css/style.css"], "1 .html", "HTML export"),
        (["one.zip", "two.zip"], "only 2 .zip files", "unpack it"),
        (["a.jpg", "b.jpg", "README"], "only 2 .jpg and 1 other files", "Export chat history"),
    ],
)
def test_an_archive_without_an_export_says_what_it_holds(
    tmp_path: Path, members: list[str], told: str, remedy: str
) -> None:
    error = refusal(zipped(tmp_path / "chat.zip", dict.fromkeys(members, PAGE)), tmp_path)
    assert isinstance(error, InputEmpty)
    assert told in error.message
    assert remedy in error.remedy


def test_an_archive_that_changed_or_vanished_since_it_was_listed(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "chat.zip", {"result.json": EXPORT})
    (source,) = sources(archive)
    zipped(archive, {"result.json": export(message(1))})
    with pytest.raises(InputChanged):
        records_of(source, tmp_path)
    archive.unlink()
    with pytest.raises(InputMissing):
        records_of(source, tmp_path)


def test_a_disk_with_too_little_room_is_not_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = sources(zipped(tmp_path / "chat.zip", {"result.json": EXPORT}))
    usage = shutil.disk_usage(tmp_path)._replace(free=source.size() - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(DiskFull, match=str(tmp_path)):
        records_of(source, tmp_path)


# ---- damage of every kind -------------------------------------------------------------------


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_damaged_archive_gives_its_records_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    archive = zipped(
        folder / "chat.zip", {"Chat/result.json": EXPORT, "Chat/photo.jpg": PAGE}, method
    )
    (right,) = outcome(archive, folder)
    content = bytearray(archive.read_bytes())
    directory = content.index(b"PK\x01\x02")
    places = st.one_of(st.integers(0, len(content) - 1), st.integers(directory, len(content) - 1))
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    archive.write_bytes(content[:cut])
    for found in outcome(archive, folder):
        assert isinstance(found, DataError) or found == right
    assert list(folder.iterdir()) == [archive]
