"""Manifests: what a landed batch and a landed file say of themselves."""

from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from tg_pipeline.contracts.types import SCHEMA_VERSION, Contract, Id, Source, UtcDatetime


class IdRange(Contract):
    """Message ids from `low` to `high`, both included."""

    account_id: Id = Field(description="whose numbering the ids are; 0 where the chat's own")
    low: Id = Field(description="first id, included")
    high: Id = Field(description="last id, included")


class Origin(Contract):
    """What a batch was made from: a file read with options, or answers of Telegram."""

    file_name: str = Field(description="without its folder; telegram for answers")
    file_sha256: str = Field(description="of its bytes, or of the answers as spooled, in hex")
    options: dict[str, str | int | bool | None] = Field(
        default_factory=dict, description="how it was read"
    )


class BatchManifest(Contract):
    """Written last; only a batch with a manifest exists."""

    schema_version: str = Field(SCHEMA_VERSION, description="of the records")
    batch: str = Field(description="its name")
    source: Source = Field(description="of its records")
    entity_id: Id = Field(description="marked peer id of the chat")
    account_id: Id = Field(
        description="whose account numbers the chat's messages; 0 where the chat does"
    )
    timezone: Literal["UTC"] = Field("UTC", description="of all times")
    supplier: str | None = Field(None, description="label of whoever gave the file")
    messages: int = Field(description="how many")
    rejected: int = Field(description="records that could not be understood")
    participants: int = Field(description="people whose names it shows")
    per_day: dict[date, int] = Field(description="messages by UTC day")
    first_date: UtcDatetime | None = Field(description="earliest message")
    last_date: UtcDatetime | None = Field(description="latest message")
    first_id: Id | None = Field(description="least message id")
    last_id: Id | None = Field(description="greatest message id")
    complete: tuple[IdRange, ...] = Field((), description="ids this observation covers whole")
    fetched: tuple[IdRange, ...] = Field(
        (), description="ids that Telegram was asked for; a fetch goes on outside of them"
    )
    observed_at: UtcDatetime = Field(description="time of its sightings")
    sha256: str = Field(description="of the compressed file")
    bytes: int = Field(description="of the compressed file")
    origin: Origin = Field(description="what it was made from")
    created_at: UtcDatetime = Field(description="when it was landed")
    tool_version: str = Field(description="of tg-pipeline")


class FileOutcome(StrEnum):
    """What became of one input file."""

    IMPORTED = "imported"
    PARTIAL = "partial"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class FileManifest(Contract):
    """One input file as it was landed; `landed` is false until all its batches are."""

    schema_version: str = Field(SCHEMA_VERSION, description="of the records")
    file_name: str = Field(description="without its folder")
    sha256: str = Field(description="of its bytes, in hex")
    bytes: int = Field(description="its size")
    options: dict[str, Any] = Field(description="how it was read")
    landed: bool = Field(False, description="whether all its batches are landed")
    outcome: FileOutcome | None = Field(None, description="null: not finished")
    reason: str | None = Field(None, description="why it is partial")
    batches: tuple[str, ...] = Field((), description="as chat/batch")
    read: int = Field(0, description="records")
    rejected: int = Field(0, description="records in quarantine")
    repaired: int = Field(0, description="records whose JSON was mended")
    observed_at: UtcDatetime | None = Field(None, description="newest time in the file")
    created_at: UtcDatetime = Field(description="when it was landed")
    tool_version: str = Field(description="of tg-pipeline")
