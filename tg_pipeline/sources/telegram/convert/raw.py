"""TL objects as JSON: every field that was sent, under TL's own names.

An object is `{"_": constructor, field: value, …}`. What the sender left out is left out here.
Bytes are base64, times are ISO in UTC, integers are kept whole.
"""

import base64
import copy
import inspect
import json
import math
from datetime import UTC, datetime
from typing import Any

import orjson
from telethon.tl import TLObject

from tg_pipeline.sources.storable import storable, storable_text

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC
_NUL = b"\\u0000"
_GENERATED = "telethon.tl.types"


def as_raw(tl_object: TLObject) -> bytes:
    """The object as JSON on one line. Strings are kept as they are, lone surrogates escaped."""
    try:
        return orjson.dumps(tl_object, _shallow, _OPTIONS)
    except TypeError:  # lone surrogates, integers beyond 64 bits, unusual depth
        return json.dumps(_tree(tl_object), separators=(",", ":"), allow_nan=False).encode()


def may_be_unstorable(raw: bytes) -> bool:
    r"""Whether strings may hold NUL or lone surrogates; true where one writes `\u0000` out, too."""
    return _NUL in raw or b"\\ud" in raw


def storable_copy(value: Any) -> Any:
    """A TL object like this one, of strings that a record can hold."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [storable_copy(item) for item in value]
    if not isinstance(value, TLObject):
        return value
    made = copy.copy(value)
    for name, item in _sent(value):
        setattr(made, name, storable_copy(item))
    return made


def plain_fields(tl_object: TLObject) -> dict[str, Any]:
    """The object's fields as plain JSON values."""
    fields: dict[str, Any] = storable(orjson.loads(as_raw(tl_object)))
    del fields["_"]
    return fields


def _sent(tl_object: TLObject) -> list[tuple[str, Any]]:
    """The object's fields but those left out."""
    values = tl_object.__dict__
    return [
        (name, values[name]) for name in _FIELDS[type(tl_object)] if values.get(name) is not None
    ]


class _FieldNames(dict[type[Any], tuple[str, ...]]):
    """Each constructor's fields; Telethon's own Message has more attributes than those."""

    def __missing__(self, kind: type[Any]) -> tuple[str, ...]:
        bases = (base for base in kind.__mro__ if base.__module__.startswith(_GENERATED))
        generated = next(bases, kind)
        made: tuple[str, ...] = ()
        if (init := generated.__dict__.get("__init__")) is not None:
            made = tuple(inspect.signature(init).parameters)[1:]
        self[kind] = made
        return made


_FIELDS = _FieldNames()


def _shallow(value: Any) -> Any:
    """One level of what orjson does not know."""
    if isinstance(value, TLObject):
        kind = type(value)
        values = value.__dict__
        made: dict[str, Any] = {"_": kind.__name__}
        for name in _FIELDS[kind]:
            if (item := values[name]) is not None:
                made[name] = item
        return made
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value)} is no TL value")


def _tree(value: Any) -> Any:
    """All levels, for the encoder that takes every string and integer."""
    if isinstance(value, TLObject):
        fields = {name: _tree(item) for name, item in _sent(value)}
        return {"_": type(value).__name__, **fields}
    if isinstance(value, list | tuple):
        return [_tree(item) for item in value]
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _shallow(value) if isinstance(value, bytes) else value
