"""The total order of sightings, as bytes that PostgreSQL compares the way Python does.

Rank = (hashed, date exact, edited_at, observed_at, source rank, content_hash, record SHA-256).
`hashed` comes first because a sighting without content never makes a version, so it must not
outrank one that does. The state of a message is a function of the set of its sightings; a total
order is what makes "the greatest" well defined.
"""

import struct
from datetime import UTC, datetime

from tg_pipeline.contracts.types import Source

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_RANK = struct.Struct(">BBQQB32s32s")
_ENGAGEMENT = struct.Struct(">QB32s")


def rank(
    *,
    exact: bool,
    edited_at: datetime | None,
    observed_at: datetime,
    source: Source,
    content_hash: bytes | None,
    record_sha: bytes,
) -> bytes:
    """Order of a sighting among all sightings of its message; 83 bytes."""
    return _RANK.pack(
        content_hash is not None,
        exact,
        _ticks(edited_at) if edited_at else 0,
        _ticks(observed_at),
        source.rank,
        content_hash or b"",
        record_sha,
    )


def engagement_rank(*, observed_at: datetime, source: Source, record_sha: bytes) -> bytes:
    """Order in which reactions, views and votes are taken; 41 bytes."""
    return _ENGAGEMENT.pack(_ticks(observed_at), source.rank, record_sha)


def _ticks(moment: datetime) -> int:
    """Microseconds since year 1, so never negative."""
    span = moment - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds
