"""Chats and the names of people, as a source showed them at one time."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from tg_pipeline.contracts.types import SCHEMA_VERSION, Contract, Id, Source, UtcDatetime


class ChatType(StrEnum):
    """What kind of peer a chat is."""

    PRIVATE = "private"
    BOT = "bot"
    SAVED = "saved"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"
    UNKNOWN = "unknown"


class Chat(Contract):
    """One sighting of a chat's own facts."""

    record: Literal["chat"] = "chat"
    schema_version: Literal["1.0"] = SCHEMA_VERSION
    source: Source
    entity_id: Id
    account_id: Id = Field(ge=0)
    type: ChatType
    is_public: bool | None = None
    title: str | None = None
    observed_at: UtcDatetime


class Participant(Contract):
    """A display name that a source showed for a peer. Names are never identity."""

    record: Literal["participant"] = "participant"
    schema_version: Literal["1.0"] = SCHEMA_VERSION
    source: Source
    participant_id: Id = Field(description="marked peer id")
    name: str
    observed_at: UtcDatetime
