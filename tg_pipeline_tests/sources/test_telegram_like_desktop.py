"""The same message, fetched and exported, is one message with one content."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from telethon.tl import types

from tg_pipeline.contracts import Chat, ChatType, Kind, Message, Source
from tg_pipeline.sources.desktop_json.convert import Context as DesktopContext
from tg_pipeline.sources.desktop_json.convert import to_message as from_desktop
from tg_pipeline.sources.storable import storable
from tg_pipeline.sources.telegram.convert import Context, to_message
from tg_pipeline_tests.sources.desktop_model import OF_BOTS, UNWRITTEN, exported
from tg_pipeline_tests.sources.tl import NOW, TL, constructors, message, objects, service

ENTITY = -1_001_700_000_002
ACCOUNT = 777
SEEN = datetime(2024, 6, 1, tzinfo=UTC)
LIVE = Context(ENTITY, ACCOUNT, SEEN)
MIGRATED = Context(ENTITY, ACCOUNT, SEEN, before_migration=True)
CHAT = Chat(
    source=Source.TELEGRAM_DESKTOP_JSON,
    entity_id=ENTITY,
    account_id=0,
    type=ChatType.SUPERGROUP,
    observed_at=SEEN,
)
NOT_FOR_BOTS = [
    kind
    for kind in constructors(types.MessageActionEmpty)
    if kind.__name__.removeprefix("MessageAction") not in OF_BOTS | UNWRITTEN
]
ALMOST_ANY = settings(deadline=None, suppress_health_check=list(HealthCheck))
SHARED = (
    "source",
    "raw",
    "account_id",
    "entity_id",
    "id",
    "date",
    "sender_id",
    "post_author",
    "reply_to_id",
    "edited_at",
    "content_hash",
)
"""Fields that both tell, and alike."""


def imported(tl_message: TL, *, before_migration: bool = False) -> Message:
    fields = storable(exported(tl_message, before_migration=before_migration))
    context = DesktopContext(CHAT, ACCOUNT, None, SEEN, users_only=False)
    return from_desktop(fields, orjson.dumps(fields), context)


def check(tl_message: TL, *, before_migration: bool = False) -> Message:
    """Both ways lead to the same; returns what was fetched."""
    fetched = to_message(tl_message, MIGRATED if before_migration else LIVE)
    file = imported(tl_message, before_migration=before_migration)
    for name in SHARED[2:]:
        assert getattr(fetched, name) == getattr(file, name), name
    assert fetched.text == file.text
    return fetched


@cache
def entity_kinds() -> tuple[type[Any], ...]:
    kinds = constructors(types.MessageEntityBold)
    return tuple(kind for kind in kinds if kind is not types.InputMessageEntityMentionName)


@st.composite
def formatted(draw: Any) -> tuple[str, list[TL]]:
    """A text with any entities, of which each begins and ends between characters."""
    text = draw(st.text("ab é🙂👩‍\n", max_size=12))
    bounds = [0]
    for character in text:
        bounds.append(bounds[-1] + len(character.encode("utf-16-le")) // 2)
    bounds.extend(bounds[-1] + more for more in (1, 9, 100))
    listed = []
    for _ in range(draw(st.integers(0, 5))):
        entity = draw(objects(draw(st.sampled_from(entity_kinds())), 1))
        start, end = draw(st.sampled_from(bounds)), draw(st.sampled_from(bounds))
        entity.offset, entity.length = start, end - start
        listed.append(entity)
    if draw(st.booleans()):
        listed.sort(key=lambda entity: (entity.offset, -entity.length))
    return text, listed


@given(formatted())
@settings(ALMOST_ANY, max_examples=300)
def test_any_formatting(pair: tuple[str, list[TL]]) -> None:
    text, listed = pair
    check(message(text, entities=listed))


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        (
            "🙂 look here",
            [types.MessageEntityBold(3, 9), types.MessageEntityTextUrl(8, 4, "https://a.example")],
        ),
        (
            "🙂 look here",
            [types.MessageEntityTextUrl(8, 4, "https://a.example"), types.MessageEntityBold(3, 9)],
        ),
        (
            "ab",
            [types.MessageEntityTextUrl(0, 0, "https://a.example"), types.MessageEntityBold(0, 2)],
        ),
        ("éé", [types.MessageEntityTextUrl(1, 3, "https://a.example")]),
        ("éé", [types.MessageEntityTextUrl(1, 4, "https://a.example")]),
        ("a\0b", [types.MessageEntityMentionName(2, 1, 5)]),
    ],
)
def test_links_that_overlap_are_empty_or_end_beyond_the_text(text: str, listed: list[TL]) -> None:
    check(message(text, entities=listed))


@given(
    st.sampled_from(constructors(types.MessageMediaEmpty)).flatmap(lambda kind: objects(kind, 2))
)
@settings(ALMOST_ANY, max_examples=200)
def test_any_media(media: TL) -> None:
    assume(not isinstance(media, types.MessageMediaUnsupported))
    check(message("caption", media=media))


@given(st.sampled_from(NOT_FOR_BOTS).flatmap(objects))
@settings(ALMOST_ANY, max_examples=200)
def test_any_action(action: TL) -> None:
    assume(not isinstance(action, types.MessageActionGeoProximityReached))
    check(service(action))


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (types.MessageActionPinMessage(), "message_id"),
        (types.MessageActionGameScore(game_id=1, score=2), "game_message_id"),
        (types.MessageActionPaymentSent("EUR", 300), "invoice_message_id"),
        (types.MessageActionSetChatWallPaper(types.WallPaperNoFile(1), same=True), "message_id"),
    ],
)
def test_actions_on_another_message_are_no_reply_to_it(action: TL, name: str) -> None:
    fetched = check(service(action, reply_to=types.MessageReplyHeader(reply_to_msg_id=4)))
    assert fetched.action
    assert fetched.action.fields[name] == 4


@pytest.mark.skipif(
    not hasattr(types, "MessageActionChangeCommunity"), reason="an older layer of the protocol"
)
def test_an_action_that_desktop_does_not_know_yet_still_has_a_name() -> None:
    (name,) = UNWRITTEN
    fetched = to_message(service(getattr(types, f"MessageAction{name}")(community_id=5)), LIVE)
    assert fetched.action
    assert fetched.action.type == "change_community"
    assert fetched.action.fields == {"community_id": 5}


def test_who_wrote_it_when_and_in_answer_to_what() -> None:
    reply = types.MessageReplyHeader(reply_to_msg_id=4)
    check(message("a", from_id=None, post=True, post_author="Mira"))
    check(message("a", from_id=types.PeerChannel(5), reply_to=reply))
    check(message("a", edit_date=NOW, edit_hide=True))
    check(message("a", peer_id=types.PeerUser(9), from_id=None))
    elsewhere = types.MessageReplyHeader(
        reply_to_msg_id=4, reply_to_peer_id=types.PeerChannel(66), reply_to_top_id=2
    )
    fetched = check(message("a", reply_to=elsewhere))
    assert (
        fetched.reply_to_entity_id == imported(message("a", reply_to=elsewhere)).reply_to_entity_id
    )
    assert fetched.thread_id == 2


def test_history_from_before_a_group_became_a_supergroup() -> None:
    group = types.PeerChat(44)
    reply = types.MessageReplyHeader(reply_to_msg_id=4)
    fetched = check(message("a", peer_id=group, reply_to=reply), before_migration=True)
    assert (fetched.id, fetched.reply_to_id, fetched.account_id) == (
        7 - 10**9,
        4 - 10**9,
        ACCOUNT,
    )
    pinned = check(
        service(types.MessageActionPinMessage(), peer_id=group, reply_to=reply),
        before_migration=True,
    )
    assert pinned.action
    assert pinned.action.fields == {"message_id": 4 - 10**9}
    made = service(types.MessageActionChatCreate("Früh", [5]), peer_id=group, from_id=None)
    assert check(made, before_migration=True).sender_id == -44


def test_reactions_in_their_order_and_what_is_unsupported() -> None:
    results = [
        types.ReactionCount(types.ReactionPaid(), 9),
        types.ReactionCount(types.ReactionEmoji("👍"), 4),
        types.ReactionCount(types.ReactionCustomEmoji(5), 2),
    ]
    shown = message("a", reactions=types.MessageReactions(results=results))
    fetched, file = check(shown), imported(shown)
    assert fetched.reactions
    assert file.reactions
    assert [(one.type, one.emoji, one.count) for one in fetched.reactions] == [
        (one.type, one.emoji, one.count) for one in file.reactions
    ]
    unsupported = to_message(message("a", media=types.MessageMediaUnsupported()), LIVE)
    assert unsupported.kind is Kind.UNSUPPORTED
    assert unsupported.content_hash is None
