"""Manifests: what a landed batch and a landed file say of themselves."""

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from tg_pipeline.contracts.types import SCHEMA_VERSION, Contract, Id, Source, UtcDatetime


class IdRange(Contract):
    """Message ids from `low` to `high`, both included."""

    account_id: Id
    low: Id
    high: Id


class Origin(Contract):
    """What a batch was made from: a file and the options it was read with."""

    file_name: str
    file_sha256: str
    options: dict[str, str | int | bool | None] = Field(default_factory=dict)


class BatchManifest(Contract):
    """Written last; only a batch with a manifest exists."""

    schema_version: str = SCHEMA_VERSION
    batch: str
    source: Source
    entity_id: Id
    account_id: Id
    timezone: Literal["UTC"] = "UTC"
    supplier: str | None = None
    messages: int
    rejected: int
    participants: int
    per_day: dict[date, int]
    first_date: UtcDatetime | None
    last_date: UtcDatetime | None
    first_id: Id | None
    last_id: Id | None
    complete: tuple[IdRange, ...] = Field((), description="ids this observation covers whole")
    observed_at: UtcDatetime
    sha256: str = Field(description="of the compressed file")
    bytes: int
    origin: Origin
    created_at: UtcDatetime
    tool_version: str


class FileOutcome(StrEnum):
    """What became of one input file."""

    IMPORTED = "imported"
    PARTIAL = "partial"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class FileManifest(Contract):
    """One input file as it was landed; `landed` is false until all its batches are."""

    schema_version: str = SCHEMA_VERSION
    file_name: str
    sha256: str
    bytes: int
    options: dict[str, Any]
    landed: bool = False
    outcome: FileOutcome | None = None
    reason: str | None = None
    batches: tuple[str, ...] = Field((), description="as chat/batch")
    read: int = 0
    rejected: int = 0
    repaired: int = 0
    observed_at: UtcDatetime | None = None
    created_at: UtcDatetime
    tool_version: str
