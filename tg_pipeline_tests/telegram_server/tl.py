"""What the server needs of Telethon's TL layer: reading, writing, and bytes kept as they are."""

import struct
from collections.abc import Iterable
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl.tlobject import TLObject

TL = Any
"""A Telethon object. Telethon has no types; its attributes are TL's fields."""

TRUE = (0x997275B5).to_bytes(4, "little")
FALSE = (0xBC799737).to_bytes(4, "little")
VECTOR = (0x1CB5C415).to_bytes(4, "little")


class Opaque:
    """An object already serialised; may stand wherever Telethon serialises an object."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def _bytes(self) -> bytes:
        return self.data


class Unreadable(Exception):
    """The bytes are no TL object of this layer."""


def read(data: bytes) -> TL:
    """The object at the start of some bytes."""
    try:
        return BinaryReader(data).tgread_object()
    except (struct.error, BufferError, TypeNotFoundError, RuntimeError) as fault:
        raise Unreadable(str(fault)) from None


def write(answer: object) -> bytes:
    """An answer as bytes: an object, a truth value, or a list of objects."""
    if isinstance(answer, bool):
        return TRUE if answer else FALSE
    if isinstance(answer, list):
        return VECTOR + len(answer).to_bytes(4, "little") + b"".join(map(write, answer))
    return answer._bytes()  # type: ignore[attr-defined,no-any-return]


def opaque(objects: Iterable[object]) -> list[Opaque]:
    """Objects serialised now."""
    return [Opaque(write(one)) for one in objects]


def method_name(request: TLObject) -> str:
    """`messages.getHistory` for a GetHistoryRequest."""
    kind = type(request)
    name = kind.__name__.removesuffix("Request")
    module = kind.__module__.rpartition(".")[2]
    name = name[0].lower() + name[1:]
    return name if module == "functions" else f"{module}.{name}"
