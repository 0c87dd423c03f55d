"""The JSON Schemas in the repository are those of the contracts, and what we write keeps them."""

import json
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from tg_pipeline.contracts import (
    BatchManifest,
    FileManifest,
    FileOutcome,
    IdRange,
    Message,
    Origin,
    Record,
    Rejected,
    Source,
    encode,
    schema,
)
from tg_pipeline_tests.contracts import strategies

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
BATCH = BatchManifest(
    batch="0123456789abcdef-00001",
    source=Source.TELEGRAM_DESKTOP_JSON,
    entity_id=-1001613744721,
    account_id=0,
    messages=2,
    rejected=0,
    participants=1,
    per_day={date(2024, 1, 1): 2},
    first_date=NOON,
    last_date=NOON,
    first_id=1,
    last_id=2,
    complete=(IdRange(account_id=0, low=1, high=2),),
    observed_at=NOON,
    sha256="0" * 64,
    bytes=100,
    origin=Origin(file_name="result.json", file_sha256="1" * 64, options={"timezone": None}),
    created_at=NOON,
    tool_version="0.1.0",
)
FILE = FileManifest(
    file_name="result.json",
    sha256="1" * 64,
    bytes=1000,
    options={"timezone": "Europe/Berlin"},
    landed=True,
    outcome=FileOutcome.IMPORTED,
    batches=("-1001613744721/0123456789abcdef-00001",),
    read=2,
    observed_at=NOON,
    created_at=NOON,
    tool_version="0.1.0",
)


@cache
def validator(name: str) -> Draft202012Validator:
    held: dict[str, Any] = json.loads(schema.path(name).read_text("utf-8"))
    Draft202012Validator.check_schema(held)
    return Draft202012Validator(held, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_schemas_are_up_to_date() -> None:
    assert schema.stale() == [], "run `make schemas`"


def test_check_names_the_stale_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.write(tmp_path)
    assert schema.stale(tmp_path) == []

    schema.path("chat", tmp_path).write_text("{}")
    schema.path("message", tmp_path).unlink()
    schema.path("left_over", tmp_path).write_text("{}")
    assert schema.stale(tmp_path) == [
        "chat.schema.json",
        "left_over.schema.json",
        "message.schema.json",
    ]


def test_the_command_checks_and_refuses_what_it_does_not_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert schema.main(["--check"]) == 0
    assert schema.main(["--chekc"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("name", schema.CONTRACTS)
def test_each_schema_names_itself_and_its_dialect(name: str) -> None:
    held = json.loads(schema.path(name).read_text("utf-8"))

    assert held["$id"] == f"tg_pipeline/{name}/1.0"
    assert held["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert held["additionalProperties"] is False


@given(strategies.records)
def test_encoded_records_keep_their_schema(record: Record) -> None:
    validator(record.record).validate(json.loads(encode(record)))


@pytest.mark.parametrize(("name", "manifest"), [("batch_manifest", BATCH), ("file_manifest", FILE)])
def test_manifests_keep_their_schema(name: str, manifest: BatchManifest | FileManifest) -> None:
    written = manifest.model_dump_json(indent=1)

    validator(name).validate(json.loads(written))
    assert type(manifest).model_validate_json(written) == manifest


@pytest.mark.parametrize("record", [Message, Rejected])
def test_raw_and_hash_are_in_the_schema_although_they_are_bytes(record: type[Record]) -> None:
    name = record.model_fields["record"].default
    held = json.loads(schema.path(name).read_text("utf-8"))
    assert held["properties"].keys() == record.model_fields.keys()
