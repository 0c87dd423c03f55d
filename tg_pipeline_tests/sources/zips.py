"""ZIP archives of exports, good ones and such as people get when something went wrong."""

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

from tg_pipeline.errors import DataError
from tg_pipeline.sources.desktop_json import DesktopRecord, Input, discover, read, scan

CENTRAL_HEADER = b"PK\x01\x02"
FLAGS, METHOD, CRC, UNPACKED_SIZE = 8, 10, 16, 24
"""Offsets in a header of the central directory."""


def zipped(path: Path, members: dict[str, Any], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive of members; what is no bytes is written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content, indent=1)
            archive.writestr(name, data)
    return path


def edited(path: Path, field: int, value: bytes) -> Path:
    """The archive with a field of the first header in its directory replaced."""
    data = bytearray(path.read_bytes())
    at = data.index(CENTRAL_HEADER)
    data[at + field : at + field + len(value)] = value
    path.write_bytes(data)
    return path


def short(number: int) -> bytes:
    return struct.pack("<H", number)


def long(number: int) -> bytes:
    return struct.pack("<L", number)


def records_of(source: Input, folder: Path) -> list[DesktopRecord]:
    """All records of one export, unpacked into `folder` where that is needed."""
    with source.at_hand(folder, lambda _done: None):
        return [one for part in read(scan(source)) for one in part.records()]


def outcome(path: Path, folder: Path) -> list[list[DesktopRecord] | DataError]:
    """What becomes of each export that a path stands for."""
    told: list[list[DesktopRecord] | DataError] = []
    for source in discover([path]).inputs:
        if isinstance(source, DataError):
            told.append(source)
            continue
        try:
            told.append(records_of(source, folder))
        except DataError as error:
            told.append(error)
    return told
