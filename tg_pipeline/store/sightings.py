"""Landed lines as rows for COPY: one row is one sighting of one message."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from tg_pipeline.contracts import ChatKey, DatePrecision, Source
from tg_pipeline.contracts.codec import Fields, parse_time, split
from tg_pipeline.contracts.rank import engagement_rank, rank

COLUMNS: tuple[tuple[str, str], ...] = (
    ("batch", "text"),
    ("line", "integer"),
    ("entity_id", "bigint"),
    ("account_id", "bigint"),
    ("id", "bigint"),
    ("date", "timestamptz"),
    ("date_precision", "text"),
    ("kind", "text"),
    ("sender_id", "bigint"),
    ("post_author", "text"),
    ("via_bot_id", "bigint"),
    ("text", "text"),
    ("entities", "jsonb"),
    ("reply_to_id", "bigint"),
    ("reply_to_entity_id", "bigint"),
    ("thread_id", "bigint"),
    ("grouped_id", "bigint"),
    ("forward", "jsonb"),
    ("edited_at", "timestamptz"),
    ("action", "jsonb"),
    ("media_meta", "jsonb"),
    ("poll", "jsonb"),
    ("reactions", "jsonb"),
    ("views", "integer"),
    ("forwards", "integer"),
    ("replies", "integer"),
    ("source", "text"),
    ("observed_at", "timestamptz"),
    ("content_hash", "bytea"),
    ("raw", "jsonb"),
    ("rank", "bytea"),
    ("engagement_rank", "bytea"),
    ("date_rank", "smallint"),
    ("date_source", "smallint"),
)
"""The columns of the staging table, in COPY order, with their types."""

_AS_LANDED = COLUMNS[2:-6]
"""Columns whose value is the landed field itself."""
_landed_values = itemgetter(*(name for name, _ in _AS_LANDED))
_JSONB = tuple(at for at, (_, kind) in enumerate(_AS_LANDED) if kind == "jsonb")
_TEXT = tuple(at for at, (_, kind) in enumerate(_AS_LANDED) if kind == "text")
_SOURCES = {source.value: source for source in Source}
_PRECISIONS = {precision.value: precision for precision in DatePrecision}
_PRECISION_RANKS = {precision: precision.rank for precision in DatePrecision}

# An escape in JSON text: a NUL or a surrogate, not preceded by a backslash that escapes it.
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"
_SUSPECT = re.compile(rb"\\u0000|\\u[dD][89a-fA-F]")


@dataclass(slots=True)
class Sightings:
    """What a batch holds, as it is read: sightings one by one, the small rest gathered."""

    batch: str
    key: ChatKey
    chats: list[Fields] = field(default_factory=list)
    names: dict[tuple[int, str, str], tuple[datetime, datetime]] = field(default_factory=dict)
    rejected: list[tuple[Any, ...]] = field(default_factory=list)
    read: int = 0

    def rows(self, lines: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
        """Rows for COPY in the order of COLUMNS; chats, names and rejects are kept aside."""
        for number, line in enumerate(lines, start=1):
            fields, raw = split(line)
            match fields["record"]:
                case "message":
                    self.read += 1
                    yield message_row(self.batch, number, line, fields, raw)
                case "rejected":
                    self.read += 1
                    self.rejected.append(_rejected_row(self, number, fields, raw))
                case "participant":
                    self._add_name(fields)
                case "chat":
                    self.chats.append({**fields, "sha": hashlib.sha256(line).digest()})

    def _add_name(self, fields: Fields) -> None:
        key = (fields["participant_id"], clean(fields["name"]), fields["source"])
        seen = parse_time(fields["observed_at"])
        low, high = self.names.get(key, (seen, seen))
        self.names[key] = (min(low, seen), max(high, seen))


def message_row(
    batch: str, number: int, line: bytes, fields: Fields, raw: bytes
) -> tuple[Any, ...]:
    """One sighting in the order of COLUMNS."""
    sha = hashlib.sha256(line).digest()
    source = _SOURCES[fields["source"]]
    precision = _PRECISIONS[fields["date_precision"]]
    observed_at = parse_time(fields["observed_at"])
    edited_at = fields["edited_at"]
    digest = fields["content_hash"]
    content_hash = bytes.fromhex(digest) if digest else None
    return (
        batch,
        number,
        *_values(fields, may_hold_nul=b"\\u0000" in line),
        content_hash,
        jsonb(raw),
        rank(
            exact=precision is DatePrecision.EXACT,
            edited_at=parse_time(edited_at) if edited_at else None,
            observed_at=observed_at,
            source=source,
            content_hash=content_hash,
            record_sha=sha,
        ),
        engagement_rank(observed_at=observed_at, source=source, record_sha=sha),
        _PRECISION_RANKS[precision],
        source.rank,
    )


def _values(fields: Fields, *, may_hold_nul: bool) -> list[Any]:
    """The landed fields as PostgreSQL takes them, in one go: this runs for every message."""
    values = list(_landed_values(fields))
    for at in _JSONB:
        values[at] = jsonb(orjson.dumps(values[at])) if values[at] else None
    if may_hold_nul:
        for at in _TEXT:
            values[at] = values[at] and clean(values[at])
    return values


def _rejected_row(sightings: Sightings, number: int, fields: Fields, raw: bytes) -> tuple[Any, ...]:
    """One row of the quarantine table."""
    return (
        sightings.batch,
        number,
        sightings.key.entity_id,
        sightings.key.account_id,
        fields["account_id"],
        fields["id"],
        fields["source"],
        fields["reason"],
        clean(fields["detail"]),
        clean(fields["place"]),
        raw,
        fields["observed_at"],
    )


def clean(text: str) -> str:
    """Text as PostgreSQL takes it: NUL becomes U+FFFD."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def jsonb(json: bytes) -> str:
    """JSON as jsonb takes it: NUL and lone surrogates become U+FFFD, all else stays."""
    if _SUSPECT.search(json):
        json = _without_lone_surrogates(json)
    return json.decode()


def _without_lone_surrogates(json: bytes) -> bytes:
    """Walk the escapes; a high surrogate is kept only where a low one follows at once."""
    out = bytearray()
    end = 0
    escapes = list(_ESCAPE.finditer(json))
    paired = False
    for place, escape in enumerate(escapes):
        out += json[end : escape.start()]
        end = escape.end()
        unit = int(escape[1], 16) if escape[1] else -1
        if paired:
            paired = False
            out += escape[0]
        elif 0xD800 <= unit < 0xDC00:
            paired = _low_follows(escapes, place)
            out += escape[0] if paired else _REPLACEMENT
        elif unit == 0 or 0xDC00 <= unit < 0xE000:
            out += _REPLACEMENT
        else:
            out += escape[0]
    return bytes(out + json[end:])


def _low_follows(escapes: list[re.Match[bytes]], place: int) -> bool:
    if place + 1 == len(escapes):
        return False
    this, following = escapes[place], escapes[place + 1]
    adjacent = this.end() == following.start() and following[1] is not None
    return adjacent and 0xDC00 <= int(following[1], 16) < 0xE000
