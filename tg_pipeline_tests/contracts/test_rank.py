"""Ranks as bytes order sightings the way the tuples of DESIGN do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tg_pipeline.contracts import Source
from tg_pipeline.contracts.rank import engagement_rank, rank

LEAST = datetime(1, 1, 1, tzinfo=UTC)
moments = st.datetimes(LEAST.replace(tzinfo=None), timezones=st.just(UTC))
close = st.integers(0, 2).map(
    lambda step: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(microseconds=step)
)
digests = st.sampled_from([bytes(32), b"\xff" * 32]) | st.binary(min_size=32, max_size=32)
sightings = st.fixed_dictionaries(
    {
        "exact": st.booleans(),
        "edited_at": st.none() | close | moments.filter(lambda moment: moment > LEAST),
        "observed_at": close | moments,
        "source": st.sampled_from(Source),
        "content_hash": st.none() | digests,
        "record_sha": digests,
    }
)
Sighting = dict[str, Any]


def as_tuple(seen: Sighting) -> tuple[object, ...]:
    return (
        seen["content_hash"] is not None,
        seen["exact"],
        seen["edited_at"] or LEAST,
        seen["observed_at"],
        seen["source"].rank,
        seen["content_hash"] or bytes(32),
        seen["record_sha"],
    )


def engagement_tuple(seen: Sighting) -> tuple[object, ...]:
    return (seen["observed_at"], seen["source"].rank, seen["record_sha"])


def engagement_bytes(seen: Sighting) -> bytes:
    return engagement_rank(**{name: seen[name] for name in ("observed_at", "source", "record_sha")})


def same_order(
    left: Sighting,
    right: Sighting,
    as_bytes: Callable[[Sighting], bytes],
    parts: Callable[[Sighting], tuple[Any, ...]],
) -> None:
    assert (as_bytes(left) < as_bytes(right)) == (parts(left) < parts(right))
    assert (as_bytes(left) == as_bytes(right)) == (parts(left) == parts(right))


@given(sightings, sightings)
def test_rank_orders_as_the_tuple_does(left: Sighting, right: Sighting) -> None:
    same_order(left, right, lambda seen: rank(**seen), as_tuple)


@given(sightings, sightings)
def test_engagement_rank_orders_as_the_tuple_does(left: Sighting, right: Sighting) -> None:
    same_order(left, right, engagement_bytes, engagement_tuple)


@given(sightings)
def test_ranks_have_one_length(seen: Sighting) -> None:
    assert len(rank(**seen)) == 83
    assert len(engagement_bytes(seen)) == 41


def test_a_live_answer_outranks_an_export() -> None:
    assert Source.TELEGRAM.rank > Source.TELEGRAM_DESKTOP_JSON.rank
