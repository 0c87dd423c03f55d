"""How packets are framed on TCP: full (Telethon's default), abridged and intermediate.

A client shows which one it speaks with its first bytes.
"""

import asyncio
import struct
from typing import Protocol
from zlib import crc32

ABRIDGED = b"\xef"
INTERMEDIATE = b"\xee\xee\xee\xee"
_LONGEST = 1 << 24


class BrokenPacket(Exception):
    """The bytes are no packet; the connection cannot go on."""


class Transport(Protocol):
    """Whole packets over a stream of bytes."""

    async def read(self) -> bytes:
        """The next packet; raises IncompleteReadError at the end."""

    def frame(self, packet: bytes) -> bytes:
        """The bytes to send for a packet."""


async def recognise(reader: asyncio.StreamReader) -> Transport:
    """The transport whose first bytes these are."""
    first = await reader.readexactly(1)
    if first == ABRIDGED:
        return Abridged(reader)
    first += await reader.readexactly(3)
    if first == INTERMEDIATE:
        return Intermediate(reader)
    return Full(reader, first)


class Full:
    """Length, running number, packet, checksum."""

    def __init__(self, reader: asyncio.StreamReader, first: bytes) -> None:
        self._reader = reader
        self._head = first
        self._sent = 0

    async def read(self) -> bytes:
        head = self._head or await self._reader.readexactly(4)
        self._head = b""
        length = int.from_bytes(head, "little")
        if not 12 <= length <= _LONGEST:
            raise BrokenPacket(f"length {length}")
        rest = await self._reader.readexactly(length - 4)
        if crc32(rest[:-4], crc32(head)) != int.from_bytes(rest[-4:], "little"):
            raise BrokenPacket("checksum")
        return rest[4:-4]

    def frame(self, packet: bytes) -> bytes:
        head = struct.pack("<ii", len(packet) + 12, self._sent)
        self._sent += 1
        return b"".join((head, packet, struct.pack("<I", crc32(packet, crc32(head)))))


class Abridged:
    """Length in words, in one byte or four."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self) -> bytes:
        words = (await self._reader.readexactly(1))[0]
        if words >= 0x7F:
            words = int.from_bytes(await self._reader.readexactly(3), "little")
        return await self._reader.readexactly(words * 4)

    def frame(self, packet: bytes) -> bytes:
        words = len(packet) // 4
        if words < 0x7F:
            return bytes((words,)) + packet
        return b"\x7f" + words.to_bytes(3, "little") + packet


class Intermediate:
    """Length in bytes, in four."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def read(self) -> bytes:
        length = int.from_bytes(await self._reader.readexactly(4), "little")
        if length > _LONGEST:
            raise BrokenPacket(f"length {length}")
        return await self._reader.readexactly(length)

    def frame(self, packet: bytes) -> bytes:
        return len(packet).to_bytes(4, "little") + packet
