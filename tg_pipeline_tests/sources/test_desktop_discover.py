"""From paths to files: in order, once, and one bad path does not stop the others."""

from pathlib import Path

import pytest

from tg_pipeline.errors import InputEmpty, InputMissing
from tg_pipeline.sources.desktop_json import discover


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
    return [
        found.relative_to(tree).as_posix() if isinstance(found, Path) else type(found).__name__
        for found in discover([tree / path for path in paths])
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
    (error,) = discover([tree / "html"])
    assert isinstance(error, InputEmpty)
    assert "HTML export" in error.remedy
