"""Landing: records become numbered batches of at most 50,000 messages, each whole or absent."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any, BinaryIO, TypeVar

import zstandard

from tg_pipeline.contracts import (
    BatchManifest,
    Chat,
    ChatKey,
    IdRange,
    Message,
    Origin,
    Participant,
    Record,
    Rejected,
    encode,
)
from tg_pipeline.files import Place, clear_leftovers, durable, make_folder
from tg_pipeline.landing.zone import LandingZone

BATCH_MESSAGES = 50_000
_BLOCK = 1 << 18
"""Bytes of lines compressed at a time: each call lets other threads run, which costs."""
_T = TypeVar("_T", datetime, int)
_LEVEL = 1  # two thirds of the time of level 3 for batches 6 % larger


@dataclass(frozen=True, slots=True)
class Shipment:
    """What all batches of one chat in one input have in common."""

    prefix: str
    chat: Chat
    supplier: str | None
    origin: Origin
    observed_at: datetime

    @property
    def key(self) -> ChatKey:
        """The chat the batches belong to."""
        return ChatKey(self.chat.entity_id, self.chat.account_id)


class Contents:
    """What a batch's manifest tells of the records in it."""

    def __init__(self) -> None:
        self.messages = 0
        self.rejected = 0
        self.participants: set[int] = set()
        self.per_day: Counter[date] = Counter()
        self.dates: tuple[datetime, datetime] | None = None
        self.ids: tuple[int, int] | None = None

    def add(self, record: Record) -> None:
        """Count a record."""
        match record:
            case Message():
                self.messages += 1
                self.per_day[record.date.date()] += 1
                self.dates = _wider(self.dates, record.date)
                self.ids = _wider(self.ids, record.id)
            case Rejected():
                self.rejected += 1
            case Participant():
                self.participants.add(record.participant_id)

    def told(self) -> dict[str, Any]:
        """As the manifest has it."""
        first_date, last_date = self.dates or (None, None)
        first_id, last_id = self.ids or (None, None)
        return {
            "messages": self.messages,
            "rejected": self.rejected,
            "participants": len(self.participants),
            "per_day": dict(sorted(self.per_day.items())),
            "first_date": first_date,
            "last_date": last_date,
            "first_id": first_id,
            "last_id": last_id,
        }


def _wider(span: tuple[_T, _T] | None, value: _T) -> tuple[_T, _T]:
    if span is None:
        return value, value
    if value < span[0]:
        return value, span[1]
    return (span[0], value) if value > span[1] else span


def land(
    zone: LandingZone,
    shipment: Shipment,
    records: Iterable[Record],
    *,
    numbers: Iterator[int],
    complete: Callable[[], bool],
) -> Iterator[BatchManifest]:
    """Write records as batches and yield each manifest once its batch is durable.

    Args:
        zone: where to.
        shipment: what the batches share.
        records: all of one chat, in source order.
        numbers: sequence numbers for batch names, shared by all chats of one input.
        complete: asked at the end: did these records cover the chat's id range whole?

    Batches that an earlier, killed run has landed are not written again: the same input gives
    the same batches under the same names.
    """
    folder = zone.folder / str(shipment.key)
    make_folder(folder)
    seen = _Ranges()
    stream = iter(records)
    known = set(zone.batches(shipment.key))
    first: Record | None = next(stream, None)
    while True:
        name = f"{shipment.prefix}-{next(numbers):05d}"
        _clear(folder, name)
        with ExitStack() as stack:
            path = _data(folder, name)
            file = None if name in known else stack.enter_context(durable(path))
            batch = _Batch(file)
            batch.add(shipment.chat)
            first = _fill(batch, first, stream, seen)
            batch.close()
        last = first is None
        ranges = seen.ranges() if last and complete() else ()
        if name in known:
            manifest = zone.manifest(shipment.key, name)
        else:
            manifest = batch.manifest(name, shipment, ranges)
            _declare(folder, manifest)
        yield manifest
        if last:
            return


