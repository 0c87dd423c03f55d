"""Random records of every type, within their contracts."""

from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tg_pipeline.contracts import (
    Action,
    Chat,
    ChatType,
    DatePrecision,
    Entity,
    Forward,
    Kind,
    Media,
    Message,
    Participant,
    Poll,
    PollAnswer,
    Reaction,
    Record,
    Rejected,
    Source,
)

ids = st.integers(-(2**63), 2**63 - 1)
accounts = st.integers(0, 2**63 - 1)
counts = st.integers(0, 2**31 - 1)
pitfalls = st.sampled_from(
    [
        ',"raw":',
        '","raw":',
        '\\",\\"raw\\":',
        '"}',
        "\\ud83d",
        "\u2028",
        "\ufffd",
        "\0",
        "👩‍👩‍👧",
        "سلام",
    ]
)
texts = st.one_of(st.text(max_size=20), st.lists(pitfalls, max_size=4).map("".join))
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
digests = st.binary(min_size=32, max_size=32)

keys = st.sampled_from(["raw", "actor", "members", "duration", "content_hash", ',"raw":'])
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
field_values: SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)
fields = st.dictionaries(keys, field_values, max_size=4)
raws = st.one_of(
    fields.map(orjson.dumps),
    st.sampled_from(
        [
            b'{"id":1,"raw":{"raw":1}}',
            b'{"text":"\\ud83d alone","other":"\\udc00"}',
            b'{"text":",\\"raw\\":"}',
            b'{ "id" : 1.0e2 , "id" : 2 }',
        ]
    ),
)

entities = st.builds(
    Entity,
    type=st.sampled_from(["bold", "text_link", "mention_name", "custom_emoji"]),
    offset=st.integers(0, 50),
    length=st.integers(0, 50),
    url=st.none() | texts,
    user_id=st.none() | ids,
)
actions = st.builds(Action, type=texts, title=st.none() | texts, fields=fields)
polls = st.builds(
    Poll,
    question=texts,
    closed=st.none() | st.booleans(),
    answers=st.lists(st.builds(PollAnswer, text=texts, voters=st.none() | counts), max_size=3),
)
reactions = st.lists(
    st.builds(Reaction, type=st.just("emoji"), emoji=st.none() | texts, count=counts), max_size=3
)
forwards = st.builds(
    Forward, from_id=st.none() | ids, from_name=st.none() | texts, date=st.none() | times
)


def _message(kind: Kind) -> SearchStrategy[Message]:
    return st.builds(
        Message,
        source=st.sampled_from(Source),
        account_id=accounts,
        entity_id=ids,
        id=ids,
        date=times,
        date_precision=st.sampled_from(DatePrecision),
        kind=st.just(kind),
        sender_id=st.none() | ids,
        post_author=st.none() | texts,
        text=texts,
        entities=st.lists(entities, max_size=3),
        reply_to_id=st.none() | ids,
        forward=st.none() | forwards,
        edited_at=st.none() | times,
        action=st.none() | actions,
        media_meta=st.none() | st.builds(Media, type=texts, size=st.none() | ids),
        poll=st.none() | polls,
        reactions=st.none() | reactions,
        views=st.none() | counts,
        content_hash=st.none() if kind is Kind.UNSUPPORTED else digests,
        observed_at=times,
        raw=raws,
    )


messages = st.sampled_from(Kind).flatmap(_message)
chats = st.builds(
    Chat,
    source=st.sampled_from(Source),
    entity_id=ids,
    account_id=accounts,
    type=st.sampled_from(ChatType),
    is_public=st.none() | st.booleans(),
    title=st.none() | texts,
    observed_at=times,
)
participants = st.builds(
    Participant,
    source=st.sampled_from(Source),
    participant_id=ids,
    name=texts,
    observed_at=times,
)
rejects = st.builds(
    Rejected,
    source=st.sampled_from(Source),
    entity_id=ids,
    account_id=accounts,
    id=st.none() | ids,
    reason=texts,
    detail=texts,
    place=texts,
    observed_at=times,
    raw=st.binary(max_size=30) | raws,
)
records: SearchStrategy[Record] = st.one_of(messages, chats, participants, rejects)
