"""Files that are whole or absent, in a folder or on an object store.

In a folder they are written to a temporary name, flushed and renamed. On an object store they are
written to a nameless local file and uploaded, and an upload shows only when it is complete.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias, cast

from tg_pipeline import objects
from tg_pipeline.errors import DiskFull, FolderNotWritable
from tg_pipeline.objects import Stored

if TYPE_CHECKING:
    from upath import UPath

Place: TypeAlias = "Path | UPath"
"""A folder or file, local or on an object store."""
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


def open_place(given: Path | str) -> Place:
    """A local path as it is; a URL as what it names on an object store.

    Raises:
        ExtraMissing, ObjectStoreDenied
    """
    return given if isinstance(given, Path) else objects.open_url(given)


@contextmanager
def storage_errors(folder: Place) -> Iterator[None]:
    """Turn the operating system's refusals into errors that name the folder and the remedy.

    What is on its way to an object store is written to the system's folder for temporary files.
    """
    local = folder if isinstance(folder, Path) else Path(tempfile.gettempdir())
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(local) from error
        if error.errno in _NOT_WRITABLE:
            raise FolderNotWritable(local, error.strerror or str(error)) from error
        raise


def make_folder(folder: Place) -> None:
    """Make a folder and its parents, readable by its owner only where we are the maker.

    An object store has no folders.
    """
    if not isinstance(folder, Path):
        return
    try:
        with storage_errors(folder):
            missing = [one for one in (folder, *folder.parents) if not one.is_dir()]
            for one in reversed(missing):  # parents made by `mkdir` would not take the mode
                one.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:  # a link to nowhere, a file system that takes no folders
        raise FolderNotWritable(folder, error.strerror or str(error)) from error


def readable(path: Path | str) -> str:
    """A path as text that can be stored and shown, also where its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


# ---- writing --------------------------------------------------------------------------------


class Unnamed(Protocol):
    """A file that is being written and has no name yet."""

    file: BinaryIO

    def become(self, name: str) -> None:
        """Give the complete file its name; whatever had it before is replaced in one step."""
        ...

    def discard(self) -> None:
        """Close, and leave nothing behind of what has not become anything."""
        ...


def unnamed(folder: Place, temporary: str, *, private: bool = False) -> Unnamed:
    """Begin a file in a folder; `temporary` is what it is called there until it has a name."""
    if isinstance(folder, Path):
        return _LocalFile(folder, temporary, private)
    return _Upload(folder)


@contextmanager
def durable(path: Place, *, private: bool = False) -> Iterator[BinaryIO]:
    """Write a file that appears under its name only when it is complete and on disk.

    A private one is never, not even for a moment, open to other users of the machine.
    """
    with storage_errors(path.parent):
        begun = unnamed(path.parent, f".{path.name}.{os.getpid()}.tmp", private=private)
        try:
            yield begun.file
            begun.become(path.name)
        finally:
            begun.discard()


def clear_leftovers(folder: Place, name: str) -> None:
    """Remove what killed runs left of a `durable` file; the caller knows that they are over."""
    if isinstance(folder, Path):
        for path in folder.glob(f".{name}.*.tmp"):
            path.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _LocalFile:
    def __init__(self, folder: Path, temporary: str, private: bool) -> None:
        self._temporary = folder / temporary
        if private:
            self._temporary.unlink(missing_ok=True)  # a killed run's, whoever may read it
        rights = 0o600 if private else 0o666
        opened = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, rights)
        self.file: BinaryIO = os.fdopen(opened, "wb")

    def become(self, name: str) -> None:
        folder = self._temporary.parent
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._temporary.replace(folder / name)
        sync_folder(folder)

    def discard(self) -> None:
        with suppress(OSError):  # the disk may be full, and what is left goes away anyway
            self.file.close()
        self._temporary.unlink(missing_ok=True)


class _Upload:
    def __init__(self, folder: "UPath") -> None:
        self._folder = folder
        self.file: BinaryIO = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115

    def become(self, name: str) -> None:
        objects.put(self.file, self._folder / name)
        self.file.close()

    def discard(self) -> None:
        with suppress(OSError):
            self.file.close()


# ---- looking, reading, deleting -------------------------------------------------------------


def names(folder: Place) -> list[str]:
    """The files below a folder, however deep, by their relative paths; none if it is not there.

    Raises:
        OSError: it cannot be looked into; what cannot be seen must not be taken for gone.
    """
    if not isinstance(folder, Path):
        return sorted(objects.listing(folder))
    return sorted(
        f"{place}/{name}".removeprefix(f"{folder}/")
        for place, _, inside in os.walk(folder, onerror=_unless_gone, followlinks=True)
        for name in inside
    )


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def listing(folder: Place) -> dict[str, Stored]:
    """The files below a folder, however deep, by their relative paths."""
    if not isinstance(folder, Path):
        return objects.listing(folder)
    found = ((name, stored(folder / name)) for name in names(folder))
    return {name: one for name, one in found if one is not None}


def stored(path: Place) -> Stored | None:
    """Size and time of one file; None where there is none."""
    if not isinstance(path, Path):
        return objects.stored(path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Stored(found.st_size, found.st_mtime)


def read(path: Place) -> bytes:
    """All of a file.

    Raises:
        OSError: it cannot be read; FileNotFoundError where there is none.
    """
    return path.read_bytes() if isinstance(path, Path) else objects.read(path)


@contextmanager
def opened(path: Place) -> Iterator[BufferedReader]:
    """A file to be read from its beginning.

    Raises:
        OSError: it cannot be read; FileNotFoundError where there is none.
    """
    with path.open("rb") if isinstance(path, Path) else objects.opened(path) as file:
        yield file


def delete(path: Place) -> None:
    """Delete a file, if it is there."""
    if not isinstance(path, Path):
        objects.delete(path)
        return
    with storage_errors(path.parent):
        path.unlink(missing_ok=True)


def rename(path: Place, name: str) -> None:
    """Give a small file another name in its folder.

    On an object store for a moment both are there; whoever is cut off there does it again.
    """
    if isinstance(path, Path):
        with storage_errors(path.parent):
            path.rename(path.with_name(name))
        return
    with durable(path.parent / name) as copy:
        copy.write(objects.read(path))
    objects.delete(path)