def land_lines(
    zone: LandingZone,
    shipment: Shipment,
    name: str,
    lines: Iterable[bytes],
    contents: Contents,
    *,
    complete: tuple[IdRange, ...],
    fetched: tuple[IdRange, ...],
) -> BatchManifest:
    """Land encoded records as one batch, unless it is landed already.

    Args:
        zone: where to.
        shipment: what the manifest says of it; its prefix is not used.
        name: of the batch, the same for the same lines.
        lines: the records as `encode` writes them.
        contents: what they are.
        complete: ids they cover whole.
        fetched: ids that were asked for.
    """
    folder = zone.folder / str(shipment.key)
    make_folder(folder)
    if name in zone.batches(shipment.key):
        return zone.manifest(shipment.key, name)
    _clear(folder, name)
    with durable(_data(folder, name)) as file:
        batch = _Batch(file)
        batch.contents = contents
        batch.add_line(encode(shipment.chat))
        for line in lines:
            batch.add_line(line)
        batch.close()
    manifest = batch.manifest(name, shipment, complete, fetched)
    _declare(folder, manifest)
    return manifest


def _data(folder: Place, name: str) -> Place:
    return folder / f"{name}.jsonl.zst"


def _clear(folder: Place, name: str) -> None:
    """Remove what a killed run has half written: whoever calls holds the lock, so it is over."""
    for half_written in (f"{name}.jsonl.zst", f"{name}.json"):
        clear_leftovers(folder, half_written)


def _declare(folder: Place, manifest: BatchManifest) -> None:
    """Write the manifest, which makes the batch exist."""
    with durable(folder / f"{manifest.batch}.json") as out:
        out.write(manifest.model_dump_json(indent=1).encode())


def _fill(
    batch: "_Batch", first: Record | None, stream: Iterator[Record], seen: "_Ranges"
) -> Record | None:
    """Add records until the batch is full; the first record that no longer fits."""
    record = first
    while record is not None:
        if batch.contents.messages >= BATCH_MESSAGES:
            return record
        batch.add(record)
        seen.add(record)
        record = next(stream, None)
    return None


@dataclass(slots=True)
class _Ranges:
    """What was seen per numbering account: from the least to the greatest id, without gaps.

    A rejected record is there but was not understood, so nothing is claimed of its id; if even
    that is unknown, nothing is claimed at all.
    """

    low: dict[int, int] = field(default_factory=dict)
    high: dict[int, int] = field(default_factory=dict)
    unread: dict[int, set[int]] = field(default_factory=dict)
    whole: bool = True

    def add(self, record: Record) -> None:
        if isinstance(record, Rejected):
            if record.id is None:
                self.whole = False
            else:
                self.unread.setdefault(record.account_id, set()).add(record.id)
        elif isinstance(record, Message):
            account, number = record.account_id, record.id
            self.low[account] = min(number, self.low.get(account, number))
            self.high[account] = max(number, self.high.get(account, number))

    def ranges(self) -> tuple[IdRange, ...]:
        if not self.whole:
            return ()
        return tuple(found for account in sorted(self.low) for found in self._of(account))

    def _of(self, account: int) -> Iterator[IdRange]:
        low, high = self.low[account], self.high[account]
        inside = (number for number in self.unread.get(account, ()) if low <= number <= high)
        for unread in (*sorted(inside), high + 1):
            if low < unread:
                yield IdRange(account_id=account, low=low, high=unread - 1)
            low = unread + 1


class _Batch:
    """One batch while it is being written: compresses and hashes."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        self._sha = hashlib.sha256()
        self._lines = bytearray()
        self._bytes = 0
        self.contents = Contents()

    def add(self, record: Record) -> None:
        if self._file is not None:
            self.add_line(encode(record))
        self.contents.add(record)

    def add_line(self, line: bytes) -> None:
        self._lines += line
        self._lines += b"\n"
        if len(self._lines) >= _BLOCK:
            self._write(self._compressor.compress(self._lines))
            self._lines.clear()

    def close(self) -> None:
        if self._file is not None:
            self._write(self._compressor.compress(self._lines))
            self._write(self._compressor.flush())

    def _write(self, data: bytes) -> None:
        if data and self._file is not None:
            self._sha.update(data)
            self._bytes += len(data)
            self._file.write(data)

    def manifest(
        self,
        name: str,
        shipment: Shipment,
        complete: tuple[IdRange, ...],
        fetched: tuple[IdRange, ...] = (),
    ) -> BatchManifest:
        return BatchManifest(
            batch=name,
            source=shipment.chat.source,
            entity_id=shipment.chat.entity_id,
            account_id=shipment.chat.account_id,
            supplier=shipment.supplier,
            complete=complete,
            fetched=fetched,
            observed_at=shipment.observed_at,
            sha256=self._sha.hexdigest(),
            bytes=self._bytes,
            origin=shipment.origin,
            created_at=datetime.now(UTC),
            tool_version=version("tg-pipeline"),
            **self.contents.told(),
        )
