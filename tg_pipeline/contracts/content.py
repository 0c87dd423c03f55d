"""The content hash: equal for equal content, whichever source showed it.

SHA-256 of compact UTF-8 JSON `[1, text, links, media, action, poll]`. Telethon and Telegram
Desktop give the same value for the same content, so only what both tell is in it: no media ids,
no display names, no formatting but links; and nothing that changes without an edit.
"""

import hashlib
from collections.abc import Iterable

import orjson

from tg_pipeline.contracts.message import Action, Entity, Media, Poll

VERSION = 1
_NOT_CONTENT = {"web_page", "dice", "story"}
_LINK_VALUE = {"text_link": "url", "mention_name": "user_id"}


def content_hash(
    text: str,
    entities: Iterable[Entity],
    media: Media | None,
    action: Action | None,
    poll: Poll | None,
) -> bytes:
    """Hash a message's content; 32 bytes. Text is neither trimmed nor normalised."""
    content = [
        VERSION,
        text.replace("\0", "\ufffd"),
        _links(entities),
        media.type if media and media.type not in _NOT_CONTENT else None,
        [action.type, action.title] if action else None,
        [poll.question, [answer.text for answer in poll.answers]] if poll else None,
    ]
    return hashlib.sha256(orjson.dumps(content)).digest()


def _links(entities: Iterable[Entity]) -> list[list[object]]:
    """Links as `[offset, length, type, target]`.

    Telegram Desktop drops an entity that starts inside one it kept, so they are dropped here too.
    """
    links: list[list[object]] = []
    end = 0
    for entity in entities:
        if entity.offset < end:
            continue
        end = entity.offset + entity.length
        if value := _LINK_VALUE.get(entity.type):
            links.append([entity.offset, entity.length, entity.type, getattr(entity, value)])
    return links
