"""The names of users, groups and channels that a page shows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon.tl import types

from tg_pipeline.contracts import Source
from tg_pipeline.sources.telegram.convert import participants
from tg_pipeline_tests.sources.tl import NOW, TL, constructors, objects

SEEN = datetime(2024, 6, 1, tzinfo=UTC)
NO_PHOTO = types.ChatPhotoEmpty()


def channel(**fields: Any) -> TL:
    return types.Channel(id=8, title="Harbour", photo=NO_PHOTO, date=NOW, **fields)


@pytest.mark.parametrize(
    ("entity", "entity_id", "name"),
    [
        (types.User(5, first_name="Ada", last_name="L"), 5, "Ada L"),
        (types.User(5, last_name="L"), 5, "L"),
        (types.Chat(44, "Früh", NO_PHOTO, 3, NOW, 1), -44, "Früh"),
        (types.ChatForbidden(44, "Früh"), -44, "Früh"),
        (channel(broadcast=True), -1_000_000_000_008, "Harbour"),
        (types.ChannelForbidden(8, 9, "Closed\0"), -1_000_000_000_008, "Closed\ufffd"),
    ],
)
def test_names(entity: TL, entity_id: int, name: str) -> None:
    (one,) = participants([entity], [], SEEN)
    assert (one.participant_id, one.name) == (entity_id, name)


@pytest.mark.parametrize(
    "entity", [types.User(5, deleted=True), types.UserEmpty(5), types.ChatEmpty(44)]
)
def test_who_has_no_name(entity: TL) -> None:
    assert list(participants([entity], [], SEEN)) == []


def test_names_that_a_page_shows() -> None:
    users = [types.User(5, first_name="Ada"), types.User(6), types.UserEmpty(7)]
    chats = [channel(), types.ChatForbidden(44, "Früh"), types.ChatEmpty(45)]
    assert [
        (one.source, one.participant_id, one.name, one.observed_at)
        for one in participants(users, chats, SEEN)
    ] == [
        (Source.TELEGRAM, 5, "Ada", SEEN),
        (Source.TELEGRAM, -1_000_000_000_008, "Harbour", SEEN),
        (Source.TELEGRAM, -44, "Früh", SEEN),
    ]


@given(st.sampled_from(constructors(types.User) + constructors(types.Channel)).flatmap(objects))
@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
def test_whatever_telegram_lists(entity: TL) -> None:
    assert {one.observed_at for one in participants([entity], [entity], SEEN)} <= {SEEN}
