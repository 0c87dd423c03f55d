"""The rule that what was landed is loaded: landing is read again, and every key looked up.

A key is found where the message is in the tables or one of its sightings is in quarantine. Batches
that cannot be read, or are landed and not loaded, fail the days that they hold messages of.
"""

import itertools
from collections.abc import Iterable, Iterator
from datetime import date

import sqlalchemy as sa

from tg_pipeline.contracts import BatchManifest
from tg_pipeline.contracts.codec import split
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.quality.findings import Evidence, Finding, Span
from tg_pipeline.store import facts
from tg_pipeline.store.tables import batches

_KEYS_AT_ONCE = 10_000
_LOST = """
SELECT k.day, k.id
FROM unnest(%(accounts)s::bigint[], %(ids)s::bigint[], %(days)s::date[]) AS k(account, id, day)
WHERE NOT EXISTS (
    SELECT FROM messages m
    WHERE m.entity_id = %(entity)s AND m.account_id = k.account AND m.id = k.id
) AND NOT EXISTS (
    SELECT FROM quarantine q
    WHERE q.chat_entity_id = %(entity)s AND q.chat_account_id = %(account)s
      AND q.account_id = k.account AND q.id = k.id
)
"""
_REJECTED = """
SELECT count(*) FROM quarantine
WHERE batch = %(batch)s AND chat_entity_id = %(entity)s AND chat_account_id = %(account)s
"""
Key = tuple[int, int, date]
"""Account, id and day (UTC) of a landed message."""


def lost_messages(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Messages of landed batches that are neither in the tables nor in quarantine."""
    query = sa.select(batches.c.batch).where(facts.of_chat(batches, days.chat))
    loaded = set(evidence.connection.scalars(query))
    for name in sorted(loaded | set(evidence.zone.batches(days.chat))):
        try:
            manifest = evidence.zone.manifest(days.chat, name)
            held = [day for day in manifest.per_day if days.first <= day <= days.last]
            if held and name not in loaded:
                yield from (Finding(day, None, f"batch {name} is not loaded") for day in held)
            elif held:
                evidence.zone.verify(manifest)
                yield from _lost_of(evidence, days, manifest)
        except BatchDamaged as error:
            yield Finding(days.first, None, error.message)


def _lost_of(evidence: Evidence, days: Span, manifest: BatchManifest) -> Iterator[Finding]:
    yield from _rejected(evidence, days, manifest)
    keys = _keys(evidence.zone.lines(manifest), days)
    while chunk := list(itertools.islice(keys, _KEYS_AT_ONCE)):
        parameters = {
            "entity": days.chat.entity_id,
            "account": days.chat.account_id,
            "accounts": [account for account, _, _ in chunk],
            "ids": [number for _, number, _ in chunk],
            "days": [day for _, _, day in chunk],
        }
        for day, number in evidence.connection.exec_driver_sql(_LOST, parameters):
            yield Finding(
                day, number, f"landed in batch {manifest.batch}, and nowhere in the tables"
            )


def _rejected(evidence: Evidence, days: Span, manifest: BatchManifest) -> Iterator[Finding]:
    """Rejected records have no day of their own: they are told on the batch's first."""
    first = min(manifest.per_day)
    if not manifest.rejected or not days.first <= first <= days.last:
        return
    parameters = {
        "batch": manifest.batch,
        "entity": days.chat.entity_id,
        "account": days.chat.account_id,
    }
    found = evidence.connection.exec_driver_sql(_REJECTED, parameters).scalar_one()
    if found < manifest.rejected:
        what = f"batch {manifest.batch} has {manifest.rejected} rejected records, {found} are kept"
        yield Finding(first, None, what)


def _keys(lines: Iterable[bytes], days: Span) -> Iterator[Key]:
    for line in lines:
        fields, _raw = split(line)
        if fields["record"] == "message":
            day = date.fromisoformat(fields["date"][:10])
            if days.first <= day <= days.last:
                yield fields["account_id"], fields["id"], day
