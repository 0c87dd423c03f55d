"""Landing: records become numbered batches of at most 50,000 messages, each whole or absent."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import BinaryIO

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
from tg_pipeline.files import clear_leftovers, durable, make_folder
from tg_pipeline.landing.zone import LandingZone

BATCH_MESSAGES = 50_000
_BLOCK = 1 << 18
"""Bytes of lines compressed at a time: each call lets other threads run, which costs."""
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
        for half_written in (f"{name}.jsonl.zst", f"{name}.json"):
            clear_leftovers(
                folder, half_written
            )  # of a killed run: the file's lock says it is over
        with ExitStack() as stack:
            path = folder / f"{name}.jsonl.zst"
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
            with durable(folder / f"{name}.json") as out:
                out.write(manifest.model_dump_json(indent=1).encode())
        yield manifest
        if last:
            return


def _fill(
    batch: "_Batch", first: Record | None, stream: Iterator[Record], seen: "_Ranges"
) -> Record | None:
    """Add records until the batch is full; the first record that no longer fits."""
    record = first
    while record is not None:
        if batch.messages >= BATCH_MESSAGES:
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
    """One batch while it is being written: compresses, hashes and counts."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
        self._sha = hashlib.sha256()
        self._lines = bytearray()
        self.bytes = 0
        self.messages = 0
        self.rejected = 0
        self.participants: set[int] = set()
        self.dates: list[datetime] = []
        self.ids: list[int] = []

    def add(self, record: Record) -> None:
        if self._file is not None:
            self._lines += encode(record)
            self._lines += b"\n"
            if len(self._lines) >= _BLOCK:
                self._write(self._compressor.compress(self._lines))
                self._lines.clear()
        match record:
            case Message():
                self.messages += 1
                self.dates.append(record.date)
                self.ids.append(record.id)
            case Rejected():
                self.rejected += 1
            case Participant():
                self.participants.add(record.participant_id)

    def close(self) -> None:
        if self._file is not None:
            self._write(self._compressor.compress(self._lines))
            self._write(self._compressor.flush())

    def _write(self, data: bytes) -> None:
        if data and self._file is not None:
            self._sha.update(data)
            self.bytes += len(data)
            self._file.write(data)

    def manifest(
        self, name: str, shipment: Shipment, complete: tuple[IdRange, ...]
    ) -> BatchManifest:
        return BatchManifest(
            batch=name,
            source=shipment.chat.source,
            entity_id=shipment.chat.entity_id,
            account_id=shipment.chat.account_id,
            supplier=shipment.supplier,
            messages=self.messages,
            rejected=self.rejected,
            participants=len(self.participants),
            per_day=dict(sorted(Counter(map(datetime.date, self.dates)).items())),
            first_date=min(self.dates, default=None),
            last_date=max(self.dates, default=None),
            first_id=min(self.ids, default=None),
            last_id=max(self.ids, default=None),
            complete=complete,
            observed_at=shipment.observed_at,
            sha256=self._sha.hexdigest(),
            bytes=self.bytes,
            origin=shipment.origin,
            created_at=datetime.now(UTC),
            tool_version=version("tg-pipeline"),
        )
