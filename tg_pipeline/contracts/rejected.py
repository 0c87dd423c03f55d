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

    record: Literal["rejected"] = Field("rejected", description="what the object is")
    schema_version: Literal["1.0"] = Field(SCHEMA_VERSION, description="of this contract")
    source: Source = Field(description="where it came from")
    entity_id: Id = Field(description="marked peer id of the chat")
    account_id: Id = Field(ge=0, description="whose numbering id is; 0 where the chat's own")
    id: Id | None = Field(None, description="message id, where it could be read")
    reason: str = Field(description="stable code, such as missing_date")
    detail: str = Field(description="for people")
    place: str = Field(description="where in the input: file name and byte offset")
    observed_at: UtcDatetime = Field(description="time of the sighting")
    raw: OwnBytes = Field(description="its bytes as they stood in the input")
