"""The spool: what was fetched and is not landed yet, page by page on this machine's disk.

Telegram's answers come a hundred messages at a time, a batch holds thousands. So each page is
appended to a file at once, with the ids it covers; whatever kills the process, the next one lands
all whole pages and asks for what comes after them. A page that was cut while it was written does
not count.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from tg_pipeline.contracts import (
    BatchManifest,
    Chat,
    IdRange,
    Origin,
    Participant,
    Record,
    decode,
    encode,
)
from tg_pipeline.errors import SpoolDamaged
from tg_pipeline.landing.write import Contents, Shipment, land_lines
from tg_pipeline.landing.zone import LandingZone

FILE_NAME = "telegram"
"""What stands in manifests and tables where an import has the name of its file."""
_MARK = b'{"page":'
_HEAD_LINES = 2


@dataclass(frozen=True, slots=True)
class Covered:
    """Ids that a page answers for: what was asked for, and what of it is known whole."""

    fetched: tuple[IdRange, ...] = ()
    complete: tuple[IdRange, ...] = ()

    def __add__(self, other: "Covered") -> "Covered":
        return Covered(
            _joined(*self.fetched, *other.fetched), _joined(*self.complete, *other.complete)
        )


class Spool:
    """Pages of one chat. All count as seen at the time of `chat`, before the first was asked for.

    Attributes:
        chat: the chat and when it was seen, UTC.
        contents: what the pages hold.
        covered: the ids they answer for; none while there is no page.
    """

    def __init__(self, path: Path, chat: Chat, account: str) -> None:
        self.path = path
        self.chat = chat
        self.contents = Contents()
        self.covered = Covered()
        self._account = account
        self._names: set[tuple[int, str]] = set()
        self._sha = hashlib.sha256()
        self._size = 0

    def add(self, records: Iterable[Record], covered: Covered) -> None:
        """Append a page; when this returns, no end of this process can lose it.

        Should it fail, the spool is as it was: what was written of the page does not count.
        """
        head = [] if self._size else [_head(self._account), encode(self.chat)]
        kept = list(self._unnamed(records))
        lines = [*head, *map(encode, kept), _mark(covered)]
        block = b"\n".join(lines) + b"\n"
        try:
            with self.path.open("ab") as file:
                file.write(block)
        except OSError:
            with suppress(OSError):
                os.truncate(self.path, self._size)
            raise
        self._keep(block, kept, covered)

    def _unnamed(self, records: Iterable[Record]) -> Iterator[Record]:
        """What of these to write: each name of a participant once."""
        names: set[tuple[int, str]] = set()
        for record in records:
            if isinstance(record, Participant):
                name = (record.participant_id, record.name)
                if name in self._names or name in names:
                    continue
                names.add(name)
            yield record

    def _keep(self, block: bytes, records: Iterable[Record], covered: Covered) -> None:
        self._sha.update(block)
        self._size += len(block)
        for record in records:
            self.contents.add(record)
            if isinstance(record, Participant):
                self._names.add((record.participant_id, record.name))
        self.covered += covered

    def land(self, zone: LandingZone) -> BatchManifest:
        """Make it a batch. The file stays until `remove`; landed again it is the same batch."""
        digest = self._sha.hexdigest()
        seen = self.chat.observed_at
        shipment = Shipment(
            prefix=FILE_NAME,
            chat=self.chat,
            supplier=None,
            origin=Origin(
                file_name=FILE_NAME, file_sha256=digest, options={"account": self._account}
            ),
            observed_at=seen,
        )
        return land_lines(
            zone,
            shipment,
            f"{FILE_NAME}-{seen:%Y%m%dT%H%M%SZ}-{digest[:16]}",
            self._lines(),
            self.contents,
            complete=self.covered.complete,
            fetched=self.covered.fetched,
        )

    def _lines(self) -> Iterator[bytes]:
        left = self._size
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                left -= len(line)
                if left < 0:
                    return
                if number >= _HEAD_LINES and not line.startswith(_MARK):
                    yield line[:-1]

    def remove(self) -> None:
        """Forget the pages: they are landed."""
        self.path.unlink(missing_ok=True)

    @classmethod
    def left(cls, path: Path) -> "Spool | None":
        """What a killed process has left in this file: its whole pages; None if there is none.

        Raises:
            SpoolDamaged: the file holds something else than was written.
        """
        try:
            return cls._read(path)
        except (ValueError, KeyError, TypeError, ValidationError) as error:
            raise SpoolDamaged(path, f"{type(error).__name__}: {error}") from error

    @classmethod
    def _read(cls, path: Path) -> "Spool | None":
        head, chat, *lines = _whole_pages(path.read_bytes()) or [b"", b""]
        if not lines:
            return None
        seen = decode(chat.rstrip(b"\n"), str(path))
        if not isinstance(seen, Chat):
            raise TypeError("its second line is no chat")
        spool = cls(path, seen, orjson.loads(head)["account"])
        spool._take(head + chat, lines)
        with path.open("ab") as file:
            file.truncate(spool._size)
        return spool

    def _take(self, head: bytes, lines: Iterable[bytes]) -> None:
        self._keep(head, [], Covered())
        for line in lines:
            if line.startswith(_MARK):
                self._keep(line, [], _covered(line))
            else:
                self._keep(line, [decode(line[:-1], str(self.path))], Covered())


def _whole_pages(data: bytes) -> list[bytes]:
    """The lines up to the last whole mark."""
    *lines, _cut = data.split(b"\n")
    while lines and not lines[-1].startswith(_MARK):
        lines.pop()
    return [line + b"\n" for line in lines]


def _head(account: str) -> bytes:
    return orjson.dumps({"account": account})


def _mark(covered: Covered) -> bytes:
    return orjson.dumps({"page": [_plain(covered.fetched), _plain(covered.complete)]})


def _plain(ranges: Iterable[IdRange]) -> list[list[int]]:
    return [[one.account_id, one.low, one.high] for one in ranges]


def _covered(mark: bytes) -> Covered:
    fetched, complete = orjson.loads(mark)["page"]
    return Covered(_ranges(fetched), _ranges(complete))


def _ranges(plain: Any) -> tuple[IdRange, ...]:
    return tuple(IdRange(account_id=one[0], low=one[1], high=one[2]) for one in plain)


def _joined(*ranges: IdRange) -> tuple[IdRange, ...]:
    """Ranges that touch as one, in order."""
    found: list[IdRange] = []
    for one in sorted(ranges, key=lambda one: (one.account_id, one.low)):
        last = found[-1] if found else None
        if last is not None and last.account_id == one.account_id and one.low <= last.high + 1:
            high = max(last.high, one.high)
            found[-1] = IdRange(account_id=last.account_id, low=last.low, high=high)
        else:
            found.append(one)
    return tuple(found)
