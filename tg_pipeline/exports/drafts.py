"""Files named by their content: a draft has no name until it is complete and on disk.

A draft is hashed while it is written. Publishing it means flush, rename to its hash, flush the
folder; whatever happens before that leaves only a `.tmp` file, which a later run clears away.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from tg_pipeline.files import make_folder, storage_errors, sync_folder


@dataclass(frozen=True, slots=True)
class Written:
    """A published file, just written."""

    path: Path
    bytes: int
    sha256: str


class Draft:
    """A file being written; use it as a context manager, which removes what was not published."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._suffix = suffix
        self._temporary = folder / f".{uuid4().hex}{suffix}.tmp"
        self._hash = hashlib.sha256()
        self._bytes = 0
        with storage_errors(folder):
            self._file = _open(self._temporary)

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written; pyarrow asks."""
        return self._file.closed

    def write(self, data: bytes | memoryview) -> int:
        """Append and hash."""
        with storage_errors(self._temporary.parent):
            self._file.write(data)
        self._hash.update(data)
        self._bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        with storage_errors(self._temporary.parent):
            self._file.flush()

    def publish(self) -> Written:
        """Give the finished file its name. From here on it is never changed.

        A file of the same name has the same content; replacing it makes it young again, so that
        nobody who is clearing away old files takes it.
        """
        folder, digest = self._temporary.parent, self._hash.hexdigest()
        path = folder / f"{digest}{self._suffix}"
        with storage_errors(folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(path)
            sync_folder(folder)
        return Written(path, self._bytes, digest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # the disk may be full, and what is left goes away anyway
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def _open(path: Path) -> BinaryIO:
    """Open for writing; twice, as another run may just have removed the empty folder."""
    _make_durable_folder(path.parent)
    try:
        return path.open("xb")
    except FileNotFoundError:
        _make_durable_folder(path.parent)
        return path.open("xb")


def _make_durable_folder(folder: Path) -> None:
    """Make a folder whose place in its parents survives a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    make_folder(folder)
    for path in reversed(missing):
        sync_folder(path.parent)
