"""Files that are whole or absent: written to a temporary name, flushed, renamed."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tg_pipeline.errors import DiskFull, FolderNotWritable

_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals into errors that name the folder and the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(folder) from error
        if error.errno in _NOT_WRITABLE:
            raise FolderNotWritable(folder, error.strerror or str(error)) from error
        raise


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, readable by its owner only where we are the maker."""
    try:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:  # a link to nowhere, a file system that takes no folders
        raise FolderNotWritable(folder, error.strerror or str(error)) from error


def readable(path: Path | str) -> str:
    """A path as text that can be stored and shown, also where its bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


@contextmanager
def durable(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under its name only when it is complete and on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with storage_errors(path.parent):
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
