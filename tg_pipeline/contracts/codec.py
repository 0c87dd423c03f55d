"""Records as JSON lines and back.

A line is the record's contract as compact JSON with `raw` last, spliced in as the source's own
bytes, so that nothing a source said is reinterpreted on the way. Because `,"raw":` cannot occur
inside a JSON string, and a key of that name in an action is written with an escape, its first
occurrence is where the splice begins, and loading never has to parse what it only passes on.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from tg_pipeline.contracts.chat import Chat, Participant
from tg_pipeline.contracts.message import Message
from tg_pipeline.contracts.rejected import Rejected
from tg_pipeline.contracts.types import SCHEMA_VERSION
from tg_pipeline.errors import ContractTooNew

Record = Message | Chat | Participant | Rejected
Fields = dict[str, Any]
Upcaster = Callable[[Fields], Fields]

_RAW = b',"raw":'
_RAW_WITHIN = b',"\\u0072aw":'
"""The same key, spelt so that the splice is not mistaken: some action may have a field `raw`."""
_MODELS: dict[str, type[Record]] = {
    "message": Message,
    "chat": Chat,
    "participant": Participant,
    "rejected": Rejected,
}
UPCASTERS: dict[str, tuple[str, Upcaster]] = {}
"""From an older schema_version to the next one and the function that gets a record there."""


def encode(record: Record) -> bytes:
    """One line without its newline; `raw` is last."""
    fields = dict(record.__dict__)
    raw = fields.pop("raw", None)
    head = orjson.dumps(fields, default=_plain, option=orjson.OPT_UTC_Z).replace(_RAW, _RAW_WITHIN)
    if raw is None:
        return head
    tail = raw if isinstance(record, Message) else b'"' + base64.b64encode(raw) + b'"'
    return head[:-1] + _RAW + tail + b"}"


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return {name: item for name, item in value.__dict__.items() if item is not None}
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value)} has no place in a record")


def split(line: bytes) -> tuple[Fields, bytes]:
    """A trusted line as its fields and its raw bytes (empty where the record has none)."""
    at = line.find(_RAW)
    if at < 0:
        return orjson.loads(line), b""
    fields: Fields = orjson.loads(line[:at] + b"}")
    raw = line[at + len(_RAW) : -1]
    return fields, raw if fields["record"] == "message" else base64.b64decode(raw[1:-1])


def decode(line: bytes, place: str) -> Record:
    """Read and validate a line of any known schema_version.

    Raises:
        ContractTooNew: the record was written by a newer version.
        ValidationError: it does not keep its contract.
    """
    fields, raw = split(line)
    fields = upcast(fields, place)
    if raw or fields["record"] == "rejected":
        fields["raw"] = raw
    if isinstance(digest := fields.get("content_hash"), str):
        fields["content_hash"] = bytes.fromhex(digest)
    return _MODELS[fields["record"]].model_validate(fields)


def upcast(fields: Fields, place: str) -> Fields:
    """Lift a record to the present schema_version, step by step."""
    while (version := fields["schema_version"]) != SCHEMA_VERSION:
        if version not in UPCASTERS:
            raise ContractTooNew(place, version, SCHEMA_VERSION)
        newer, lift = UPCASTERS[version]
        fields = {**lift(fields), "schema_version": newer}
    return fields


def parse_time(text: str) -> datetime:
    """A time as `encode` writes it."""
    return datetime.fromisoformat(text)


__all__ = [
    "UPCASTERS",
    "Fields",
    "Record",
    "ValidationError",
    "decode",
    "encode",
    "parse_time",
    "split",
    "upcast",
]
