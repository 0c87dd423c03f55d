"""The inbox: people drop exports into a folder; what has settled is imported and moved aside.

An entry is moved in one rename and only after its import, so whatever is still in the inbox has to
be looked at: after a kill in between it is imported again, found unchanged, and moved.
"""

import contextlib
import errno
import fcntl
import itertools
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from tg_pipeline.contracts import FileOutcome
from tg_pipeline.errors import BatchDamaged, ContractTooNew, DiskFull, InputChanged
from tg_pipeline.files import durable, make_folder, storage_errors, sync_folder
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.dropped import Look, look
from tg_pipeline.flows.import_files import FileReport, ImportOptions, import_files
from tg_pipeline.flows.letters import Letter, letter_about
from tg_pipeline.flows.progress import Progress, silent
from tg_pipeline.logs import get_logger
from tg_pipeline.settings import Settings

SETTLED_SECONDS = 10
"""An entry in which nothing has changed for so long is no longer being copied."""

_UNFINISHED = (
    *(".part", ".partial", ".filepart", ".crdownload", ".opdownload", ".download", ".tmp", "~"),
)
_OF_THE_SYSTEM = {"thumbs.db", "desktop.ini"}
_NOT_ITS_FAULT = (InputChanged, BatchDamaged, ContractTooNew)
_LONGEST_NAME = 200
"""Bytes of a name, of 255; the rest is for a number and for the names of letters about it."""


class Outcome(StrEnum):
    """What became of one entry; the first two are also the folders it goes to."""

    IMPORTED = "imported"
    REFUSED = "refused"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder that waits in the inbox; the same name dropped again has another mark."""

    name: str
    path: Path
    mark: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one entry.

    Attributes:
        name: of the entry.
        outcome: `left` says it is still in the inbox and will be taken another time.
        reports: of each file in it; also where the entry was refused for another one of them.
        moved_to: where it lies now, unless it was left.
        reason: why it was left.
    """

    name: str
    outcome: Outcome
    reports: tuple[FileReport, ...] = ()
    moved_to: Path | None = None
    reason: str | None = None

    @property
    def chats(self) -> tuple[str, ...]:
        """Keys of the chats that its files hold, each once."""
        return tuple(dict.fromkeys(chat for report in self.reports for chat in report.chats))


def waiting(settings: Settings, *, now: datetime | None = None) -> list[Entry]:
    """The entries that have settled, by name; none where there is no inbox.

    Passed over are our own two folders, hidden files, unfinished downloads and folders without any
    file in them: somebody has just made those.
    """
    now_ns = time.time_ns() if now is None else int(now.timestamp() * 1e9)
    inbox = settings.inbox_folder
    if not inbox.is_dir():
        return []
    with storage_errors(inbox):
        names = sorted(path.name for path in inbox.iterdir())
    found = []
    for path in (inbox / name for name in names if not _is_passed_over(name)):
        seen = _seen(path, now_ns)
        if seen is not None and _is_settled(seen, now_ns):
            found.append(Entry(path.name, path, seen.mark))
    return found


def take_in(
    archive: Archive, entries: Sequence[Entry] | None = None, progress: Progress = silent
) -> Iterator[Taken]:
    """Import entries, all that wait unless some are given, and move each one aside.

    An entry whose files are all in the archive goes to `imported/<day>` in the inbox, any other to
    `refused/<day>` with a letter that names each file's fault and remedy; what was good in it is
    imported all the same. Days are in UTC. An entry that has changed since it was seen, that
    another process is taking in or that cannot be moved is left. Nothing is told of one that is
    gone: another process has taken it.

    Raises:
        DiskFull, FolderNotWritable, DatabaseLost, DatabaseUnreachable: the entry stays.
    """
    for entry in waiting(archive.settings) if entries is None else entries:
        taken = _take(archive, entry, progress)
        if taken is not None:
            get_logger().info("inbox.taken", name=taken.name, outcome=taken.outcome.value)
            yield taken


def _is_passed_over(name: str) -> bool:
    low = name.lower()
    return (
        name in {Outcome.IMPORTED.value, Outcome.REFUSED.value}
        or low.startswith((".", "~"))
        or low.endswith(_UNFINISHED)
        or low in _OF_THE_SYSTEM
    )


def _is_settled(seen: Look, now_ns: int) -> bool:
    return seen.has_files and now_ns - seen.changed_ns >= SETTLED_SECONDS * 10**9


