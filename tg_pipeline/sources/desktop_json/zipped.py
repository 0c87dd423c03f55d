"""Exports in ZIP archives: their JSON is unpacked one at a time, other members are never touched.

A ZIP member cannot be read backwards, so the JSON goes through a temporary file without a name:
whatever ends us, nothing of it is left. Names in an archive are compared and shown, nothing more.
"""

import errno
import io
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from tg_pipeline.errors import (
    ArchiveDamaged,
    ArchiveUnsupported,
    DataError,
    DiskFull,
    InputChanged,
    InputEmpty,
    InputMissing,
    InputUnreadable,
)
from tg_pipeline.files import make_folder, readable, storage_errors
from tg_pipeline.sources.desktop_json.inputs import Input
from tg_pipeline.sources.desktop_json.rules import (
    HTML_REMEDY,
    JSON,
    NESTED_REMEDY,
    ZIP,
    chosen,
    has_suffix,
    is_hidden,
    is_html_page,
    no_export,
)

_CHUNK = 2**20
_ENCRYPTED = 0x1
_MOST_DEFLATED = 1032
"""A byte of Deflate stands for so many at the most; those of honest JSON for 20 to 50."""
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_LOCAL_HEADER = b"PK\x03\x04"
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError)
"""What zipfile raises when bytes make no sense."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds.

    Attributes:
        inputs: its exports in order; one that cannot be told from another is its error.
        nested: how many archives are in it, which are not opened.
        refusal: why there are no inputs, if so.
        is_html: whether it holds an HTML export.
    """

    inputs: list[Input | DataError]
    nested: int
    refusal: InputEmpty
    is_html: bool


def contents(path: Path) -> Contents:
    """Read an archive's directory, and nothing else of it.

    Raises:
        InputMissing, InputUnreadable, ArchiveDamaged, ArchiveUnsupported: it cannot be read.
    """
    candidates: defaultdict[PurePosixPath, list[zipfile.ZipInfo]] = defaultdict(list)
    suffixes: Counter[str] = Counter()
    is_html = False
    with _reading(path, path) as (archive, mark):
        for member in archive.infolist():
            name = PurePosixPath(member.filename.replace("\\", "/"))
            if member.filename.endswith("/") or any(map(is_hidden, name.parts)):
                continue
            suffixes[name.suffix.lower()] += 1
            is_html = is_html or is_html_page(name)
            if has_suffix(name, JSON):
                candidates[name].append(member)
    return Contents(
        inputs=[_input(path, candidates[name], mark) for name in chosen(candidates)],
        nested=suffixes[ZIP],
        refusal=no_export(path, suffixes, _remedy(suffixes, is_html=is_html)),
        is_html=is_html,
    )


def _remedy(suffixes: Counter[str], *, is_html: bool) -> str | None:
    if is_html:
        return HTML_REMEDY
    return NESTED_REMEDY if suffixes[ZIP] else None


def _input(
    archive: Path, members: list[zipfile.ZipInfo], mark: tuple[int, int]
) -> Input | DataError:
    member, *others = members
    if others:
        path = Path(f"{archive}/{_shown(member)}")
        return ArchiveUnsupported(path, f"the archive holds {len(members)} members of this name")
    return ZippedInput(archive, member, mark)


def _shown(member: zipfile.ZipInfo) -> str:
    """Its name, which may come from anybody and must not steer a terminal."""
    name = member.filename.replace("\\", "/")
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)


