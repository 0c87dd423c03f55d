"""The rules of identity and merge, written a second time and straight from the design.

It looks at the whole set of sightings at once, so it cannot share a mistake of order with the
store, which sees them one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from tg_pipeline.contracts import DatePrecision, Message, encode

CARRIED = (
    "sender_id", "post_author", "via_bot_id", "reply_to_id", "reply_to_entity_id",
    "thread_id", "grouped_id", "forward", "edited_at",
)  # fmt: skip
FROM_BEST = ("kind", "text", "content_hash", "source", "observed_at")


@dataclass(frozen=True)
class Range:
    low: int
    high: int
    observed_at: datetime


@dataclass(frozen=True)
class State:
    message: dict[str, Any]
    versions: dict[bytes, tuple[str, datetime, datetime]]
    conflicts: frozenset[bytes]


def _rank(message: Message) -> tuple[Any, ...]:
    edited = message.edited_at.timestamp() if message.edited_at else float("-inf")
    return (
        message.content_hash is not None,
        message.date_precision is DatePrecision.EXACT,
        edited,
        message.observed_at,
        message.source.rank,
        message.content_hash or b"",
        sha256(encode(message)).digest(),
    )


def _date_rank(message: Message) -> tuple[Any, ...]:
    return (message.date_precision.rank, message.source.rank, -message.date.timestamp())


def _plausible(one: datetime, other: datetime) -> bool:
    seconds = abs((one - other).total_seconds())
    return seconds <= 26 * 3600 and seconds % 900 == 0


def state(sightings: Sequence[Message], ranges: Sequence[Range]) -> State:
    """What the database must hold after these sightings of one message."""
    anchor = max(sightings, key=_date_rank)
    agreeing = [one for one in sightings if _plausible(one.date, anchor.date)]
    conflicts = [one for one in sightings if one not in agreeing]
    agreeing.sort(key=_rank, reverse=True)
    best = agreeing[0]
    latest = max(
        agreeing, key=lambda one: (one.observed_at, one.source.rank, sha256(encode(one)).digest())
    )
    last_seen = max(one.observed_at for one in agreeing)
    fields: dict[str, Any] = {name: getattr(best, name) for name in FROM_BEST}
    for name in CARRIED:
        values = [getattr(one, name) for one in agreeing]
        fields[name] = next((value for value in values if value is not None), None)
    deletions = [
        found.observed_at
        for found in ranges
        if found.low <= best.id <= found.high and found.observed_at > last_seen
    ]
    fields |= {
        "date": anchor.date,
        "date_precision": anchor.date_precision,
        "views": latest.views,
        "reactions": latest.reactions,
        "raw": best.raw,
        "first_seen": min(one.observed_at for one in agreeing),
        "last_seen": last_seen,
        "deleted_at": min(deletions, default=None),
    }
    return State(fields, _versions(agreeing), frozenset(one.raw for one in conflicts))


def _versions(agreeing: Sequence[Message]) -> dict[bytes, tuple[str, datetime, datetime]]:
    versions = {}
    for digest in {one.content_hash for one in agreeing if one.content_hash}:
        same = [one for one in agreeing if one.content_hash == digest]
        times = [one.observed_at for one in same]
        versions[digest] = (max(same, key=_rank).raw.decode(), min(times), max(times))
    return versions