def _seen(path: Path, now_ns: int | None = None) -> Look | None:
    """One look; None where the entry, or something in it, is just being moved or deleted."""
    try:
        return look(path, time.time_ns() if now_ns is None else now_ns)
    except OSError:
        return None


def _take(archive: Archive, entry: Entry, progress: Progress) -> Taken | None:
    with _claimed(entry.path) as ours:
        if not ours:
            return _left(entry, "another process is taking it in")
        seen = _seen(entry.path)
        if seen is None or seen.mark != entry.mark:
            return _changed(entry, "since it was seen")
        reports = _imported(archive, entry, seen, progress)
        seen = _seen(entry.path)
        if seen is None or seen.mark != entry.mark:
            return _changed(entry, "while it was read", reports)
        for report in reports:
            if isinstance(report.error, _NOT_ITS_FAULT):
                return _left(entry, str(report.error), reports)
        return _put_aside(archive.settings.inbox_folder, entry, reports)


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether the entry is ours meanwhile: a lock on itself, which the kernel frees on a crash.

    What cannot be opened or locked (a link, another file system) is worked on without: of two
    processes the second one finds it gone.
    """
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass
        yield True


def _imported(
    archive: Archive, entry: Entry, seen: Look, progress: Progress
) -> tuple[FileReport, ...]:
    if seen.unfit is not None:
        error = seen.unfit
        return (FileReport(error.path, FileOutcome.REFUSED, reason=error.message, error=error),)
    settings = archive.settings
    options = ImportOptions(timezone=settings.timezone, account=settings.account)
    return tuple(import_files(archive, [entry.path], options, progress))


def _left(entry: Entry, reason: str, reports: tuple[FileReport, ...] = ()) -> Taken:
    return Taken(entry.name, Outcome.LEFT, reports, reason=reason)


def _changed(entry: Entry, when: str, reports: tuple[FileReport, ...] = ()) -> Taken | None:
    if not os.path.lexists(entry.path):
        return None
    return _left(entry, f"it changed {when}: it may still be being copied", reports)


# ---- moving aside ---------------------------------------------------------------------------


def _put_aside(inbox: Path, entry: Entry, reports: tuple[FileReport, ...]) -> Taken | None:
    refused = any(report.outcome is FileOutcome.REFUSED for report in reports)
    outcome = Outcome.REFUSED if refused else Outcome.IMPORTED
    folder = _folder_of_today(inbox, outcome)
    letter = letter_about(entry.name, reports, inbox)
    with _alone_in(folder):
        try:
            place = _free_place(folder, entry.path, letter)
            _move(entry.path, place, letter)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFull(inbox) from error
            return _left(entry, f"it cannot be moved aside: {error.strerror}", reports)
    sync_folder(folder)
    sync_folder(inbox)
    return Taken(entry.name, outcome, reports, moved_to=place)


def _move(path: Path, place: Path, letter: Letter | None) -> None:
    """The letter first: an entry that was moved without one would never be explained."""
    if letter is None:
        path.rename(place)
        return
    written = letter.beside(place)
    with durable(written) as file:
        file.write(letter.text.encode())
    try:
        path.rename(place)
    except OSError:
        written.unlink(missing_ok=True)
        raise


def _folder_of_today(inbox: Path, outcome: Outcome) -> Path:
    """Made if needed, open to whoever the inbox is open to: they want to see what became of it."""
    folder = inbox / outcome.value / datetime.now(UTC).date().isoformat()
    with storage_errors(inbox):
        for made in (folder.parent, folder):
            if not made.is_dir():
                make_folder(made)
                made.chmod(inbox.stat().st_mode & 0o7777)
    return folder


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one process at a time choose a name: a rename replaces what has it already."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _free_place(folder: Path, path: Path, letter: Letter | None) -> Path:
    is_folder = stat.S_ISDIR(path.lstat().st_mode)
    for number in itertools.count(1):
        place = folder / numbered(path.name, number, is_folder=is_folder)
        wanted = [place] if letter is None else [place, letter.beside(place)]
        if not any(map(os.path.lexists, wanted)):
            break
    return place


def numbered(name: str, number: int, *, is_folder: bool = False) -> str:
    """The name with a number as file managers write it, not longer than file systems take."""
    suffix = "" if is_folder else Path(name).suffix
    if len(suffix) > _LONGEST_NAME // 10:
        suffix = ""
    stem = name.removesuffix(suffix)
    ending = (f" ({number})" if number > 1 else "") + suffix
    room = _LONGEST_NAME - len(os.fsencode(ending))
    return os.fsencode(stem)[:room].decode(errors="ignore") + ending
