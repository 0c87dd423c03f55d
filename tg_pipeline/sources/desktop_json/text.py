"""Text and its formatting: Desktop writes text as a string or as a list of pieces."""

from typing import Any

from pydantic import TypeAdapter

from tg_pipeline.contracts import Entity
from tg_pipeline.sources.unfit import Unfit

_PLAIN = "plain"
_DETAILS = {
    "href": "url",
    "user_id": "user_id",
    "language": "language",
    "document_id": "document_id",
    "collapsed": "collapsed",
}
"""What some entities carry, by Desktop's name, and our name for it."""
_ENTITIES = TypeAdapter(tuple[Entity, ...])
"""All entities of a message in one call: half the cost of one by one."""


def text_and_entities(fields: dict[str, Any]) -> tuple[str, tuple[Entity, ...]]:
    """A message's text, and its entities in code points.

    `text_entities` is used only where it tells the same text: tools that edit exports forget it.

    Raises:
        Unfit: invalid_record, where text has another shape.
        ValidationError: an entity does not keep its contract.
    """
    pieces = fields.get("text", "")
    text = joined_text(pieces)
    listed = fields.get("text_entities")
    if listed and isinstance(listed, list) and joined_text(listed) == text:
        pieces = listed
    return text, _entities(pieces) if isinstance(pieces, list) else ()


def joined_text(value: object) -> str:
    """The plain text of a string or a list of pieces.

    Raises:
        Unfit: invalid_record, where it is neither.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if not isinstance(value, list):
        raise Unfit("invalid_record", f"text is neither a string nor a list: {str(value)[:60]}")
    try:  # almost always all is well, and asking first would cost as much as the work
        return "".join([piece if type(piece) is str else piece["text"] for piece in value])
    except (TypeError, KeyError):
        return "".join([piece if type(piece) is str else _text_of(piece) for piece in value])


def _text_of(piece: object) -> str:
    if isinstance(piece, dict):
        text = piece.get("text")
        if isinstance(text, str):
            return text
        if text is None:
            return ""
    raise Unfit("invalid_record", f"a piece of text is no text: {str(piece)[:60]}")


def _entities(pieces: list[Any]) -> tuple[Entity, ...]:
    entities: list[dict[str, Any]] = []
    offset = 0
    for piece in pieces:
        if type(piece) is str:
            offset += len(piece)
        elif text := piece.get("text"):
            kind = piece.get("type", _PLAIN)
            if kind != _PLAIN:
                entity = {"type": kind, "offset": offset, "length": len(text)}
                entities.append(entity if len(piece) == 2 else entity | _details(piece))
            offset += len(text)
    return _ENTITIES.validate_python(entities) if entities else ()


def _details(piece: dict[str, Any]) -> dict[str, Any]:
    details = {_DETAILS[key]: value for key, value in piece.items() if key in _DETAILS}
    if details.get("language") == "":  # what Desktop writes for none
        del details["language"]
    return details
