"""The building blocks all records share: strictness, 64-bit ids, UTC times, source ranks."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

SCHEMA_VERSION: Final = "1.0"


class Source(StrEnum):
    """Where a sighting comes from. A live answer outranks a JSON export."""

    TELEGRAM = "telegram"
    TELEGRAM_DESKTOP_JSON = "telegram_desktop_json"

    @property
    def rank(self) -> int:
        """Greater wins where two sightings are otherwise equal."""
        return _RANKS[self]


_RANKS = {Source.TELEGRAM: 3, Source.TELEGRAM_DESKTOP_JSON: 2}


def _to_utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


Id = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""A Telegram id; PostgreSQL's bigint holds it."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""How many; PostgreSQL's integer holds it."""

UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An aware time, kept in UTC whatever zone it arrived in."""

Digest = Annotated[
    bytes,
    Field(min_length=32, max_length=32, json_schema_extra={"pattern": "^[0-9a-f]{64}$"}),
    PlainSerializer(bytes.hex, return_type=str, when_used="json"),
]
"""A SHA-256, 32 bytes; 64 hex digits in JSON."""


class Contract(BaseModel):
    """Base of all records: frozen, and nothing unknown slips in."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
