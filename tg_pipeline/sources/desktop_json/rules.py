"""Which files of a folder, or members of an archive, are exports: told by their names alone."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import TypeVar

from tg_pipeline.errors import InputEmpty

JSON = ".json"
ZIP = ".zip"
HTML_REMEDY = (
    "It holds an HTML export, which cannot be imported: export the chat again in "
    "Telegram Desktop with format “Machine-readable JSON”."
)
NESTED_REMEDY = "Archives in an archive are not opened: unpack it and import the folder."
_KINDS_NAMED = 3

_Path = TypeVar("_Path", bound=PurePath)


def chosen(candidates: Iterable[_Path]) -> list[_Path]:
    """Those of some files that may be exports, in natural order, files before sub-folders.

    In a folder these are the `result*.json`, or all where there are none; below a `result*.json`
    only files of that name count, since whatever else lies there was sent in the chat.
    """
    candidates = list(candidates)
    results = folders_of_results(candidates)
    found = (path for path in candidates if _is_result(path) or not is_within(path, results))
    return sorted(found, key=_place)


def folders_of_results(files: Iterable[PurePath]) -> set[PurePath]:
    """The folders that Telegram Desktop made."""
    return {path.parent for path in files if _is_result(path)}


def _is_result(path: PurePath) -> bool:
    return has_suffix(path, JSON) and path.name.lower().startswith("result")


def is_within(path: PurePath, folders: set[PurePath]) -> bool:
    """Whether a file lies in one of these folders or below."""
    return not folders.isdisjoint(path.parents)


def has_suffix(path: PurePath, suffix: str) -> bool:
    """Whether a name ends so, in capitals or not."""
    return path.suffix.lower() == suffix


def is_hidden(name: str) -> bool:
    """Whether a file or folder was made by a system and not by its user."""
    return (name.startswith(".") and name != "..") or name == "__MACOSX"


def is_html_page(path: PurePath) -> bool:
    """Whether it is called as the pages of an HTML export."""
    return has_suffix(path, ".html") and path.name.lower().startswith("messages")


def no_export(path: Path, suffixes: Counter[str], remedy: str | None) -> InputEmpty:
    """The refusal of a folder or archive that holds files with such suffixes and no export."""
    error = InputEmpty(path, _told(suffixes))
    error.remedy = remedy or error.remedy
    return error


def _told(suffixes: Counter[str]) -> str:
    """For example `only 12 .html, 3 .jpg and 2 other files`."""
    most = sorted(suffixes.items(), key=lambda one: (-one[1], one[0]))[:_KINDS_NAMED]
    named = [(count, suffix) for suffix, count in most if suffix]
    rest = suffixes.total() - sum(count for count, _ in named)
    parts = [", ".join(f"{count:,} {suffix}" for count, suffix in named)]
    if rest:
        parts.append(f"{rest:,} other")
    return f"only {' and '.join(filter(None, parts))} files" if suffixes else "it is empty"


def _place(path: PurePath) -> list[tuple[bool, list[tuple[int, str]]]]:
    """Sorts the files of a folder before what lies deeper."""
    *folders, name = path.parts
    return [*((True, _natural(folder)) for folder in folders), (False, _natural(name))]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts `result2` before `result10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
