"""Formatting of a text: from UTF-16 units, which Telegram counts in, to code points."""

import re
from bisect import bisect_left
from typing import Any

from pydantic import TypeAdapter
from telethon.tl import types

from tg_pipeline.contracts import Entity

_UNKNOWN = "unknown"
"""What Telegram Desktop calls formatting that it has no name for."""
NAMES: dict[type, str] = {
    types.MessageEntityMention: "mention",
    types.MessageEntityHashtag: "hashtag",
    types.MessageEntityBotCommand: "bot_command",
    types.MessageEntityUrl: "link",
    types.MessageEntityEmail: "email",
    types.MessageEntityBold: "bold",
    types.MessageEntityItalic: "italic",
    types.MessageEntityCode: "code",
    types.MessageEntityPre: "pre",
    types.MessageEntityTextUrl: "text_link",
    types.MessageEntityMentionName: "mention_name",
    types.InputMessageEntityMentionName: "mention_name",
    types.MessageEntityPhone: "phone",
    types.MessageEntityCashtag: "cashtag",
    types.MessageEntityUnderline: "underline",
    types.MessageEntityStrike: "strikethrough",
    types.MessageEntityBlockquote: "blockquote",
    types.MessageEntityBankCard: "bank_card",
    types.MessageEntitySpoiler: "spoiler",
    types.MessageEntityCustomEmoji: "custom_emoji",
}
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_ENTITIES = TypeAdapter(tuple[Entity, ...])


def entities_of(text: str, listed: list[Any]) -> tuple[Entity, ...]:
    """Entities in code points, in the order Telegram lists them.

    Telegram Desktop takes no notice of empty ones and of those that end beyond the text's length
    in bytes; they are dropped here, too. One that ends beyond the text otherwise ends with it.
    """
    pairs = [match.start() + before for before, match in enumerate(_ASTRAL.finditer(text))]
    units = len(text) + len(pairs)
    made: list[dict[str, Any]] = []
    for entity in listed:
        start, end = entity.offset, entity.offset + entity.length
        if end > units:
            if end > len(text.encode("utf-8", "replace")):
                continue
            end = units
        if pairs:
            start -= bisect_left(pairs, start)
            end -= bisect_left(pairs, end)
        if end > start >= 0:
            made.append(_described(entity, start, end - start))
    return _ENTITIES.validate_python(made) if made else ()


def plain_text(value: Any) -> str:
    """The text of a TextWithEntities, or of what older layers have in its place."""
    return value if isinstance(value, str) else value.text


def _described(entity: Any, offset: int, length: int) -> dict[str, Any]:
    name = NAMES.get(type(entity), _UNKNOWN)
    made: dict[str, Any] = {"type": name, "offset": offset, "length": length}
    if name == "text_link":
        made["url"] = entity.url
    elif name == "custom_emoji":
        made["document_id"] = str(entity.document_id)
    elif name == "pre":
        made["language"] = entity.language or None
    elif name == "blockquote":
        made["collapsed"] = bool(entity.collapsed)
    elif name == "mention_name":
        user = entity.user_id
        made["user_id"] = user if isinstance(user, int) else user.user_id
    return made
