"""From what a user names to export files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tg_pipeline.errors import DataError, InputEmpty, InputMissing, InputUnreadable


def discover(paths: Sequence[Path]) -> Iterator[Path | DataError]:
    """Each file once, in the order given; a path that leads nowhere becomes its error.

    A folder stands for the `result*.json` in it, or for all its `*.json` where there are none, and
    for those of its sub-folders; below a `result*.json` only files of that name count, since other
    JSON there was sent in the chat.
    """
    seen: set[Path] = set()
    for path in paths:
        try:
            found = list(_files(path))
        except DataError as error:
            yield error
            continue
        except OSError as error:
            yield InputUnreadable(path, error.strerror or str(error))
            continue
        for file in found:
            if (real := file.resolve()) not in seen:
                seen.add(real)
                yield file


def _files(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise InputMissing(path)
    if not path.is_dir():
        yield path
        return
    files = list(_in_folder(path, only_results=False))
    if not files:
        raise _empty(path)
    yield from files


def _in_folder(folder: Path, *, only_results: bool) -> Iterator[Path]:
    entries = sorted(folder.iterdir(), key=_natural)
    files = [entry for entry in entries if entry.suffix.lower() == ".json" and entry.is_file()]
    results = [file for file in files if file.name.lower().startswith("result")]
    yield from results if results or only_results else files
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
            yield from _in_folder(entry, only_results=only_results or bool(results))


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort `result2` before `result10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _empty(folder: Path) -> InputEmpty:
    error = InputEmpty(folder)
    if next(folder.rglob("messages*.html"), None) is not None:
        error.remedy = (
            "It holds an HTML export, which cannot be imported: export the chat again in "
            "Telegram Desktop with format “Machine-readable JSON”."
        )
    return error
