"""From Desktop's own record to a Message.

Whatever is not understood stays in `raw`; what would be guessed is left out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from tg_pipeline.contracts import (
    Action,
    Chat,
    Forward,
    Kind,
    Message,
    Poll,
    PollAnswer,
    Reaction,
    Source,
    content_hash,
)
from tg_pipeline.contracts.identity import message_account
from tg_pipeline.sources.desktop_json.dates import edited_at, message_date
from tg_pipeline.sources.desktop_json.identity import peer
from tg_pipeline.sources.desktop_json.media import media_of
from tg_pipeline.sources.desktop_json.text import joined_text, text_and_entities
from tg_pipeline.sources.unfit import Unfit

SOURCE = Source.TELEGRAM_DESKTOP_JSON
_BIGINT = 2**63
_KINDS = {kind.value: kind for kind in Kind}
_ENVELOPE = frozenset(
    {
        "id",
        "type",
        "date",
        "date_unixtime",
        "edited",
        "edited_unixtime",
        "actor",
        "actor_id",
        "from",
        "from_id",
        "author",
        "action",
        "title",
        "text",
        "text_entities",
        "reactions",
        "inline_bot_buttons",
        "reply_to_message_id",
        "reply_to_peer_id",
    }
)
"""Keys of a service message that are not its action's own."""
_CUSTOM_ACTION = "custom_action"
_REACTIONS = TypeAdapter(tuple[Reaction, ...])
"""All reactions of a message in one call: half the cost of one by one."""
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What all messages of a chat share.

    Attributes:
        chat: the chat as the file shows it.
        account_id: the account that exported it; 0 if unknown.
        zone: the zone of local times, if the user named one.
        observed_at: the file's time, UTC.
        users_only: senders can only be users, which settles old numeric ids.
    """

    chat: Chat
    account_id: int
    zone: ZoneInfo | None
    observed_at: datetime
    users_only: bool


def to_message(fields: Fields, raw: bytes, context: Context) -> Message:
    """Convert one record; `raw` is its JSON on one line.

    Raises:
        Unfit: with the reason why it cannot be a message.
    """
    message_id = _id(fields)
    kind = _kind(fields)
    if kind is Kind.UNSUPPORTED and fields.keys().isdisjoint(("date", "date_unixtime")):
        raise Unfit("unsupported_without_date", "Telegram Desktop wrote nothing but its id")
    moment = message_date(fields, context.zone)
    try:
        return Message(
            source=SOURCE,
            account_id=message_account(context.chat.entity_id, message_id, context.account_id),
            entity_id=context.chat.entity_id,
            id=message_id,
            date=moment.time,
            date_precision=moment.precision,
            kind=kind,
            edited_at=edited_at(fields, context.zone),
            observed_at=context.observed_at,
            raw=raw,
            **_author(fields, context.users_only),
            **_content(fields, kind),
        )
    except ValidationError as fault:
        raise Unfit("invalid_record", _first(fault)) from None


def _first(fault: ValidationError) -> str:
    error = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in error["loc"])
    return f"{fault.title}.{place}: {error['msg']}"


def record_id(fields: Fields) -> int | None:
    """The record's id where it is a usable one."""
    value = fields.get("id")
    return value if type(value) is int and -_BIGINT <= value < _BIGINT else None


def _id(fields: Fields) -> int:
    if fields.get("id") is None:
        raise Unfit("missing_id", "the message has no id")
    if (known := record_id(fields)) is None:
        raise Unfit("invalid_id", f"{str(fields['id'])[:40]!r} is not a 64-bit integer")
    return known


def _kind(fields: Fields) -> Kind:
    written = fields.get("type")
    if written is None:
        return Kind.SERVICE if "action" in fields else Kind.MESSAGE
    if not isinstance(written, str) or (kind := _KINDS.get(written)) is None:
        raise Unfit("unknown_type", f"messages of type {str(written)[:40]!r} are not known")
    return kind


def _author(fields: Fields, users_only: bool) -> Fields:
    """Who wrote it, in answer to what, and where it was forwarded from."""
    sender = fields.get("from_id")
    if sender is None:
        sender = fields.get("actor_id")
    author: Fields = {"sender_id": peer(sender, users_only=users_only)}
    if "author" in fields:
        author["post_author"] = fields["author"]
    if "reply_to_message_id" in fields:
        author["reply_to_id"] = fields["reply_to_message_id"]
        author["reply_to_entity_id"] = peer(fields.get("reply_to_peer_id"))
    if "thread_id" in fields:
        author["thread_id"] = fields["thread_id"]
    if "forwarded_from" in fields or "forwarded_from_id" in fields:
        author["forward"] = Forward(
            from_id=peer(fields.get("forwarded_from_id")), from_name=fields.get("forwarded_from")
        )
    elif "saved_from" in fields:
        author["forward"] = Forward(from_name=fields["saved_from"])
    return author


def _content(fields: Fields, kind: Kind) -> Fields:
    """Text, action, media, poll and reactions, and the hash over what is content in them."""
    text, entities = text_and_entities(fields)
    service = kind is Kind.SERVICE
    action = _action(fields) if service else None
    media = None if service else media_of(fields)
    poll = _poll(fields["poll"]) if fields.get("poll") is not None and not service else None
    content: Fields = {"text": text, "entities": entities}
    if action:
        content["action"] = action
    if media:
        content["media_meta"] = media
    if poll:
        content["poll"] = poll
    if fields.get("reactions") is not None:
        content["reactions"] = _reactions(fields["reactions"])
    if kind is not Kind.UNSUPPORTED:
        content["content_hash"] = content_hash(text, entities, media, action, poll)
    return content


def _action(fields: Fields) -> Action | None:
    own = {key: value for key, value in fields.items() if key not in _ENVELOPE}
    written = fields.get("action")
    if written is None:
        if "information_text" not in fields:
            return None
        written = _CUSTOM_ACTION  # Desktop writes only its text
    return Action(type=written, title=fields.get("title"), fields=own)


def _poll(written: object) -> Poll:
    known = _object(written, "poll")
    return Poll(
        question=joined_text(known.get("question")),
        closed=known.get("closed"),
        total_voters=known.get("total_voters"),
        answers=tuple(
            PollAnswer(
                text=joined_text(answer.get("text")),
                voters=answer.get("voters"),
                chosen=answer.get("chosen"),
            )
            for answer in _objects(known.get("answers") or [], "poll answers")
        ),
    )


def _reactions(written: object) -> tuple[Reaction, ...]:
    return _REACTIONS.validate_python(
        [
            {
                "type": reaction.get("type"),
                "emoji": reaction.get("emoji"),
                "document_id": reaction.get("document_id"),
                "count": reaction.get("count"),
            }
            for reaction in _objects(written, "reactions")
        ]
    )


def _objects(written: object, what: str) -> list[Fields]:
    if not isinstance(written, list):
        raise Unfit("invalid_record", f"{what}: not a list")
    return [_object(item, what) for item in written]


def _object(written: object, what: str) -> Fields:
    if not isinstance(written, dict):
        raise Unfit("invalid_record", f"{what}: not an object")
    return written
