"""Encrypted messages of MTProto 2.0, from the server's side."""

import os
import struct
from hashlib import sha256
from typing import NamedTuple

from telethon.crypto import AES

_HEAD = struct.Struct("<qqqii")


class BadMessage(Exception):
    """The packet was not encrypted with this key, or was damaged on the way."""


class Envelope(NamedTuple):
    """A message and what surrounds it."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    body: bytes


def decrypt(key: bytes, packet: bytes) -> Envelope:
    """Open what a client sent; its msg_key is checked."""
    msg_key, sealed = packet[8:24], packet[24:]
    if len(sealed) < 48 or len(sealed) % 16:
        raise BadMessage("length")
    plain = AES.decrypt_ige(sealed, *_aes(key, msg_key, 0))
    if sha256(key[88:120] + plain).digest()[8:24] != msg_key:
        raise BadMessage("msg_key")
    salt, session_id, msg_id, seq_no, length = _HEAD.unpack_from(plain)
    padding = len(plain) - _HEAD.size - length
    if length < 0 or not 12 <= padding <= 1024:
        raise BadMessage("padding")
    return Envelope(salt, session_id, msg_id, seq_no, plain[_HEAD.size : _HEAD.size + length])


def encrypt(key: bytes, key_id: bytes, message: Envelope) -> bytes:
    """Seal what goes to a client."""
    salt, session_id, msg_id, seq_no, body = message
    head = _HEAD.pack(salt, session_id, msg_id, seq_no, len(body))
    padding = os.urandom(-(_HEAD.size + len(body) + 12) % 16 + 12)
    plain = b"".join((head, body, padding))
    msg_key = sha256(key[96:128] + plain).digest()[8:24]
    return b"".join((key_id, msg_key, AES.encrypt_ige(plain, *_aes(key, msg_key, 8))))


def _aes(key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    """AES key and initialisation vector; x is 0 for clients' messages and 8 for ours."""
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]
