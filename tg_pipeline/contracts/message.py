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
    offset: int = Field(ge=0, description="first code point")
    length: int = Field(ge=0, description="code points")
    url: str | None = Field(None, description="of a text_link")
    user_id: Id | None = Field(None, description="of a mention_name")
    language: str | None = Field(None, description="of a pre")
    document_id: str | None = Field(None, description="custom emoji; a running number in exports")
    collapsed: bool | None = Field(None, description="of a blockquote")


class Forward(Contract):
    """Where a forwarded message came from, as far as the source tells."""

    from_id: Id | None = Field(None, description="marked peer id of the origin")
    from_name: str | None = Field(None, description="its name, as shown")
    message_id: Id | None = Field(None, description="id at the origin")
    date: UtcDatetime | None = Field(None, description="when the origin was sent")


class Action(Contract):
    """What a service message announces; `fields` are the action's own."""

    type: str = Field(description="Telegram Desktop's name: pin_message, create_group, …")
    title: str | None = Field(None, description="of a group, topic or similar")
    fields: dict[str, Any] = Field(
        default_factory=dict, description="all else that the source tells of it"
    )


class Media(Contract):
    """What is attached. `type` uses Telegram Desktop's vocabulary."""

    type: str = Field(description="photo, video_file, voice_message, sticker, …")
    mime_type: str | None = Field(None, description="MIME type")
    file_name: str | None = Field(None, description="as the sender named it")
    size: Id | None = Field(None, description="bytes")
    width: int | None = Field(None, description="pixels")
    height: int | None = Field(None, description="pixels")
    duration: int | None = Field(None, description="seconds")
    remote_id: str | None = Field(None, description="the source's id of the file")
    path: str | None = Field(None, description="in the export folder")
    missing_reason: str | None = Field(None, description="why there is no file")


class PollAnswer(Contract):
    """One answer of a poll, with its votes where they are known."""

    text: str = Field(description="as shown")
    voters: int | None = Field(None, description="null: not known")
    chosen: bool | None = Field(None, description="by the exporting account")


class Poll(Contract):
    """A poll; question and answers are content, votes are engagement."""

    question: str = Field(description="as shown")
    closed: bool | None = Field(None, description="null: not known")
    total_voters: int | None = Field(None, description="null: not known")
    answers: tuple[PollAnswer, ...] = Field((), description="in order")


class Reaction(Contract):
    """How often one reaction was given."""

    type: str = Field(description="emoji, custom_emoji or paid")
    emoji: str | None = Field(None, description="of type emoji")
    document_id: str | None = Field(None, description="custom emoji; a running number in exports")
    count: int = Field(description="how often")


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

    record: Literal["message"] = Field("message", description="what the object is")
    schema_version: Literal["1.0"] = Field(SCHEMA_VERSION, description="of this contract")
    source: Source = Field(description="what saw it")
    account_id: Id = Field(ge=0, description="whose numbering id is; 0 where the chat's own")
    entity_id: Id = Field(description="marked peer id of the chat")
    id: Id = Field(description="negative for history from before a group became a supergroup")
    date: UtcDatetime = Field(description="when it was sent")
    date_precision: DatePrecision = Field(description="how sure the date is")
    kind: Kind = Field(description="message, service or unsupported")
    sender_id: Id | None = Field(None, description="marked peer id")
    post_author: str | None = Field(None, description="signature of a channel post")
    via_bot_id: Id | None = Field(None, description="bot that made the message")
    text: str = Field("", description="plain text; empty where there is none")
    entities: tuple[Entity, ...] = Field((), description="formatted stretches of text")
    reply_to_id: Id | None = Field(None, description="message this one answers")
    reply_to_entity_id: Id | None = Field(None, description="set when the reply leads elsewhere")
    thread_id: Id | None = Field(None, description="forum topic or comment root")
    grouped_id: Id | None = Field(None, description="album")
    forward: Forward | None = Field(None, description="where it was forwarded from")
    edited_at: UtcDatetime | None = Field(None, description="last edit; null: never, or not told")
    action: Action | None = Field(None, description="what a service message announces")
    media_meta: Media | None = Field(None, description="what is attached; null: nothing")
    poll: Poll | None = Field(None, description="question, answers, votes")
    reactions: tuple[Reaction, ...] | None = Field(None, description="null: not observed")
    views: Count | None = Field(None, description="null: not observed")
    forwards: Count | None = Field(None, description="times forwarded; null: not observed")
    replies: Count | None = Field(None, description="replies or comments; null: not observed")
    content_hash: Digest | None = Field(
        None, description="SHA-256, 64 hex digits; null for unsupported messages"
    )
    observed_at: UtcDatetime = Field(description="time of the sighting")
    raw: RawJson

    @model_validator(mode="after")
    def _hash_unless_unsupported(self) -> Self:
        if (self.content_hash is None) != (self.kind is Kind.UNSUPPORTED):
            raise ValueError("content_hash is present exactly where the message is supported")
        return self
