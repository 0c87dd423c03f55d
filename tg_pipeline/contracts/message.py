"""The message: one sighting of one Telegram message, whatever source saw it."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from tg_pipeline.contracts.types import (
    SCHEMA_VERSION,
    Contract,
    Count,
    Digest,
    Id,
    Source,
    UtcDatetime,
)


class Kind(StrEnum):
    """What Telegram calls a message, a service message, or one its client could not show."""

    MESSAGE = "message"
    SERVICE = "service"
    UNSUPPORTED = "unsupported"


class DatePrecision(StrEnum):
    """How sure the date is. Later members are surer."""

    AMBIGUOUS = "ambiguous"
    """That local time occurred twice, when clocks were set back; the earlier one is kept."""
    ZONE_GIVEN = "zone_given"
    """A local time, read with the zone the user named."""
    EXACT = "exact"
    """Unix time, or a date with its offset."""

    @property
    def rank(self) -> int:
        """0 for ambiguous, 2 for exact."""
        return list(DatePrecision).index(self)


class Entity(Contract):
    """A formatted stretch of text; offset and length count Unicode code points."""

    type: str = Field(description="Telegram Desktop's name: bold, text_link, custom_emoji, …")
    offset: int = Field(ge=0)
    length: int = Field(ge=0)
    url: str | None = None
    user_id: Id | None = None
    language: str | None = None
    document_id: str | None = Field(None, description="custom emoji; a running number in exports")
    collapsed: bool | None = None


class Forward(Contract):
    """Where a forwarded message came from, as far as the source tells."""

    from_id: Id | None = None
    from_name: str | None = None
    message_id: Id | None = None
    date: UtcDatetime | None = None


class Action(Contract):
    """What a service message announces; `fields` are the action's own."""

    type: str
    title: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict)


class Media(Contract):
    """What is attached. `type` uses Telegram Desktop's vocabulary."""

    type: str
    mime_type: str | None = None
    file_name: str | None = None
    size: Id | None = Field(None, description="bytes")
    width: int | None = Field(None, description="pixels")
    height: int | None = Field(None, description="pixels")
    duration: int | None = Field(None, description="seconds")
    remote_id: str | None = None
    path: str | None = Field(None, description="in the export folder")
    missing_reason: str | None = None


class PollAnswer(Contract):
    """One answer of a poll, with its votes where they are known."""

    text: str
    voters: int | None = None
    chosen: bool | None = None


class Poll(Contract):
    """A poll; question and answers are content, votes are engagement."""

    question: str
    closed: bool | None = None
    total_voters: int | None = None
    answers: tuple[PollAnswer, ...] = ()


class Reaction(Contract):
    """How often one reaction was given."""

    type: str = Field(description="emoji, custom_emoji or paid")
    emoji: str | None = None
    document_id: str | None = None
    count: int


def _raw_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError("raw is the source's record as JSON bytes")


RawJson = Annotated[
    bytes,
    BeforeValidator(_raw_bytes),
    PlainSerializer(lambda raw: raw.decode("utf-8", "replace"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "object", "description": "the source's own record, untouched"}),
]


class Message(Contract):
    """One message as one source saw it at one time. All times are UTC."""

    record: Literal["message"] = "message"
    schema_version: Literal["1.0"] = SCHEMA_VERSION
    source: Source
    account_id: Id = Field(ge=0, description="whose numbering id is; 0 where the chat's own")
    entity_id: Id = Field(description="marked peer id of the chat")
    id: Id = Field(description="negative for history from before a group became a supergroup")
    date: UtcDatetime
    date_precision: DatePrecision
    kind: Kind
    sender_id: Id | None = Field(None, description="marked peer id")
    post_author: str | None = None
    via_bot_id: Id | None = None
    text: str = ""
    entities: tuple[Entity, ...] = ()
    reply_to_id: Id | None = None
    reply_to_entity_id: Id | None = Field(None, description="set when the reply leads elsewhere")
    thread_id: Id | None = Field(None, description="forum topic or comment root")
    grouped_id: Id | None = Field(None, description="album")
    forward: Forward | None = None
    edited_at: UtcDatetime | None = None
    action: Action | None = None
    media_meta: Media | None = None
    poll: Poll | None = None
    reactions: tuple[Reaction, ...] | None = Field(None, description="null: not observed")
    views: Count | None = None
    forwards: Count | None = None
    replies: Count | None = None
    content_hash: Digest | None = Field(None, description="null for unsupported messages")
    observed_at: UtcDatetime
    raw: RawJson

    @model_validator(mode="after")
    def _hash_unless_unsupported(self) -> Self:
        if (self.content_hash is None) != (self.kind is Kind.UNSUPPORTED):
            raise ValueError("content_hash is present exactly where the message is supported")
        return self
