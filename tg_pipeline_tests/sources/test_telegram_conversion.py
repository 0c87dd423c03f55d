"""From TL messages to records: plain data in, exact fields out."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon.tl import types

from tg_pipeline.contracts import (
    Action,
    DatePrecision,
    Entity,
    Forward,
    Kind,
    Media,
    Poll,
    PollAnswer,
    Reaction,
    Source,
    content_hash,
    decode,
    encode,
)
from tg_pipeline.sources.telegram.convert import Context, Unfit, as_raw, to_message
from tg_pipeline.sources.telegram.convert.actions import NAMES as ACTIONS
from tg_pipeline.sources.telegram.convert.media import MAKERS
from tg_pipeline.sources.telegram.convert.text import NAMES as ENTITIES
from tg_pipeline.sources.telegram.convert.text import entities_of
from tg_pipeline_tests.sources.tl import NOW, TL, constructors, message, objects, service

ENTITY = -1_001_700_000_002
ACCOUNT = 777
LIVE = Context(ENTITY, ACCOUNT, datetime(2024, 6, 1, tzinfo=UTC))
PRIVATE = replace(LIVE, entity_id=9)
EARLIER = datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
ALMOST_ANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


def test_a_plain_message() -> None:
    tl_message = message("Hello", views=5, forwards=0)
    record = to_message(tl_message, LIVE)
    assert record.model_dump(exclude_none=True) == {
        "record": "message",
        "schema_version": "1.0",
        "source": Source.TELEGRAM,
        "account_id": 0,
        "entity_id": ENTITY,
        "id": 7,
        "date": NOW,
        "date_precision": DatePrecision.EXACT,
        "kind": Kind.MESSAGE,
        "sender_id": 5,
        "text": "Hello",
        "entities": (),
        "reactions": (),
        "views": 5,
        "forwards": 0,
        "content_hash": content_hash("Hello", (), None, None, None),
        "observed_at": LIVE.observed_at,
        "raw": as_raw(tl_message),
    }


# ---- text -----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.text("a é🙂👩‍🇩\U0010ffff", max_size=4)), max_size=8))
@settings(deadline=None)
def test_each_entity_covers_its_own_piece(pieces: list[tuple[bool, str]]) -> None:
    listed, units = [], 0
    for is_bold, piece in pieces:
        length = len(piece.encode("utf-16-le")) // 2
        if is_bold:
            listed.append(types.MessageEntityBold(units, length))
        units += length
    text = "".join(piece for _, piece in pieces)
    found = entities_of(text, listed)
    assert [text[one.offset : one.offset + one.length] for one in found] == [
        piece for is_bold, piece in pieces if is_bold and piece
    ]


@given(
    st.text(max_size=9), st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=4)
)
@settings(deadline=None)
def test_entities_never_leave_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    for one in entities_of(text, [types.MessageEntityBold(*span) for span in spans]):
        assert 0 <= one.offset < one.offset + one.length <= len(text)


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        (types.MessageEntityUrl(0, 2), {"type": "link"}),
        (types.MessageEntityTextUrl(0, 2, "https://a.example"), {"url": "https://a.example"}),
        (types.MessageEntityMentionName(0, 2, 5), {"type": "mention_name", "user_id": 5}),
        (
            types.InputMessageEntityMentionName(0, 2, types.InputUser(5, 6)),
            {"type": "mention_name", "user_id": 5},
        ),
        (types.MessageEntityPre(0, 2, "py"), {"type": "pre", "language": "py"}),
        (types.MessageEntityPre(0, 2, ""), {"type": "pre", "language": None}),
        (types.MessageEntityBlockquote(0, 2, collapsed=True), {"collapsed": True}),
        (types.MessageEntityBlockquote(0, 2), {"type": "blockquote", "collapsed": False}),
        (types.MessageEntityCustomEmoji(0, 2, 2**60), {"document_id": str(2**60)}),
        (types.MessageEntityStrike(0, 2), {"type": "strikethrough"}),
        (types.MessageEntityFormattedDate(0, 2, NOW), {"type": "unknown"}),
    ],
)
def test_what_entities_carry(entity: TL, expected: dict[str, Any]) -> None:
    (found,) = to_message(message("abc", entities=[entity]), LIVE).entities
    assert (found.offset, found.length) == (0, 2)
    for name, value in expected.items():
        assert getattr(found, name) == value


def test_every_entity_of_the_layer_has_a_name_or_is_unknown_to_desktop() -> None:
    without = {kind.__name__ for kind in constructors(types.MessageEntityBold)} - {
        kind.__name__ for kind in ENTITIES
    }
    assert without <= {
        "MessageEntityUnknown",
        "MessageEntityFormattedDate",
        "MessageEntityDiffDelete",
        "MessageEntityDiffInsert",
        "MessageEntityDiffReplace",
    }


# ---- media ----------------------------------------------------------------------------------


def document(*attributes: TL, mime_type: str = "a/b", **media: Any) -> TL:
    return types.MessageMediaDocument(
        document=types.Document(
            id=55,
            access_hash=1,
            file_reference=b"",
            date=NOW,
            mime_type=mime_type,
            size=900,
            dc_id=2,
            attributes=list(attributes),
        ),
        **media,
    )


def photo(*sizes: TL) -> TL:
    found = types.Photo(
        id=66, access_hash=1, file_reference=b"", date=NOW, sizes=list(sizes), dc_id=2
    )
    return types.MessageMediaPhoto(photo=found)


VIDEO = types.DocumentAttributeVideo(duration=4.7, w=640, h=360)
ROUND = types.DocumentAttributeVideo(duration=4.7, w=240, h=240, round_message=True)
STICKER = types.DocumentAttributeSticker("🙂", types.InputStickerSetEmpty())
ANIMATED = types.DocumentAttributeAnimated()
FILE = {"mime_type": "a/b", "size": 900, "remote_id": "55"}
SIZE = types.PhotoSize("m", 320, 240, 9_000)
STRIPPED = types.PhotoStrippedSize("i", b"abc")


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (
            photo(STRIPPED, SIZE, types.PhotoSizeProgressive("y", 1280, 960, [10, 20, 70])),
            Media(type="photo", size=70, width=1280, height=960, remote_id="66"),
        ),
        (
            photo(types.PhotoCachedSize("s", 9, 8, b"1234"), types.PhotoPathSize("j", b"")),
            Media(type="photo", size=4, width=9, height=8, remote_id="66"),
        ),
        (photo(SIZE), Media(type="photo", size=9_000, width=320, height=240, remote_id="66")),
        (photo(STRIPPED), Media(type="photo", remote_id="66")),
        (
            photo(types.PhotoSizeProgressive("y", 4, 3, [])),
            Media(type="photo", width=4, height=3, remote_id="66"),
        ),
        (types.MessageMediaPhoto(ttl_seconds=9), Media(type="photo", missing_reason="expired")),
        (types.MessageMediaPhoto(), Media(type="photo", missing_reason="unavailable")),
        (
            types.MessageMediaPhoto(photo=types.PhotoEmpty(5)),
            Media(type="photo", missing_reason="unavailable"),
        ),
        (
            types.MessageMediaDocument(round=True, ttl_seconds=9),
            Media(type="file", missing_reason="expired"),
        ),
        (
            document(types.DocumentAttributeFilename("a.pdf")),
            Media(type="file", file_name="a.pdf", **FILE),
        ),
        (document(mime_type=""), Media(type="file", size=900, remote_id="55")),
        (document(VIDEO), Media(type="video_file", width=640, height=360, duration=4, **FILE)),
        (document(ROUND), Media(type="video_message", width=240, height=240, duration=4, **FILE)),
        (
            document(VIDEO, ANIMATED),
            Media(type="animation", width=640, height=360, duration=4, **FILE),
        ),
        (
            document(VIDEO, STICKER),
            Media(type="sticker", width=640, height=360, duration=4, **FILE),
        ),
        (
            document(types.DocumentAttributeCustomEmoji("🙂", types.InputStickerSetEmpty())),
            Media(type="sticker", **FILE),
        ),
        (
            document(types.DocumentAttributeAudio(12, voice=True)),
            Media(type="voice_message", duration=12, **FILE),
        ),
        (
            document(types.DocumentAttributeAudio(0, title="T", performer="P")),
            Media(type="audio_file", **FILE),
        ),
        (
            document(types.DocumentAttributeImageSize(512, 500)),
            Media(type="file", width=512, height=500, **FILE),
        ),
        (document(types.DocumentAttributeImageSize(512, 0)), Media(type="file", **FILE)),
        (types.MessageMediaContact("+1", "A", "", "", 5), Media(type="contact")),
        (types.MessageMediaGeo(types.GeoPointEmpty()), Media(type="location")),
        (types.MessageMediaGeoLive(types.GeoPointEmpty(), 900), Media(type="location")),
        (types.MessageMediaVenue(types.GeoPointEmpty(), "V", "", "", "", ""), Media(type="venue")),
        (types.MessageMediaVenue(types.GeoPointEmpty(), "", "", "", "", ""), None),
        (types.MessageMediaDice(4, "🎲"), Media(type="dice")),
        (types.MessageMediaWebPage(types.WebPageEmpty(5)), Media(type="web_page")),
        (types.MessageMediaStory(types.PeerUser(5), 6), Media(type="story")),
        (types.MessageMediaPaidMedia(5, []), Media(type="paid_media")),
        (types.MessageMediaEmpty(), None),
    ],
)
def test_media_in_desktops_vocabulary(media: TL, expected: Media | None) -> None:
    record = to_message(message("caption", media=media), LIVE)
    assert record.media_meta == expected
    assert record.content_hash == content_hash("caption", (), expected, None, None)


def test_every_media_of_the_layer_is_known() -> None:
    known = {kind.__name__ for kind in MAKERS}
    assert {kind.__name__ for kind in constructors(types.MessageMediaEmpty)} == known
    with pytest.raises(Unfit) as fault:
        to_message(message(media=types.InputMediaEmpty()), LIVE)
    assert fault.value.reason == "unknown_media"


def test_a_poll_with_the_votes_that_are_known() -> None:
    formatted = types.TextWithEntities("Tea?", [types.MessageEntityBold(0, 3)])
    answers = [
        types.PollAnswer(types.TextWithEntities("yes", []), b"0"),
        types.PollAnswer(types.TextWithEntities("no", []), b"1"),
        types.PollAnswer(types.TextWithEntities("later", []), b"2"),
    ]
    results = types.PollResults(
        results=[
            types.PollAnswerVoters(b"1", voters=0),
            types.PollAnswerVoters(b"0", voters=3, chosen=True),
        ],
        total_voters=3,
    )
    poll = types.Poll(5, formatted, answers, hash=0, closed=True)
    record = to_message(message(media=types.MessageMediaPoll(poll, results)), LIVE)
    expected = Poll(
        question="Tea?",
        closed=True,
        total_voters=3,
        answers=(
            PollAnswer(text="yes", voters=3, chosen=True),
            PollAnswer(text="no", voters=0, chosen=False),
            PollAnswer(text="later"),
        ),
    )
    assert record.poll == expected
    assert record.media_meta is None
    assert record.content_hash == content_hash("", (), None, None, expected)
    unseen = types.MessageMediaPoll(types.Poll(5, "old", [], hash=0), types.PollResults())
    assert to_message(message(media=unseen), LIVE).poll == Poll(question="old", closed=False)


# ---- actions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", constructors(types.MessageActionEmpty), ids=lambda kind: kind.__name__
)
def test_every_action_of_the_layer_converts(kind: Any) -> None:
    @given(objects(kind))
    @settings(ALMOST_ANY, max_examples=10)
    def check(action: TL) -> None:
        record = to_message(service(action), LIVE)
        assert record.kind is Kind.SERVICE
        assert record.content_hash == content_hash("", (), None, record.action, None)
        assert decode(encode(record), "here") == record
        if record.action is not None:
            assert record.action.type
            orjson.dumps(record.action.fields)

    check()


def test_actions_without_a_name_of_their_own() -> None:
    kinds = constructors(types.MessageActionEmpty)
    unnamed = {kind.__name__.removeprefix("MessageAction") for kind in kinds} - ACTIONS.keys()
    assert unnamed <= {
        "BotAllowed",  # one of three
        "SetChatWallPaper",  # one of two
        "Empty",  # none
        "ChangeCommunity",  # not in Desktop
    }


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            types.MessageActionChatCreate("Früh", [1, 2]),
            Action(type="create_group", title="Früh", fields={"users": [1, 2]}),
        ),
        (types.MessageActionChatEditTitle(""), Action(type="edit_group_title")),
        (types.MessageActionChannelCreate("C"), Action(type="create_channel", title="C")),
        (
            types.MessageActionChannelMigrateFrom("G", 44),
            Action(type="migrate_from_group", title="G", fields={"chat_id": 44}),
        ),
        (
            types.MessageActionTopicCreate("T", 5, icon_emoji_id=6),
            Action(
                type="topic_created",
                title="T",
                fields={"icon_color": 5, "icon_emoji_id": 6},
            ),
        ),
        (
            types.MessageActionTopicEdit(title="New", closed=False),
            Action(type="topic_edit", fields={"title": "New", "closed": False}),
        ),
        (
            types.MessageActionCustomAction("hi"),
            Action(type="custom_action", fields={"message": "hi"}),
        ),
        (
            types.MessageActionPhoneCall(5, reason=types.PhoneCallDiscardReasonBusy()),
            Action(
                type="phone_call",
                fields={"call_id": 5, "reason": {"_": "PhoneCallDiscardReasonBusy"}},
            ),
        ),
        (
            types.MessageActionBotAllowed(attach_menu=True),
            Action(type="attach_menu_bot_allowed", fields={"attach_menu": True}),
        ),
        (
            types.MessageActionBotAllowed(from_request=True),
            Action(type="web_app_bot_allowed", fields={"from_request": True}),
        ),
        (
            types.MessageActionBotAllowed(domain="a.example"),
            Action(type="allow_sending_messages", fields={"domain": "a.example"}),
        ),
        (
            types.MessageActionGroupCallScheduled(types.InputGroupCall(1, 2), EARLIER),
            Action(
                type="group_call_scheduled",
                fields={
                    "call": {"_": "InputGroupCall", "id": 1, "access_hash": 2},
                    "schedule_date": "2023-01-02T03:04:05Z",
                },
            ),
        ),
        (types.MessageActionEmpty(), None),
    ],
)
def test_actions_with_their_fields(action: TL, expected: Action | None) -> None:
    assert to_message(service(action), LIVE).action == expected


def test_a_pinned_message_is_named_and_other_service_messages_may_be_replies() -> None:
    reply = types.MessageReplyHeader(reply_to_msg_id=4)
    pinned = to_message(service(types.MessageActionPinMessage(), reply_to=reply), LIVE)
    assert (pinned.action, pinned.reply_to_id) == (
        Action(type="pin_message", fields={"message_id": 4}),
        None,
    )
    results = types.MessageActionGiveawayResults(1, 0)
    assert to_message(service(results, reply_to=reply), LIVE).reply_to_id == 4


# ---- who, in answer to what, from where -----------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "context", "sender"),
    [
        ({"from_id": types.PeerUser(5)}, LIVE, 5),
        ({"from_id": types.PeerChannel(8)}, LIVE, -1_000_000_000_008),
        ({"from_id": None, "post": True}, LIVE, ENTITY),
        ({"from_id": None, "peer_id": types.PeerUser(9)}, PRIVATE, 9),
        ({"from_id": None, "peer_id": types.PeerUser(9), "out": True}, PRIVATE, ACCOUNT),
        ({"from_id": types.PeerUser(ACCOUNT), "peer_id": types.PeerUser(9)}, PRIVATE, ACCOUNT),
        ({"from_id": None, "peer_id": types.PeerChat(44)}, replace(LIVE, entity_id=-44), -44),
    ],
)
def test_who_sent_it(fields: dict[str, Any], context: Context, sender: int) -> None:
    assert to_message(message("a", **fields), context).sender_id == sender


def test_whose_numbering_it_is() -> None:
    private = to_message(message("a", peer_id=types.PeerUser(9)), PRIVATE)
    assert (private.account_id, private.entity_id, private.id) == (ACCOUNT, 9, 7)
    before = to_message(
        message("a", peer_id=types.PeerChat(44)), replace(LIVE, before_migration=True)
    )
    assert (before.account_id, before.entity_id, before.id) == (ACCOUNT, ENTITY, 7 - 10**9)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (types.MessageReplyHeader(reply_to_msg_id=4), (4, None, None)),
        (types.MessageReplyHeader(reply_to_msg_id=4, reply_to_top_id=2), (4, None, 2)),
        (types.MessageReplyHeader(reply_to_msg_id=4, forum_topic=True), (4, None, 4)),
        (
            types.MessageReplyHeader(reply_to_msg_id=4, reply_to_top_id=2, forum_topic=True),
            (4, None, 2),
        ),
        (
            types.MessageReplyHeader(reply_to_msg_id=4, reply_to_peer_id=types.PeerUser(9)),
            (4, 9, None),
        ),
        (
            types.MessageReplyHeader(
                reply_to_msg_id=4, reply_to_peer_id=types.PeerChannel(1_700_000_002)
            ),
            (4, None, None),
        ),
        (types.MessageReplyHeader(quote_text="q"), (None, None, None)),
        (types.MessageReplyStoryHeader(types.PeerUser(5), 6), (None, None, None)),
    ],
)
def test_in_answer_to_what(reply: TL, expected: tuple[int | None, ...]) -> None:
    record = to_message(message("a", reply_to=reply), LIVE)
    assert (record.reply_to_id, record.reply_to_entity_id, record.thread_id) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            {"from_id": types.PeerChannel(8), "channel_post": 3},
            Forward(from_id=-1_000_000_000_008, message_id=3, date=EARLIER),
        ),
        ({"from_name": "Hidden"}, Forward(from_name="Hidden", date=EARLIER)),
        (
            {
                "from_id": types.PeerUser(5),
                "saved_from_peer": types.PeerUser(5),
                "saved_from_msg_id": 6,
            },
            Forward(from_id=5, message_id=6, date=EARLIER),
        ),
        (
            {
                "from_id": types.PeerUser(5),
                "saved_from_peer": types.PeerChat(44),
                "saved_from_msg_id": 6,
            },
            Forward(from_id=5, date=EARLIER),
        ),
        (
            {"saved_from_id": types.PeerUser(5), "saved_from_name": "Ada"},
            Forward(from_id=5, from_name="Ada", date=EARLIER),
        ),
    ],
)
def test_where_it_came_from(header: dict[str, Any], expected: Forward) -> None:
    forwarded = message("a", fwd_from=types.MessageFwdHeader(date=EARLIER, **header))
    assert to_message(forwarded, LIVE).forward == expected


def test_the_rest_of_the_envelope_and_how_it_fares() -> None:
    counts = [
        types.ReactionCount(types.ReactionEmoji("👍"), 4),
        types.ReactionCount(types.ReactionPaid(), 2),
        types.ReactionCount(types.ReactionCustomEmoji(2**60), 1),
    ]
    record = to_message(
        message(
            "a",
            grouped_id=2**62,
            via_bot_id=3,
            post_author="",
            edit_date=EARLIER,
            edit_hide=True,
            replies=types.MessageReplies(0, 5),
            reactions=types.MessageReactions(results=counts),
        ),
        LIVE,
    )
    assert (record.grouped_id, record.via_bot_id, record.post_author) == (2**62, 3, None)
    assert (record.edited_at, record.views, record.replies) == (EARLIER, None, 0)
    assert record.reactions == (
        Reaction(type="emoji", emoji="👍", count=4),
        Reaction(type="paid", count=2),
        Reaction(type="custom_emoji", document_id=str(2**60), count=1),
    )
    never = message("a", edit_date=datetime(1970, 1, 1, tzinfo=UTC))
    assert to_message(never, LIVE).edited_at is None


# ---- what cannot be a message ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("tl_message", "reason"),
    [
        (types.MessageEmpty(5, None), "not_a_message"),
        (types.PeerUser(5), "not_a_message"),
        (None, "not_a_message"),
        (message("a", date=None), "missing_date"),
        (message("a", date=datetime(1970, 1, 1, tzinfo=UTC)), "missing_date"),
        (message("a", date=datetime(2024, 1, 1)), "invalid_record"),  # noqa: DTZ001
        (message("a", id=2**63), "invalid_record"),
        (message("a", id=None), "invalid_record"),
        (message("a", views=-1), "invalid_record"),
        (message("a", entities=[None]), "invalid_record"),
        (message(media=types.MessageMediaPoll(None, None)), "invalid_record"),
        (message("a", views=object()), "invalid_record"),
        (service(None), "invalid_record"),
    ],
)
def test_a_misfit_says_why(tl_message: Any, reason: str) -> None:
    with pytest.raises(Unfit) as fault:
        to_message(tl_message, LIVE)
    assert fault.value.reason == reason
    assert fault.value.detail


@given(objects(types.Message, 2) | objects(types.MessageService, 2))
@settings(ALMOST_ANY, max_examples=150)
def test_nothing_but_a_record_or_the_reason_why_not(tl_message: TL) -> None:
    with suppress(Unfit):
        record = to_message(tl_message, LIVE)
        assert decode(encode(record), "here") == record


def test_nul_and_lone_surrogates_stay_in_raw_alone() -> None:
    action = types.MessageActionChatEditTitle("a\0b\ud800")
    record = to_message(service(action), LIVE)
    assert record.action == Action(type="edit_group_title", title="a\ufffdb\ufffd")
    assert b'"a\\u0000b\\ud800"' in record.raw
    link = types.MessageEntityTextUrl(1, 2, "https://a.example/\0")
    record = to_message(message("\0ab", entities=[link]), LIVE)
    assert record.text == "\ufffdab"
    assert record.entities == (
        Entity(type="text_link", offset=1, length=2, url="https://a.example/\ufffd"),
    )
    assert decode(encode(record), "here") == record
