"""The rule that what was landed is loaded: landing is read again, and every record looked up.

A message is found where it is in the tables, or where just this sighting of it is in quarantine; a
rejected record is found in quarantine. Batches that cannot be read, or are landed and not loaded,
fail the days that they hold messages of.
"""

import itertools
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from tg_pipeline.contracts import BatchManifest
from tg_pipeline.contracts.codec import split, upcast
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.quality.findings import Evidence, Finding, Span
from tg_pipeline.store import facts
from tg_pipeline.store.tables import batches, chat_days

_RECORDS_AT_ONCE = 10_000
_LOST = """
SELECT k.place
FROM unnest(%(lines)s::integer[], %(accounts)s::bigint[], %(ids)s::bigint[])
    WITH ORDINALITY AS k(line, account, id, place)
WHERE NOT EXISTS (
    SELECT FROM messages m
    WHERE m.entity_id = %(entity)s AND m.account_id = k.account AND m.id = k.id
) AND NOT EXISTS (
    SELECT FROM quarantine q WHERE q.batch = %(batch)s AND q.line = k.line
)
"""
_KEPT = "SELECT line FROM quarantine WHERE batch = %(batch)s"


class Landed(NamedTuple):
    """A record's place in its batch, the message's key, and its day (UTC)."""

    line: int
    account: int
    id: int | None
    day: date
    rejected: bool


def lost_messages(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Records of landed batches that are neither in the tables nor in quarantine."""
    query = sa.select(batches.c.batch).where(facts.of_chat(batches, days.chat))
    loaded = set(evidence.connection.scalars(query))
    for name in sorted(loaded | set(evidence.zone.batches(days.chat))):
        try:
            manifest = evidence.zone.manifest(days.chat, name)
        except BatchDamaged as error:
            yield from _each(_days_unread(evidence, days, name, name in loaded), _told(error))
        else:
            yield from _of_batch(evidence, days, manifest, name in loaded)


def _of_batch(
    evidence: Evidence, days: Span, manifest: BatchManifest, is_loaded: bool
) -> Iterator[Finding]:
    held = [day for day in manifest.per_day if days.first <= day <= days.last]
    if not is_loaded:
        yield from _each(held, f"batch {manifest.batch} is not loaded")
    elif held:
        try:
            evidence.zone.verify(manifest)
            yield from _lost_of(evidence, days, manifest)
        except BatchDamaged as error:
            yield from _each(held, _told(error))


def _told(error: BatchDamaged) -> str:
    """Without folders: verdicts do not change when the landing zone is moved."""
    return error.message.replace(error.batch, error.batch.rpartition("/")[2])


def _each(held: Iterable[date], what: str) -> Iterator[Finding]:
    return (Finding(day, None, what) for day in held)


def _days_unread(evidence: Evidence, days: Span, name: str, is_loaded: bool) -> Iterable[date]:
    """Days that a batch without a readable manifest may hold: all, if it was never loaded."""
    day = chat_days.c.day
    query = sa.select(day).where(
        facts.of_chat(chat_days, days.chat),
        day.between(days.first, days.last),
        chat_days.c.rows > 0,
    )
    if is_loaded:
        first, last = sa.cast(batches.c.first_date, sa.Date), sa.cast(batches.c.last_date, sa.Date)
        query = query.where(
            facts.of_chat(batches, days.chat), batches.c.batch == name, day.between(first, last)
        )
    return evidence.connection.scalars(query).all()


def _lost_of(evidence: Evidence, days: Span, manifest: BatchManifest) -> Iterator[Finding]:
    records = _records(evidence.zone.lines(manifest), days, manifest)
    kept = set(evidence.connection.exec_driver_sql(_KEPT, {"batch": manifest.batch}).scalars())
    while chunk := list(itertools.islice(records, _RECORDS_AT_ONCE)):
        for record in chunk:
            if record.rejected and record.line not in kept:
                what = f"rejected in batch {manifest.batch} line {record.line}, not in quarantine"
                yield Finding(record.day, record.id, what)
        for record in _nowhere(evidence, manifest, [one for one in chunk if not one.rejected]):
            what = f"landed in batch {manifest.batch}, and nowhere in the tables"
            yield Finding(record.day, record.id, what)


def _nowhere(
    evidence: Evidence, manifest: BatchManifest, messages: list[Landed]
) -> Iterator[Landed]:
    parameters = {
        "entity": manifest.entity_id,
        "batch": manifest.batch,
        "lines": [one.line for one in messages],
        "accounts": [one.account for one in messages],
        "ids": [one.id for one in messages],
    }
    places = evidence.connection.exec_driver_sql(_LOST, parameters).scalars()
    return (messages[place - 1] for place in places)


def _records(lines: Iterable[bytes], days: Span, manifest: BatchManifest) -> Iterator[Landed]:
    """What the batch has of these days. What was rejected has no day: it counts to the first."""
    first = min(manifest.per_day)
    for number, line in enumerate(lines, start=1):
        fields = upcast(split(line)[0], f"{manifest.batch} line {number}")
        rejected = fields["record"] == "rejected"
        if rejected or fields["record"] == "message":
            day = first if rejected else date.fromisoformat(fields["date"][:10])
            if days.first <= day <= days.last:
                yield Landed(number, fields["account_id"], fields["id"], day, rejected)