class ZippedInput(Input):
    """A JSON export in an archive; to be opened while it is `at_hand`."""

    def __init__(self, archive: Path, member: zipfile.ZipInfo, mark: tuple[int, int]) -> None:
        super().__init__(Path(f"{archive}/{_shown(member)}"))
        self.name = readable(f"{archive.name}/{_shown(member)}")
        self._archive = archive
        self._member = member
        self._mark = mark
        self._unpacked: IO[bytes] | None = None

    @contextmanager
    def at_hand(self, folder: Path, progress: Callable[[int], None]) -> Iterator[None]:
        """Unpack it.

        Raises:
            InputMissing, InputUnreadable, InputChanged: the archive is not what it was.
            ArchiveDamaged, ArchiveUnsupported: it cannot be unpacked.
            DiskFull, FolderNotWritable: there is no room for it.
        """
        self._refuse()
        make_folder(folder)
        with storage_errors(folder):
            unpacked = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - closed below
        with unpacked:
            self._unpack(unpacked, folder, progress)
            self._unpacked = unpacked
            try:
                yield
            finally:
                self._unpacked = None

    def open(self) -> BinaryIO:
        """A new handle on what was unpacked."""
        if self._unpacked is None:
            raise RuntimeError(f"{self.path} is not at hand")
        return io.BufferedReader(_Handle(self._unpacked.fileno()))

    def size(self) -> int:
        """Its bytes, unpacked."""
        return self._member.file_size

    def _refuse(self) -> None:
        """Refuse what cannot be unpacked in bounded memory, and a size that cannot be true."""
        member = self._member
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveUnsupported(self.path, "it is encrypted")
        if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            method = _METHODS.get(member.compress_type, f"method {member.compress_type}")
            raise ArchiveUnsupported(self.path, f"it is compressed with {method}")
        deflated = member.compress_type == zipfile.ZIP_DEFLATED
        if member.file_size > member.compress_size * (_MOST_DEFLATED if deflated else 1):
            raise ArchiveDamaged(self.path, "its size in the archive's directory cannot be true")

    def _unpack(self, unpacked: IO[bytes], folder: Path, progress: Callable[[int], None]) -> None:
        if self._member.file_size > shutil.disk_usage(folder).free:
            raise DiskFull(folder)
        written = 0
        with _reading(self._archive, self.path) as (archive, mark):
            if mark != self._mark:
                raise InputChanged(self._archive)
            with archive.open(self._member) as packed:
                while chunk := packed.read(_CHUNK):  # never more than the directory says
                    with storage_errors(folder):
                        written += _write(unpacked, chunk)
                    progress(written)
        if written != self._member.file_size:
            raise ArchiveDamaged(self.path, f"it ends after {written} bytes, too early")


def _write(file: IO[bytes], chunk: bytes) -> int:
    """Write all of it without a buffer, whose rest would be written, and fail, on closing."""
    rest = chunk
    while rest:
        rest = rest[file.write(rest) :]
    return len(chunk)


class _Handle(io.RawIOBase):
    """Reads an open file from a place of its own: one without a name cannot be opened again."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._place = 0

    def fileno(self) -> int:
        return self._descriptor

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = os.pread(self._descriptor, len(buffer), self._place)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + (self._place if whence == os.SEEK_CUR else 0)
        return self._place


@contextmanager
def _reading(path: Path, told: Path) -> Iterator[tuple[zipfile.ZipFile, tuple[int, int]]]:
    """An archive, and the mark by which a change of it is seen; its faults are those of `told`."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            _refuse_other(path, file)
            with zipfile.ZipFile(file) as archive:
                yield archive, (found.st_size, found.st_mtime_ns)
    except FileNotFoundError:
        raise InputMissing(path) from None
    except _DAMAGE as fault:
        raise ArchiveDamaged(told, str(fault) or type(fault).__name__) from fault
    except RuntimeError as fault:  # NotImplementedError among them
        raise ArchiveUnsupported(told, str(fault)) from fault
    except OSError as fault:
        if fault.errno == errno.EINVAL:  # a place before the beginning
            raise ArchiveDamaged(told, "its directory names places that are not there") from fault
        raise InputUnreadable(path, fault.strerror or str(fault)) from fault


def _refuse_other(path: Path, file: BinaryIO) -> None:
    if not file.read(1):
        raise ArchiveDamaged(path, "the file is empty")
    if not zipfile.is_zipfile(file):
        file.seek(0)
        if file.read(len(_LOCAL_HEADER)) == _LOCAL_HEADER:
            raise ArchiveDamaged(path, "it was cut: the directory at its end is missing")
        raise ArchiveDamaged(path, "it is not a ZIP archive, whatever its name says")
    file.seek(0)
