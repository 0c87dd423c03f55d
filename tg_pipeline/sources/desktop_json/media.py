"""What is attached to a message, in Desktop's vocabulary."""

import re
from typing import Any

from tg_pipeline.contracts import Media

_NOTE = re.compile(r"\(((?:File|Photo) [^()]*)\)\s*$")
"""Written in place of a path, at times after a name: why the file is not there."""

_MARKS = {
    "contact_information": "contact",
    "contact_vcard": "contact",
    "place_name": "venue",
    "location_information": "location",
    "live_location_period_seconds": "location",
    "game_title": "game",
    "game_link": "game",
    "invoice_information": "invoice",
    "giveaway_information": "giveaway",
    "giveaway_results": "giveaway_results",
    "todo_list": "todo_list",
    "paid_stars_amount": "paid_media",
}
"""The key that gives each kind away; earlier ones win. A poll is a field of its own."""


def media_of(fields: dict[str, Any]) -> Media | None:
    """A message's media; None if it has none. Sizes are bytes, duration is seconds."""
    if "photo" in fields:
        return _file(fields, "photo", "photo", size="photo_file_size")
    if "file" in fields or "media_type" in fields:
        return _file(fields, fields.get("media_type") or "file", "file", size="file_size")
    for key, kind in _MARKS.items():
        if key in fields:
            if kind == "contact":
                return _file(fields, kind, "contact_vcard", size="contact_vcard_file_size")
            return Media(type=kind)
    return None


def _file(fields: dict[str, Any], kind: str, key: str, *, size: str) -> Media:
    path, missing_reason = _path_or_reason(fields.get(key))
    return Media(
        type=kind,
        mime_type=fields.get("mime_type"),
        file_name=fields.get("file_name"),
        size=fields.get(size),
        width=fields.get("width"),
        height=fields.get("height"),
        duration=fields.get("duration_seconds"),
        path=path,
        missing_reason=missing_reason,
    )


def _path_or_reason(written: object) -> tuple[Any, str | None]:
    if isinstance(written, str) and (note := _NOTE.search(written)):
        return None, note[1]
    return written, None
