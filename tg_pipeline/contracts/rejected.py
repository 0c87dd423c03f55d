"""A record that could not be understood: kept with its bytes, its place and the reason."""

import base64
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, WithJsonSchema

from tg_pipeline.contracts.types import SCHEMA_VERSION, Contract, Id, Source, UtcDatetime

OwnBytes = Annotated[
    bytes,
    PlainSerializer(lambda raw: base64.b64encode(raw).decode(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}),
]
"""Bytes just as they stood in the input; base64 in JSON."""


class Rejected(Contract):
    """What goes to quarantine instead of messages; nothing read is ever dropped."""

    record: Literal["rejected"] = "rejected"
    schema_version: Literal["1.0"] = SCHEMA_VERSION
    source: Source
    entity_id: Id
    account_id: Id = Field(ge=0)
    id: Id | None = None
    reason: str = Field(description="stable code, such as missing_date")
    detail: str = Field(description="for people")
    place: str = Field(description="where in the input: file name and byte offset")
    observed_at: UtcDatetime
    raw: OwnBytes
