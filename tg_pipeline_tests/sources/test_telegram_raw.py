"""TL objects as JSON: valid, on one line, and with every field that was sent."""

import base64
import json
import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telethon.tl import TLObject, types

from tg_pipeline.sources.telegram.convert import as_raw
from tg_pipeline.sources.telegram.convert.raw import may_be_unstorable, plain_fields, storable_copy
from tg_pipeline_tests.sources.tl import TL, constructors, fields_of, message, objects

ROOTS = (
    *constructors(types.MessageActionEmpty),
    *constructors(types.MessageMediaEmpty),
    *constructors(types.MessageEntityBold),
    types.Message,
    types.MessageService,
    types.User,
    types.Channel,
)


def same(value: Any, written: Any) -> bool:
    """Whether a field's value is told by what was written for it."""
    if isinstance(value, TLObject):
        kind: Any = type(value)
        sent = {name: getattr(value, name) for name in fields_of(kind)}
        sent = {name: item for name, item in sent.items() if item is not None}
        return (
            written["_"] == kind.__name__
            and written.keys() - {"_"} == sent.keys()
            and all(same(item, written[name]) for name, item in sent.items())
        )
    if isinstance(value, list):
        return len(value) == len(written) and all(map(same, value, written))
    if isinstance(value, bytes):
        return base64.b64decode(written) == value
    if isinstance(value, datetime):
        return datetime.fromisoformat(written) == value and written.endswith("Z")
    if isinstance(value, float) and not math.isfinite(value):
        return written is None
    return type(value) is type(written) and value == written


@given(st.sampled_from(ROOTS).flatmap(objects))
@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
def test_every_field_that_was_sent_is_there(tl_object: TL) -> None:
    raw = as_raw(tl_object)
    assert b"\n" not in raw
    assert same(tl_object, json.loads(raw))


def test_what_telethon_adds_to_a_message_is_not_part_of_it() -> None:
    assert json.loads(as_raw(message("a", out=True)))["out"] is True
    assert not {"_sender_id", "action", "_client"} & json.loads(as_raw(message("a"))).keys()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\0b", '"a\\u0000b"'),
        ("a\ud800b", '"a\\ud800b"'),
        ("🙂", '"🙂"'),
        ("🙂\udfff", '"\\ud83d\\ude42\\udfff"'),
    ],
)
def test_strings_are_kept_whatever_they_hold(value: str, written: str) -> None:
    raw = as_raw(types.MessageActionChatEditTitle(title=value))
    assert raw.decode() == f'{{"_":"MessageActionChatEditTitle","title":{written}}}'


def test_integers_are_kept_whole_and_numbers_that_json_lacks_are_null() -> None:
    huge = types.InputBotInlineMessageID(dc_id=2**100, id=-(2**63), access_hash=0)
    assert json.loads(as_raw(huge))["dc_id"] == 2**100
    for number in (math.nan, math.inf):
        point = types.GeoPoint(long=number, lat=1.5, access_hash=2**70)
        assert json.loads(as_raw(point))["long"] is None
        point.access_hash = 5
        assert orjson.loads(as_raw(point)) == {
            "_": "GeoPoint",
            "long": None,
            "lat": 1.5,
            "access_hash": 5,
        }


def test_times_are_utc() -> None:
    naive = types.MessageActionGroupCallScheduled(
        call=types.InputGroupCall(1, 2),
        schedule_date=datetime(2024, 1, 1),  # noqa: DTZ001
    )
    assert json.loads(as_raw(naive))["schedule_date"] == "2024-01-01T00:00:00Z"
    naive.call.id = 2**80
    assert json.loads(as_raw(naive))["schedule_date"] == "2024-01-01T00:00:00Z"


def test_deep_objects_are_written_too() -> None:
    text: TL = types.TextPlain("x")
    for _ in range(300):
        text = types.TextBold(text)
    assert as_raw(text).count(b"TextBold") == 300


def test_a_copy_for_records_has_no_nul_and_no_lone_surrogate() -> None:
    action = types.MessageActionPollAppendAnswer(
        answer=types.PollAnswer(types.TextWithEntities("a\0\ud800b", []), b"\0")
    )
    dirty = message("x\0", media=None, reply_markup=action, date=datetime(2024, 1, 1, tzinfo=UTC))
    assert may_be_unstorable(as_raw(dirty))
    clean = storable_copy(dirty)
    assert clean.message == "x\ufffd"
    assert clean.reply_markup.answer.text.text == "a\ufffd\ufffdb"
    assert clean.reply_markup.answer.option == b"\0"
    assert dirty.message == "x\0"
    assert not may_be_unstorable(as_raw(clean))


def test_plain_fields_hold_what_a_record_can() -> None:
    action = types.MessageActionPhoneCall(call_id=2**70, reason=types.PhoneCallDiscardReasonBusy())
    fields = plain_fields(action)
    assert fields == {"call_id": float(2**70), "reason": {"_": "PhoneCallDiscardReasonBusy"}}
