"""From a TL message to a Message.

Where Telegram Desktop's export and Telegram's other clients differ, Desktop is followed: the same
message has to have the same content, whichever of the two showed it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError
from telethon.tl import types

from tg_pipeline.contracts import (
    DatePrecision,
    Forward,
    Kind,
    Media,
    Message,
    Poll,
    Reaction,
    Source,
    content_hash,
)
from tg_pipeline.contracts.identity import message_account
from tg_pipeline.sources.telegram.convert.actions import action_of, acts_on_another
from tg_pipeline.sources.telegram.convert.media import media_of, poll_of
from tg_pipeline.sources.telegram.convert.peers import marked
from tg_pipeline.sources.telegram.convert.raw import as_raw, may_be_unstorable, storable_copy
from tg_pipeline.sources.telegram.convert.text import entities_of
from tg_pipeline.sources.unfit import Unfit

MIGRATION_SHIFT = -1_000_000_000
"""What Telegram Desktop adds to ids of the basic group that became a supergroup."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=1)
"""Times up to here were never set."""
_REACTIONS = TypeAdapter(tuple[Reaction, ...])
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What all messages of a page share.

    Attributes:
        entity_id: marked id of the chat they belong to.
        account_id: the account that reads.
        observed_at: when it read, UTC.
        before_migration: they come from the basic group that became this supergroup.
    """

    entity_id: int
    account_id: int
    observed_at: datetime
    before_migration: bool = False


def to_message(message: Any, context: Context) -> Message:
    """Convert one message or service message.

    Raises:
        Unfit: with the reason why it cannot be a message.
    """
    if not isinstance(message, types.Message | types.MessageService):
        raise Unfit("not_a_message", f"{type(message).__name__} is not a message")
    try:
        raw = as_raw(message)
        if may_be_unstorable(raw):
            message = storable_copy(message)
        return _converted(message, raw, context)
    except ValidationError as fault:
        raise Unfit("invalid_record", _first(fault)) from None
    except (AttributeError, TypeError, ValueError, ArithmeticError, RecursionError) as fault:
        raise Unfit("invalid_record", f"{type(fault).__name__}: {fault}") from None


def _first(fault: ValidationError) -> str:
    error = fault.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in error["loc"])
    return f"{fault.title}.{place}: {error['msg']}"


def _converted(message: Any, raw: bytes, context: Context) -> Message:
    if message.date is None or message.date <= _NEVER:
        raise Unfit("missing_date", "the message has no date")
    message_id = message.id + MIGRATION_SHIFT if context.before_migration else message.id
    fields: Fields = {
        "source": Source.TELEGRAM,
        "account_id": message_account(context.entity_id, message_id, context.account_id),
        "entity_id": context.entity_id,
        "id": message_id,
        "date": message.date,
        "date_precision": DatePrecision.EXACT,
        "sender_id": _sender(message, context),
        "observed_at": context.observed_at,
        "raw": raw,
    }
    if (reply := message.reply_to) is not None:
        fields |= _reply(reply, message, context)
    if type(message) is types.MessageService:
        fields |= _announced(message.action, fields)
    else:
        fields |= _written(message)
    fields["reactions"] = _reactions(message.reactions)
    return Message.model_validate(fields)


def _sender(message: Any, context: Context) -> int | None:
    """Who sent it; where that is left out, the chat itself, or the other one of two."""
    if message.from_id is not None:
        return marked(message.from_id)
    peer = message.peer_id
    if message.out and type(peer) is types.PeerUser:
        return context.account_id
    return context.entity_id if peer is None else marked(peer)


def _reply(reply: Any, message: Any, context: Context) -> Fields:
    """In answer to what. An answer to a story or to a foreign quote alone leads to no message."""
    if type(reply) is not types.MessageReplyHeader:
        return {}
    target, root = reply.reply_to_msg_id, reply.reply_to_top_id
    if root is None and reply.forum_topic:
        root = target
    elsewhere = marked(reply.reply_to_peer_id)
    if elsewhere in {context.entity_id, marked(message.peer_id)}:
        elsewhere = None
    if context.before_migration and elsewhere is None:
        target = target and target + MIGRATION_SHIFT
    return {"reply_to_id": target, "reply_to_entity_id": elsewhere, "thread_id": root}


def _announced(announced: Any, fields: Fields) -> Fields:
    """A service message: some act on a message, which Desktop does not call a reply."""
    action = action_of(announced, fields.get("reply_to_id"))
    made: Fields = {
        "kind": Kind.SERVICE,
        "action": action,
        "content_hash": content_hash("", (), None, action, None),
    }
    if acts_on_another(announced):
        made["reply_to_id"] = None
    return made


def _written(message: Any) -> Fields:
    """What people write, and how it fares."""
    text = message.message or ""
    entities = entities_of(text, message.entities) if message.entities else ()
    made: Fields = {
        "kind": Kind.MESSAGE,
        "text": text,
        "entities": entities,
        "views": message.views,
        "forwards": message.forwards,
        "grouped_id": message.grouped_id,
        "via_bot_id": message.via_bot_id,
        "post_author": message.post_author or None,
    }
    media: Media | None = None
    poll: Poll | None = None
    if (attached := message.media) is not None:
        made["media_meta"] = media = media_of(attached)
        if type(attached) is types.MessageMediaPoll:
            made["poll"] = poll = poll_of(attached)
    if message.replies is not None:
        made["replies"] = message.replies.replies
    if (edited := message.edit_date) is not None and edited > _NEVER:
        made["edited_at"] = edited
    if message.fwd_from is not None:
        made["forward"] = _forward(message.fwd_from)
    if type(attached) is types.MessageMediaUnsupported:
        made["kind"] = Kind.UNSUPPORTED
    else:
        made["content_hash"] = content_hash(text, entities, media, None, poll)
    return made


def _forward(header: Any) -> Forward:
    """Where it came from; in saved messages the original sender may stand apart."""
    origin = marked(header.from_id) or marked(header.saved_from_id)
    number = header.channel_post
    if number is None and marked(header.saved_from_peer) in {origin, None}:
        number = header.saved_from_msg_id
    return Forward(
        from_id=origin,
        from_name=header.from_name or header.saved_from_name or None,
        message_id=number,
        date=header.date,
    )


def _reactions(reactions: Any) -> tuple[Reaction, ...]:
    """In Telegram's order; a message without any has none."""
    if reactions is None:
        return ()
    return _REACTIONS.validate_python([_reaction(count) for count in reactions.results])


def _reaction(counted: Any) -> Fields:
    reaction = counted.reaction
    kind = type(reaction)
    if kind is types.ReactionEmoji:
        return {"type": "emoji", "emoji": reaction.emoticon, "count": counted.count}
    if kind is types.ReactionCustomEmoji:
        number = str(reaction.document_id)
        return {"type": "custom_emoji", "document_id": number, "count": counted.count}
    return {
        "type": "paid" if kind is types.ReactionPaid else "empty",
        "count": counted.count,
    }
