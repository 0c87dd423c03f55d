"""Something dropped into a folder, looked at without reading it and without following links."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tg_pipeline.errors import InputUnreadable

_DEEPEST = 100
"""Levels of folders; far more than an export has, fewer than a walk through them can bear."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a file or folder found.

    Attributes:
        mark: a digest of the names, sizes, times and inodes in it; another drop has another mark.
        changed_ns: when anything in it changed last.
        has_files: false of a folder in which, however deep, there is not a single file.
        unfit: why it must not be read, if so.
    """

    mark: str
    changed_ns: int
    has_files: bool
    unfit: InputUnreadable | None


def look(path: Path, now_ns: int) -> Look:
    """Look at a file, or at a folder and all that is in it.

    A modification time in the future was copied from a wrong clock and says nothing about a change;
    the time that the system keeps itself (ctime) is always believed.

    Raises:
        OSError: something in it vanished meanwhile.
    """
    digest = hashlib.sha256()
    changed_ns, has_files, unfit = 0, False, None
    for place, found in _all(path):
        name = os.fsencode(path.name + place.removeprefix(str(path)))
        facts = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        digest.update(name + b"\0" + " ".join(map(str, facts)).encode() + b"\0")
        modified_ns = found.st_mtime_ns if found.st_mtime_ns <= now_ns else 0
        changed_ns = max(changed_ns, found.st_ctime_ns, modified_ns)
        unfit = unfit or _unfit(place, found.st_mode, name)
        has_files = has_files or unfit is not None or not stat.S_ISDIR(found.st_mode)
    return Look(digest.hexdigest(), changed_ns, has_files, unfit)


def _all(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The path and everything in it, in a fixed order."""
    pending = [str(path)]
    while pending:
        place = pending.pop()
        found = os.lstat(place)
        yield place, found
        if stat.S_ISDIR(found.st_mode) and _can_be_listed(place):
            names = os.listdir(place)  # noqa: PTH208 - Paths of 100,000 media files take seconds
            pending += [f"{place}/{name}" for name in sorted(names, reverse=True)]


def _unfit(path: str, mode: int, name: bytes) -> InputUnreadable | None:
    """A link may lead anywhere, reading a pipe may never end, and such a name cannot be stored."""
    if stat.S_ISLNK(mode):
        return _refusal(path, "it is a link", "Put a copy of what it leads to there instead.")
    if stat.S_ISDIR(mode):
        if not _can_be_listed(path):
            return _refusal(path, "permission denied", "Grant read access to the folder.")
    elif not stat.S_ISREG(mode):
        return _refusal(path, "it is neither a file nor a folder", "Put the export itself there.")
    if name.count(b"/") > _DEEPEST:
        return _refusal(path, "it lies too deep", "Put the folder of the export itself there.")
    try:
        name.decode()
    except UnicodeDecodeError:
        return _refusal(path, "its name is no UTF-8", "Rename it.")
    return None


def _can_be_listed(folder: str) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _refusal(path: str, reason: str, remedy: str) -> InputUnreadable:
    error = InputUnreadable(Path(path), reason)
    error.remedy = remedy
    return error
