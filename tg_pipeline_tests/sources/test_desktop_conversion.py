"""From Desktop's record to ours: plain data in, exact fields out."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    content_hash,
    decode,
    encode,
)
from tg_pipeline.sources.desktop_json.text import text_and_entities
from tg_pipeline_tests.sources.making import Json, Made, export, message, read_whole, written

NOT_INCLUDED = "File not included. Change data exporting settings to download."


def plain(text: str) -> Json:
    return {"type": "plain", "text": text}


def bold(text: str) -> Json:
    return {"type": "bold", "text": text}


# ---- text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "listed", "expected", "entities"),
    [
        ("abc", None, "abc", []),
        ("", [], "", []),
        (None, None, "", []),
        (["a", bold("b"), ""], None, "ab", [("bold", 1, 1)]),
        (["🙂", bold("é🙂"), "x"], None, "🙂é🙂x", [("bold", 1, 2)]),
        ([bold("a"), bold("")], None, "a", [("bold", 0, 1)]),
        ("ab", [plain("a"), bold("b")], "ab", [("bold", 1, 1)]),
        ("ab", [bold("b")], "ab", []),
        (["a", bold("b")], [plain("other")], "ab", [("bold", 1, 1)]),
        ([plain("a")], None, "a", []),
        (["a\u200d\u202e", bold("۱")], None, "a\u200d\u202e۱", [("bold", 3, 1)]),
    ],
)
def test_text_and_entities_in_code_points(
    made: Made, text: Any, listed: Any, expected: str, entities: list[tuple[str, int, int]]
) -> None:
    fields = {"text": text} if listed is None else {"text": text, "text_entities": listed}
    (record,) = made(message(1, **fields)).messages
    assert record.text == expected
    assert [(e.type, e.offset, e.length) for e in record.entities] == entities


@given(st.lists(st.tuples(st.booleans(), st.text(max_size=4)), max_size=8))
@settings(deadline=None)
def test_each_entity_covers_its_own_piece(pieces: list[tuple[bool, str]]) -> None:
    listed = [bold(text) if is_bold else text for is_bold, text in pieces]
    text, entities = text_and_entities({"text": listed})
    assert text == "".join(piece for _, piece in pieces)
    assert [text[e.offset : e.offset + e.length] for e in entities] == [
        piece for is_bold, piece in pieces if is_bold and piece
    ]


def test_entities_keep_what_belongs_to_them(made: Made) -> None:
    (record,) = made(
        message(
            1,
            text=[
                {"type": "text_link", "text": "a", "href": "https://a.example/"},
                {"type": "mention_name", "text": "b", "user_id": 7},
                {"type": "pre", "text": "c", "language": "py"},
                {"type": "pre", "text": "d", "language": ""},
                {"type": "custom_emoji", "text": "e", "document_id": "stickers/e.webp"},
                {"type": "blockquote", "text": "f", "collapsed": False},
            ],
        )
    ).messages
    assert record.entities == (
        Entity(type="text_link", offset=0, length=1, url="https://a.example/"),
        Entity(type="mention_name", offset=1, length=1, user_id=7),
        Entity(type="pre", offset=2, length=1, language="py"),
        Entity(type="pre", offset=3, length=1),
        Entity(type="custom_emoji", offset=4, length=1, document_id="stickers/e.webp"),
        Entity(type="blockquote", offset=5, length=1, collapsed=False),
    )


# ---- media ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        ({}, None),
        (
            {"photo": "p.jpg", "photo_file_size": 9, "width": 2, "height": 3},
            Media(type="photo", path="p.jpg", size=9, width=2, height=3),
        ),
        ({"photo": f"({NOT_INCLUDED})"}, Media(type="photo", missing_reason=NOT_INCLUDED)),
        ({"photo": None}, Media(type="photo")),
        (
            {"file": "f.pdf", "file_name": "f.pdf", "file_size": 5, "mime_type": "application/pdf"},
            Media(
                type="file", path="f.pdf", file_name="f.pdf", size=5, mime_type="application/pdf"
            ),
        ),
        (
            {"file": "v.ogg", "media_type": "voice_message", "duration_seconds": 4},
            Media(type="voice_message", path="v.ogg", duration=4),
        ),
        (
            {"file": "(File unavailable, please try again later)", "media_type": "sticker"},
            Media(type="sticker", missing_reason="File unavailable, please try again later"),
        ),
        (
            {"contact_information": {"first_name": "A"}, "contact_vcard": "c.vcard"},
            Media(type="contact", path="c.vcard"),
        ),
        ({"location_information": None}, Media(type="location")),
        ({"place_name": "Café", "location_information": {}}, Media(type="venue")),
        ({"game_title": "G"}, Media(type="game")),
        ({"invoice_information": {}}, Media(type="invoice")),
        ({"giveaway_information": {}}, Media(type="giveaway")),
        ({"giveaway_results": {}}, Media(type="giveaway_results")),
        ({"todo_list": {}}, Media(type="todo_list")),
        ({"paid_stars_amount": 5}, Media(type="paid_media")),
    ],
)
def test_media_in_desktops_vocabulary(made: Made, fields: Json, media: Media | None) -> None:
    (record,) = made(message(1, **fields)).messages
    assert record.media_meta == media
    assert record.content_hash == content_hash("text 1", (), media, None, None)


def test_poll_and_reactions(made: Made) -> None:
    poll = {
        "question": "Q?",
        "closed": True,
        "total_voters": 3,
        "answers": [{"text": "yes", "voters": "2", "chosen": "true"}, {"text": "no"}],
    }
    reactions = [
        {"type": "emoji", "count": 2, "emoji": "👍", "recent": []},
        {"type": "custom_emoji", "count": 1, "document_id": "e.webp"},
        {"type": "paid", "count": 9},
    ]
    with_both, without, none = made(
        message(1, poll=poll, reactions=reactions), message(2), message(3, reactions=[])
    ).messages
    assert with_both.poll == Poll(
        question="Q?",
        closed=True,
        total_voters=3,
        answers=(PollAnswer(text="yes", voters=2, chosen=True), PollAnswer(text="no")),
    )
    assert with_both.reactions == (
        Reaction(type="emoji", emoji="👍", count=2),
        Reaction(type="custom_emoji", document_id="e.webp", count=1),
        Reaction(type="paid", count=9),
    )
    assert without.reactions is None
    assert none.reactions == ()


# ---- kinds, people, replies -----------------------------------------------------------------


def test_a_service_message_has_an_action_with_its_own_fields_and_no_media(made: Made) -> None:
    fields = {"actor": "A", "actor_id": "user5", "action": "edit_group_photo", "title": "T"}
    service = message(1, type="service", photo="p.jpg", members=["B", None], **fields)
    for key in ("from", "from_id"):
        del service[key]
    (record,) = made(service).messages
    assert record.kind is Kind.SERVICE
    assert record.sender_id == 5
    assert record.media_meta is None
    assert record.action == Action(
        type="edit_group_photo", title="T", fields={"photo": "p.jpg", "members": ["B", None]}
    )


def test_kinds_without_a_type_and_without_an_action(made: Made) -> None:
    no_type, action = message(1), message(2, action="clear_history")
    del no_type["type"], action["type"]
    custom = message(3, type="service", information_text="hello")
    unsupported = message(4, type="unsupported")
    records = made(no_type, action, custom, unsupported).messages
    assert [record.kind.value for record in records] == [
        "message",
        "service",
        "service",
        "unsupported",
    ]
    assert records[2].action == Action(type="custom_action", fields={"information_text": "hello"})
    assert [record.content_hash is None for record in records] == [False, False, False, True]


def test_replies_forwards_and_signatures(made: Made) -> None:
    one, two, three = made(
        message(1, reply_to_message_id=9, reply_to_peer_id="channel4", author="Ed"),
        message(2, forwarded_from=None, forwarded_from_id="user3", reply_to_message_id=1),
        message(3, saved_from="S"),
    ).messages
    assert (one.reply_to_id, one.reply_to_entity_id, one.post_author) == (9, -1000000000004, "Ed")
    assert one.forward is None
    assert (two.reply_to_id, two.reply_to_entity_id) == (1, None)
    assert two.forward == Forward(from_id=3)
    assert three.forward == Forward(from_name="S")


def test_each_name_is_told_once_and_before_its_message(made: Made) -> None:
    service = message(4, type="service", actor="Bob", actor_id="user20")
    outcome = made(
        message(1),
        message(2),
        message(3, **{"from": "Ada L."}),
        service,
        message(5, **{"from": None}),
    )
    told = [getattr(r, "name", None) or f"#{getattr(r, 'id', '')}" for r in outcome.records]
    assert told == ["Ada", "#1", "#2", "Ada L.", "#3", "Bob", "#4", "#5"]
    assert [(p.participant_id, p.name) for p in outcome.participants] == [
        (10, "Ada"),
        (10, "Ada L."),
        (20, "Bob"),
    ]


# ---- dates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "date", "precision"),
    [
        ({"date_unixtime": "1704106801"}, "2024-01-01T11:00:01", DatePrecision.EXACT),
        ({"date_unixtime": 1704106801}, "2024-01-01T11:00:01", DatePrecision.EXACT),
        ({"date": "2024-07-01T12:00:00+02:00"}, "2024-07-01T10:00:00", DatePrecision.EXACT),
        ({"date": "2024-07-01T12:00:00Z"}, "2024-07-01T12:00:00", DatePrecision.EXACT),
        ({"date": "2024-07-01T12:00:00"}, "2024-07-01T10:00:00", DatePrecision.ZONE_GIVEN),
        ({"date": "2024-10-27T02:30:00"}, "2024-10-27T00:30:00", DatePrecision.AMBIGUOUS),
        ({"date": "2024-03-31T02:30:00"}, "2024-03-31T01:30:00", DatePrecision.ZONE_GIVEN),
        (
            {"date": "2026-03-05T00:00:00", "date_unixtime": None},
            "2026-03-04T23:00:00",
            DatePrecision.ZONE_GIVEN,
        ),
    ],
)
def test_dates_and_how_sure_they_are(
    made: Made, fields: Json, date: str, precision: DatePrecision
) -> None:
    record = {"id": 1, "type": "message", "text": "", **fields}
    (read,) = made(record, message(2), options={"timezone": "Europe/Berlin"}).messages[:1]
    assert read.date == datetime.fromisoformat(date).replace(tzinfo=UTC)
    assert read.date_precision is precision


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "missing_date"),
        ({"date": None, "date_unixtime": None}, "missing_date"),
        ({"date_unixtime": "0"}, "missing_date"),
        ({"date": "1970-01-01T05:00:00"}, "missing_date"),
        ({"date_unixtime": True}, "invalid_date"),
        ({"date_unixtime": "soon"}, "invalid_date"),
        ({"date_unixtime": "1_704_106_801"}, "invalid_date"),
        ({"date_unixtime": "-5"}, "invalid_date"),
        ({"date_unixtime": 1704106801.5}, "invalid_date"),
        ({"date_unixtime": 999999999999}, "invalid_date"),
        ({"date_unixtime": "9" * 40}, "invalid_date"),
        ({"date": "yesterday"}, "invalid_date"),
        ({"date": "2024-02-30T00:00:00"}, "invalid_date"),
        ({"date": 1704106801}, "invalid_date"),
        ({"date": "9999-12-31T23:59:59-12:00"}, "invalid_date"),
        ({"date": "2024-02-03T00:00:00"}, "missing_zone"),
        ({"date_unixtime": "1704106801", "edited_unixtime": "x"}, "invalid_date"),
    ],
)
def test_records_without_a_usable_date_are_set_aside(made: Made, fields: Json, reason: str) -> None:
    outcome = made({"id": 1, "type": "message", "text": "", **fields}, message(2))
    assert [record.reason for record in outcome.rejected] == [reason]
    assert outcome.summary.rejected == {reason: 1}
    assert outcome.summary.read == 2


@pytest.mark.parametrize(
    ("fields", "edited"),
    [
        ({}, None),
        ({"edited": "1970-01-01T05:00:00"}, None),
        ({"edited": "1970-01-01T05:00:00", "edited_unixtime": "0"}, None),
        ({"edited_unixtime": "86400"}, None),
        ({"edited_unixtime": "1704106900"}, 1704106900),
        ({"edited": "2024-01-01T12:00:00+00:00"}, 1704110400),
        ({"edited": "2024-01-01T12:00:00"}, None),
    ],
)
def test_1970_means_never_edited(made: Made, fields: Json, edited: int | None) -> None:
    (record,) = made(message(1, **fields)).messages
    assert record.edited_at == (None if edited is None else datetime.fromtimestamp(edited, UTC))


# ---- what is set aside ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason", "number"),
    [
        ({"id": None}, "missing_id", None),
        ({"id": "5"}, "invalid_id", None),
        ({"id": True}, "invalid_id", None),
        ({"id": 5.0}, "invalid_id", None),
        ({"id": 2**63}, "invalid_id", None),
        ({"id": 10**30}, "invalid_id", None),
        ({"type": "ERROR:wrong_type"}, "unknown_type", 1),
        ({"type": 7}, "unknown_type", 1),
        ({"text": {"a": 1}}, "invalid_record", 1),
        ({"text": [7]}, "invalid_record", 1),
        ({"poll": []}, "invalid_record", 1),
        ({"reactions": [{"type": "emoji"}]}, "invalid_record", 1),
        ({"width": "wide", "photo": "p"}, "invalid_record", 1),
        ({"type": "service", "action": 7}, "invalid_record", 1),
    ],
)
def test_unusable_records_keep_their_bytes_and_reason(
    made: Made, change: Json, reason: str, number: int | None
) -> None:
    outcome = made(message(1) | change, message(2))
    (rejected,) = outcome.rejected
    assert (rejected.reason, rejected.id) == (reason, number)
    assert json.loads(rejected.raw) == message(1) | change
    assert outcome.summary.messages == 1


def test_an_unsupported_message_without_date_is_set_aside_under_its_own_name(made: Made) -> None:
    (rejected,) = made({"id": 45, "type": "unsupported"}, message(2)).rejected
    assert (rejected.reason, rejected.id) == ("unsupported_without_date", 45)


KEYS = st.sampled_from(
    [
        "id",
        "type",
        "date",
        "date_unixtime",
        "edited",
        "edited_unixtime",
        "from",
        "from_id",
        "actor",
        "actor_id",
        "author",
        "action",
        "title",
        "text",
        "text_entities",
        "reply_to_message_id",
        "reply_to_peer_id",
        "forwarded_from",
        "saved_from",
        "forwarded_from_id",
        "thread_id",
        "photo",
        "file",
        "media_type",
        "mime_type",
        "file_name",
        "file_size",
        "width",
        "height",
        "duration_seconds",
        "contact_vcard",
        "poll",
        "reactions",
        "members",
        "information_text",
    ]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "count", "href", "user_id", "answers", "question"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, ODD, max_size=8))
def test_whatever_a_record_holds_it_becomes_a_message_or_is_set_aside(
    tmp_path_factory: pytest.TempPathFactory, odd: Json
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    text = json.dumps(export(message(1), message(2) | odd), indent=1)
    outcome = read_whole(written(folder, text.encode()))
    assert outcome.summary.read == 2 == len(outcome.messages) + len(outcome.rejected)
    for record in outcome.records:
        assert decode(encode(record), "here") == record
