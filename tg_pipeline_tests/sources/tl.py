"""TL objects of every constructor, made from Telethon's own signatures."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from telethon.tl import alltlobjects, types

TL = Any
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
CHANNEL = types.PeerChannel(1_700_000_002)
_PLAIN: dict[Any, SearchStrategy[Any]] = {
    int: st.integers(0, 2**31 - 1),
    str: st.text(max_size=4),
    bytes: st.binary(max_size=4),
    bool: st.booleans(),
    float: st.floats(0, 90),
    datetime: st.sampled_from((NOW, NOW.replace(year=2037), NOW.replace(year=1970))),
    type(None): st.none(),
}


class _Names(dict[str, Any]):
    """Telethon defines all but a few of the names that its signatures speak of."""

    def __missing__(self, name: str) -> Any:
        return type(None)


def message(text: str = "", **fields: Any) -> TL:
    """A message of a supergroup."""
    given = {"id": 7, "peer_id": CHANNEL, "date": NOW, "from_id": types.PeerUser(5), **fields}
    return types.Message(message=text, **given)


def service(action: TL, **fields: Any) -> TL:
    given = {"id": 7, "peer_id": CHANNEL, "date": NOW, "from_id": types.PeerUser(5), **fields}
    return types.MessageService(action=action, **given)


def constructors(member: Any) -> list[Any]:
    """All constructors of the TL type that this one is of."""
    found = [
        kind
        for kind in alltlobjects.tlobjects.values()
        if kind.SUBCLASS_OF_ID == member.SUBCLASS_OF_ID
        and not kind.__module__.startswith("telethon.tl.functions")
    ]
    return sorted(found, key=lambda kind: kind.__name__)


@cache
def fields_of(kind: Any) -> dict[str, Any]:
    """A constructor's fields and their Python types."""
    generated = next(one for one in kind.__mro__ if one.__module__.startswith("telethon.tl.types"))
    init: Callable[..., None] | None = generated.__dict__.get("__init__")
    if init is None:
        return {}
    hints = get_type_hints(init, {}, _Names(vars(types)))
    hints.pop("return", None)
    return hints


@cache
def objects(kind: Any, depth: int = 1) -> SearchStrategy[TL]:
    """Any objects of a constructor; what may be left out often is, and always at the bottom."""
    made = {name: _values(hint, depth) for name, hint in fields_of(kind).items()}
    return st.builds(kind, **made)


@cache
def _values(hint: Any, depth: int) -> SearchStrategy[Any]:
    if (plain := _PLAIN.get(hint)) is not None:
        return plain
    parts = get_args(hint)
    if get_origin(hint) is list:
        return st.just([]) if depth <= 0 else st.lists(_values(parts[0], depth - 1), max_size=2)
    if type(None) in parts:
        rest: Any = reduce(or_, (part for part in parts if part is not type(None)))
        return st.none() if depth <= 0 else st.none() | _values(rest, depth)
    kinds = parts if get_origin(hint) in {Union, UnionType} else (hint,)
    kinds = tuple(kind for kind in kinds if not kind.__name__.startswith("Input")) or kinds
    if depth <= 0:
        kinds = (min(kinds, key=lambda kind: len(fields_of(kind))),)
    return st.sampled_from(kinds).flatmap(lambda kind: objects(kind, depth - 1))
