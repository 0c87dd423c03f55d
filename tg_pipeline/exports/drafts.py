"""Files named by their content: a draft has no name until it is complete and on disk.

A draft is hashed while it is written. Publishing it gives it its hash as a name, in one step;
whatever happens before that leaves at most a `.tmp` file, which a later run clears away.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from tg_pipeline.files import Place, Unnamed, make_folder, storage_errors, sync_folder, unnamed


@dataclass(frozen=True, slots=True)
class Written:
    """A published file, just written."""

    name: str
    bytes: int
    sha256: str


class Draft:
    """A file being written; use it as a context manager, which removes what was not published."""

    def __init__(self, folder: Place, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix
        self._hash = hashlib.sha256()
        self._bytes = 0
        with storage_errors(folder):
            self._begun = _begin(folder, f".{uuid4().hex}{suffix}.tmp")

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written; pyarrow asks."""
        return self._begun.file.closed

    def write(self, data: bytes | memoryview) -> int:
        """Append and hash."""
        with storage_errors(self._folder):
            self._begun.file.write(data)
        self._hash.update(data)
        self._bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        with storage_errors(self._folder):
            self._begun.file.flush()

    def publish(self) -> Written:
        """Give the finished file its name. From here on it is never changed.

        A file of the same name has the same content; replacing it makes it young again, so that
        nobody who is clearing away old files takes it.
        """
        digest = self._hash.hexdigest()
        name = f"{digest}{self._suffix}"
        with storage_errors(self._folder):
            self._begun.become(name)
        return Written(name, self._bytes, digest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._begun.discard()


def _begin(folder: Place, temporary: str) -> Unnamed:
    """Open for writing; twice, as another run may just have removed the empty folder."""
    _make_durable_folder(folder)
    try:
        return unnamed(folder, temporary)
    except FileNotFoundError:
        _make_durable_folder(folder)
        return unnamed(folder, temporary)


def _make_durable_folder(folder: Place) -> None:
    """Make a folder whose place in its parents survives a power cut."""
    if not isinstance(folder, Path):
        return
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    make_folder(folder)
    for path in reversed(missing):
        sync_folder(path.parent)
