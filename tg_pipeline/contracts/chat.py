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

    record: Literal["chat"] = Field("chat", description="what the object is")
    schema_version: Literal["1.0"] = Field(SCHEMA_VERSION, description="of this contract")
    source: Source = Field(description="what saw it")
    entity_id: Id = Field(description="marked peer id")
    account_id: Id = Field(
        ge=0, description="whose account numbers its messages; 0 where the chat does"
    )
    type: ChatType = Field(description="what kind of chat")
    is_public: bool | None = Field(None, description="null: not told")
    title: str | None = Field(None, description="its name, which is never its identity")
    observed_at: UtcDatetime = Field(description="time of the sighting")


class Participant(Contract):
    """A display name that a source showed for a peer. Names are never identity."""

    record: Literal["participant"] = Field("participant", description="what the object is")
    schema_version: Literal["1.0"] = Field(SCHEMA_VERSION, description="of this contract")
    source: Source = Field(description="what showed it")
    participant_id: Id = Field(description="marked peer id")
    name: str = Field(description="as shown")
    observed_at: UtcDatetime = Field(description="time of the sighting")
