"""Text and its formatting: Desktop writes text as a string or as a list of pieces."""

from typing import Any

from tg_pipeline.contracts import Entity
from tg_pipeline.sources.desktop_json.unfit import Unfit

_PLAIN = "plain"


def text_and_entities(fields: dict[str, Any]) -> tuple[str, tuple[Entity, ...]]:
    """A message's text, and its entities in code points.

    `text_entities` is used only where it tells the same text: tools that edit exports forget it.

    Raises:
        Unfit: invalid_record, where text has another shape.
    """
    text = fields.get("text", "")
    pieces = _pieces(text)
    plain = "".join([piece[0] for piece in pieces])
    listed = fields.get("text_entities")
    if listed and isinstance(listed, list):
        alternative = _pieces(listed)
        if "".join([piece[0] for piece in alternative]) == plain:
            pieces = alternative
    return plain, _entities(pieces)


def joined_text(value: object) -> str:
    """The plain text of a string or a list of pieces."""
    return "".join([text for text, _ in _pieces(value)])


def _pieces(value: object) -> list[tuple[str, dict[str, Any] | None]]:
    """Pieces as (text, the object that formats it)."""
    if isinstance(value, str):
        return [(value, None)]
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unfit("invalid_record", f"text is neither a string nor a list: {str(value)[:60]}")
    return [_piece(piece) for piece in value]


def _piece(piece: object) -> tuple[str, dict[str, Any] | None]:
    if isinstance(piece, str):
        return piece, None
    if isinstance(piece, dict):
        text = piece.get("text")
        if text is None:
            return "", piece
        if isinstance(text, str):
            return text, piece
    raise Unfit("invalid_record", f"a piece of text is no text: {str(piece)[:60]}")


def _entities(pieces: list[tuple[str, dict[str, Any] | None]]) -> tuple[Entity, ...]:
    entities = []
    offset = 0
    for text, form in pieces:
        length = len(text)
        if form is not None and length and form.get("type", _PLAIN) != _PLAIN:
            entities.append(_entity(form, offset, length))
        offset += length
    return tuple(entities)


def _entity(form: dict[str, Any], offset: int, length: int) -> Entity:
    if len(form) == 2:  # most have a type and a text only
        return Entity(type=form["type"], offset=offset, length=length)
    return Entity(
        type=form["type"],
        offset=offset,
        length=length,
        url=form.get("href"),
        user_id=form.get("user_id"),
        language=form.get("language") or None,
        document_id=form.get("document_id"),
        collapsed=form.get("collapsed"),
    )
