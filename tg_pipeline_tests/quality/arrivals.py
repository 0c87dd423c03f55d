"""Random batches of one chat: what sources may show of its messages, agreeing or not.

Dates are wrong only as they are in life: a whole batch is read in a wrong zone, or a record was
edited by hand. Nothing is dated after it was seen.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tg_pipeline.contracts import (
    ChatKey,
    DatePrecision,
    Kind,
    Media,
    Message,
    Poll,
    PollAnswer,
    Record,
    Source,
)
from tg_pipeline.contracts.identity import message_account
from tg_pipeline_tests.contracts import strategies
from tg_pipeline_tests.quality.house import CHANNEL, PRIVATE, hash_of, rejected

ACCOUNT = 42
TURN_OF_MONTH = datetime(2024, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEENS = [datetime(2024, month, 1, tzinfo=UTC) for month in (6, 7, 8)]
YES = PollAnswer(text="yes")
POLLS = st.sampled_from(
    [Poll(question="Tea?", answers=(YES,)), Poll(question="Tea?", closed=True, answers=(YES,)),
     Poll(question="Coffee?", answers=(YES,)), Poll(question="Tea\0?")]
)  # fmt: skip
NUMBERS = st.sampled_from([-2, -1, 1, 2, 3, 4])


@dataclass(frozen=True)
class Arrival:
    """One batch: what one export or one fetch saw."""

    records: tuple[Record, ...]
    seen: datetime


def contents(kind: Kind) -> SearchStrategy[dict[str, Any]]:
    """Content of a message; few enough of each sort that sightings agree, differ and come back."""
    plain = kind is not Kind.SERVICE
    return st.fixed_dictionaries(
        {
            "text": st.sampled_from(["", "first", "second\0"]) | strategies.texts,
            "entities": st.lists(strategies.entities, max_size=2).map(tuple),
            "media_meta": st.none() | st.sampled_from([Media(type="photo"), Media(type="dice")]),
            "action": st.none() if plain else st.none() | strategies.actions,
            "poll": st.none() | POLLS if kind is Kind.MESSAGE else st.none(),
        }
    )


def raw_of(source: Source, number: int, when: datetime | None, poll: Poll | None) -> bytes:
    """The record as that source writes it, as far as rules look into it."""
    raw: dict[str, Any] = {"id": number}
    asked = {"question": poll.question.replace("\0", "")} if poll else None
    if source is Source.TELEGRAM:
        raw["media"] = {"_": "MessageMediaPoll", "poll": asked} if asked else None
    elif asked:
        raw["poll"] = asked
    if source is Source.TELEGRAM_DESKTOP_JSON and when is not None:
        raw["date_unixtime"] = f"{when.timestamp():.0f}"
    return orjson.dumps(raw)


@st.composite
def sightings(
    draw: DrawFn, chat: ChatKey, source: Source, seen: datetime, shift: timedelta
) -> Message:
    number = draw(NUMBERS)
    truth = TURN_OF_MONTH + 11 * number * HOUR
    precision = draw(st.sampled_from(DatePrecision))
    exact = precision is DatePrecision.EXACT
    when = truth + (shift if exact else draw(st.integers(-12, 14)) * HOUR)
    when += draw(st.sampled_from([0, 0, 0, 0, 0, 7, 3 * 86_400])) * timedelta(seconds=1)
    kind = draw(st.sampled_from([Kind.MESSAGE, Kind.MESSAGE, Kind.SERVICE, Kind.UNSUPPORTED]))
    content = draw(contents(kind))
    edited = draw(st.none() | st.integers(0, 90).map(lambda days: truth + timedelta(days=days)))
    return Message(
        source=source,
        account_id=message_account(chat.entity_id, number, chat.account_id or ACCOUNT),
        entity_id=chat.entity_id,
        id=number,
        date=when,
        date_precision=precision,
        kind=kind,
        reply_to_id=draw(st.none() | NUMBERS),
        edited_at=edited,
        views=draw(st.none() | st.integers(0, 1)),
        content_hash=None if kind is Kind.UNSUPPORTED else hash_of(content),
        observed_at=seen,
        raw=raw_of(source, number, when if exact else None, content["poll"]),
        **content,
    )


@st.composite
def arrivals(draw: DrawFn, chat: ChatKey) -> Arrival:
    source, seen = draw(st.sampled_from(Source)), draw(st.sampled_from(SEENS))
    shift = draw(st.sampled_from([0, 0, 0, 1, -1, 25])) * HOUR
    shown = draw(st.lists(sightings(chat, source, seen, shift), min_size=1, max_size=8))
    unread = draw(st.lists(st.none() | NUMBERS, max_size=2))
    records: list[Record] = [*shown, *(rejected(number, chat) for number in unread)]
    return Arrival(tuple(draw(st.permutations(records))), seen)


@st.composite
def histories(draw: DrawFn) -> tuple[ChatKey, list[Arrival], list[int]]:
    """A chat, its batches as they are landed, and the order in which they are loaded."""
    chat = draw(st.sampled_from([CHANNEL, PRIVATE]))
    landed = draw(st.lists(arrivals(chat), min_size=1, max_size=5))
    return chat, landed, draw(st.permutations(range(len(landed))))
