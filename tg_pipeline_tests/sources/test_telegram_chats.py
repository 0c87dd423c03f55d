"""Users, groups and channels as chats, and the names that a page shows."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon.tl import types

from tg_pipeline.contracts import Chat, ChatType, Source
from tg_pipeline.sources.telegram.convert import Unfit, participants, to_chat
from tg_pipeline_tests.sources.tl import NOW, TL, constructors, objects

ACCOUNT = 777
SEEN = datetime(2024, 6, 1, tzinfo=UTC)
NO_PHOTO = types.ChatPhotoEmpty()


def channel(**fields: Any) -> TL:
    return types.Channel(id=8, title="Harbour", photo=NO_PHOTO, date=NOW, **fields)


def active(*, on: bool) -> list[TL]:
    return [types.Username("harbour", active=on)]


@pytest.mark.parametrize(
    ("entity", "entity_id", "kind", "public", "title"),
    [
        (types.User(5, first_name="Ada", last_name="L"), 5, "private", None, "Ada L"),
        (types.User(5, last_name="L"), 5, "private", None, "L"),
        (types.User(5, deleted=True), 5, "private", None, None),
        (types.UserEmpty(5), 5, "private", None, None),
        (types.User(5, first_name="Bot", bot=True), 5, "bot", None, "Bot"),
        (types.User(ACCOUNT, first_name="Me"), ACCOUNT, "saved", None, "Me"),
        (types.User(ACCOUNT, is_self=True), ACCOUNT, "saved", None, None),
        (types.Chat(44, "Früh", NO_PHOTO, 3, NOW, 1), -44, "group", False, "Früh"),
        (types.ChatForbidden(44, "Früh"), -44, "group", False, "Früh"),
        (types.ChatEmpty(44), -44, "group", False, None),
        (channel(broadcast=True), -1_000_000_000_008, "channel", False, "Harbour"),
        (channel(megagroup=True, username="h"), -1_000_000_000_008, "supergroup", True, "Harbour"),
        (
            channel(megagroup=True, usernames=active(on=True)),
            -1_000_000_000_008,
            "supergroup",
            True,
            "Harbour",
        ),
        (
            channel(gigagroup=True, usernames=active(on=False)),
            -1_000_000_000_008,
            "supergroup",
            False,
            "Harbour",
        ),
        (
            types.ChannelForbidden(8, 9, "Closed\0", broadcast=True),
            -1_000_000_000_008,
            "channel",
            None,
            "Closed\ufffd",
        ),
    ],
)
def test_chats(
    entity: TL, entity_id: int, kind: str, public: bool | None, title: str | None
) -> None:
    assert to_chat(entity, ACCOUNT, SEEN) == Chat(
        source=Source.TELEGRAM,
        entity_id=entity_id,
        account_id=0 if entity_id <= -(10**12) else ACCOUNT,
        type=ChatType(kind),
        is_public=public,
        title=title,
        observed_at=SEEN,
    )


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        (types.PeerUser(5), "not_a_chat"),
        (None, "not_a_chat"),
        (types.User(2**63), "invalid_record"),
    ],
)
def test_what_is_no_chat(entity: Any, reason: str) -> None:
    with pytest.raises(Unfit) as fault:
        to_chat(entity, ACCOUNT, SEEN)
    assert fault.value.reason == reason


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
    list(participants([entity], [entity], SEEN))
    with suppress(Unfit):
        assert to_chat(entity, ACCOUNT, SEEN).observed_at == SEEN
