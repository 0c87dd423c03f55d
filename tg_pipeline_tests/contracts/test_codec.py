"""Records survive their line: every field equal, `raw` byte for byte."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given

from tg_pipeline.contracts import (
    Action,
    Kind,
    Message,
    Participant,
    Record,
    Rejected,
    Source,
    codec,
)
from tg_pipeline.contracts.codec import decode, encode, split
from tg_pipeline.errors import ContractTooNew
from tg_pipeline_tests.contracts import strategies

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
SERVICE = Message(
    source=Source.TELEGRAM_DESKTOP_JSON,
    account_id=0,
    entity_id=-1001613744721,
    id=1,
    date=NOON,
    date_precision="exact",
    kind=Kind.SERVICE,
    action=Action(type="novel", fields={"first": 1, "raw": {"a": 1, "raw": 2}}),
    content_hash=bytes(32),
    observed_at=NOON,
    raw=b'{"id":1,"first":1,"raw":{"a":1,"raw":2}}',
)
EMPTY = Rejected(
    source=Source.TELEGRAM_DESKTOP_JSON,
    entity_id=1,
    account_id=2,
    reason="not_an_object",
    detail="",
    place="result.json:0",
    observed_at=NOON,
    raw=b"",
)


@given(strategies.records)
@example(SERVICE)  # an action with a field `raw` once ended the record there
@example(EMPTY)  # once came back without its raw
def test_every_record_comes_back_equal(record: Record) -> None:
    line = encode(record)

    assert b"\n" not in line
    assert decode(line, "here") == record


@given(strategies.messages)
@example(SERVICE)
def test_raw_is_spliced_in_untouched(message: Message) -> None:
    line = encode(message)

    assert split(line)[1] == message.raw
    assert line.endswith(b',"raw":' + message.raw + b"}")


@given(strategies.records)
def test_a_line_is_json_with_the_fields_of_its_contract(record: Record) -> None:
    assert json.loads(encode(record)).keys() == type(record).model_fields.keys()


def test_an_older_record_is_lifted_to_the_present_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(fields: codec.Fields) -> codec.Fields:
        return {("name" if key == "display_name" else key): fields[key] for key in fields}

    monkeypatch.setitem(
        codec.UPCASTERS, "0.8", ("0.9", lambda fields: {**fields, "source": "telegram"})
    )
    monkeypatch.setitem(codec.UPCASTERS, "0.9", ("1.0", renamed))
    older = (
        b'{"record":"participant","schema_version":"0.8","source":"tg","participant_id":7,'
        b'"display_name":"Ada","observed_at":"2024-01-01T12:00:00Z"}'
    )

    assert decode(older, "batch x") == Participant(
        source=Source.TELEGRAM, participant_id=7, name="Ada", observed_at=NOON
    )


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_a_newer_record_is_refused_by_name(version: str) -> None:
    line = encode(SERVICE).replace(
        b'"schema_version":"1.0"', f'"schema_version":"{version}"'.encode()
    )

    with pytest.raises(ContractTooNew, match=f"batch x has schema_version {version}"):
        decode(line, "batch x")
