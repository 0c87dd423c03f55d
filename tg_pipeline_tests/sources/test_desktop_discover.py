"""From paths to files: in order, once, and one bad path does not stop the others."""

import os
from pathlib import Path

import pytest

from tg_pipeline.errors import DataError, InputEmpty, InputMissing, InputUnreadable
from tg_pipeline.sources.desktop_json import Input, discover
from tg_pipeline_tests.sources.zips import zipped


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "a/result.json",
        "a/files/notes.json",
        "a/later/result10.json",
        "a/later/result2.json",
        "b/one.json",
        "b/deep/two.json",
        "b/.hidden/three.json",
        "html/chats/messages2.html",
        "nothing/photo.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return tmp_path


def names(tree: Path, *paths: str) -> list[str]:
    found = discover([tree / path for path in paths]).inputs
    return [
        type(one).__name__ if isinstance(one, DataError) else one.path.relative_to(tree).as_posix()
        for one in found
    ]


def test_a_folder_stands_for_its_results_in_natural_order(tree: Path) -> None:
    assert names(tree, "a") == ["a/result.json", "a/later/result2.json", "a/later/result10.json"]


def test_without_results_all_json_files_count(tree: Path) -> None:
    assert names(tree, "b") == ["b/one.json", "b/deep/two.json"]


def test_files_are_taken_as_given_and_once(tree: Path) -> None:
    (tree / "link.json").symlink_to(tree / "b/one.json")
    assert names(tree, "a/files/notes.json", "b/one.json", "b", "link.json") == [
        "a/files/notes.json",
        "b/one.json",
        "b/deep/two.json",
    ]


def test_a_bad_path_is_told_in_its_place(tree: Path) -> None:
    assert names(tree, "none", "b", "nothing") == [
        InputMissing.__name__,
        "b/one.json",
        "b/deep/two.json",
        InputEmpty.__name__,
    ]


def test_an_html_export_is_named_as_such(tree: Path) -> None:
    (error,) = discover([tree / "html"]).inputs
    assert isinstance(error, InputEmpty)
    assert "HTML export" in error.remedy


def test_a_folder_is_searched_whatever_lies_in_it(tree: Path) -> None:
    """Links in circles, links to nowhere and folders that cannot be listed stop nobody."""
    (tree / "b" / "deep" / "circle").symlink_to(tree / "b")
    (tree / "b" / "gone.json").symlink_to(tree / "nowhere.json")
    (tree / "b" / "self.json").symlink_to("self.json")
    found = discover([tree / "b"])
    assert names(tree, "b") == [
        InputUnreadable.__name__,
        InputUnreadable.__name__,
        "b/one.json",
        "b/deep/two.json",
    ]
    told = [one.message for one in found.inputs if isinstance(one, DataError)]
    assert sorted(told) == [
        f"cannot read {tree}/b/gone.json: No such file or directory",
        f"cannot read {tree}/b/self.json: Too many levels of symbolic links",
    ]
    assert found.notes == [f"{tree}/b/deep/circle is a link to a folder and was not followed"]


def test_a_folder_that_cannot_be_listed_is_told_and_the_others_are_read(tree: Path) -> None:
    """Its path is longer than the system takes, which stops even root."""
    here = os.open(tree / "b", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    (error, *others) = discover([tree / "b"]).inputs
    assert isinstance(error, InputUnreadable)
    assert "File name too long" in error.message
    assert len(others) == 2


def test_what_was_not_looked_at_is_counted(tree: Path) -> None:
    (tree / "b" / "photo.jpg").touch()
    (tree / "a" / "photos").mkdir()
    (tree / "a" / "photos" / "photo.jpg").touch()
    zipped(tree / "a" / "files" / "sent.zip", {"result.json": {}})
    zipped(tree / "b" / "holiday.zip", {"photo.jpg": b""})
    zipped(tree / "b" / "chat.zip", {"result.json": {}})
    found = discover([tree])
    assert [one.name for one in found.inputs if isinstance(one, Input)] == [
        "result.json", "result2.json", "result10.json", "chat.zip/result.json", "one.json",
        "two.json",
    ]  # fmt: skip
    assert found.others == len(["photo.jpg", "holiday.zip", "messages2.html", "nothing/photo.jpg"])
    (note,) = found.notes
    assert f"{tree}/html/chats holds an HTML export, which cannot be imported" in note


def test_an_archive_of_html_pages_in_a_folder_is_told(tree: Path) -> None:
    zipped(tree / "b" / "html.zip", {"messages.html": b""})
    assert names(tree, "b") == [InputEmpty.__name__, "b/one.json", "b/deep/two.json"]


def test_a_folder_of_other_archives_holds_no_export(tree: Path) -> None:
    zipped(tree / "nothing" / "holiday.zip", {"photo.jpg": b"", "more.zip": b""})
    (tree / "nothing" / "exports").symlink_to(tree / "a")
    found = discover([tree / "nothing"])
    (error,) = found.inputs
    assert [note.removeprefix(f"{tree}/nothing/").split()[0] for note in found.notes] == [
        "exports",
        "holiday.zip",
    ]
    assert isinstance(error, InputEmpty)
    assert "1 .jpg, 1 .zip" in error.message
