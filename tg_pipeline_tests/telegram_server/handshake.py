"""The key exchange: from a plain connection to an auth key both sides know.

Counterpart of `telethon.network.authenticator`. Each connection has an `Exchange` of its own; the
RSA key belongs to the server and outlives restarts.
"""

import secrets
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha1

import rsa
from telethon import helpers
from telethon.crypto import AES, AuthKey
from telethon.crypto.rsa import _compute_fingerprint, get_byte_array
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.primes import (
    GENERATOR,
    PRIME,
    SAFE,
    exchange_secret,
    new_prime,
)
from tg_pipeline_tests.telegram_server.tl import TL

_E = 65_537
_P, _Q = 8_388_617, 8_388_619  # a product that clients factorise at once


class ServerKey:
    """The RSA key by which clients know the server."""

    def __init__(self) -> None:
        self._n, self._d = _rsa_numbers()
        public = rsa.PublicKey(self._n, _E)
        self.pem: str = public.save_pkcs1().decode()
        self.fingerprint: int = _compute_fingerprint(public)

    def open(self, sealed: bytes) -> bytes:
        """What a client has encrypted: 255 bytes, a SHA-1 first."""
        return pow(int.from_bytes(sealed, "big"), self._d, self._n).to_bytes(256, "big")[1:]


@cache
def common_key() -> ServerKey:
    """One key for all servers of a process: making one takes half a second."""
    return ServerKey()


class HandshakeBroken(Exception):
    """The client does not keep to the exchange."""


class Exchange:
    """One client's way to its auth key."""

    def __init__(self, key: ServerKey, keep: Callable[[bytes], None]) -> None:
        self._key = key
        self._keep = keep
        self._nonce = 0
        self._server_nonce = int.from_bytes(secrets.token_bytes(16), "big", signed=True)
        self._new_nonce = 0
        self._secret, self._public = 0, 0

    def answer(self, request: TL) -> TL:
        """The next step."""
        if isinstance(request, functions.ReqPqMultiRequest | functions.ReqPqRequest):
            return self._pq(request)
        steps = {
            functions.ReqDHParamsRequest: self._params,
            functions.SetClientDHParamsRequest: self._finish,
        }
        step = steps.get(type(request))
        if step is None:
            raise HandshakeBroken(type(request).__name__)
        if (request.nonce, request.server_nonce) != (self._nonce, self._server_nonce):
            raise HandshakeBroken("nonce")
        return step(request)

    def _pq(self, request: TL) -> TL:
        self._nonce = request.nonce
        return types.ResPQ(
            self._nonce, self._server_nonce, get_byte_array(_P * _Q), [self._key.fingerprint]
        )

    def _params(self, request: TL) -> TL:
        opened = self._key.open(request.encrypted_data)
        inner = _hashed(opened)
        if (inner.p, inner.q) != (get_byte_array(_P), get_byte_array(_Q)):
            raise HandshakeBroken("factors")
        self._new_nonce = inner.new_nonce
        self._secret, self._public = exchange_secret()
        plain = types.ServerDHInnerData(
            self._nonce,
            self._server_nonce,
            GENERATOR,
            get_byte_array(PRIME),
            get_byte_array(self._public),
            int(time.time()),
        )._bytes()
        sealed = AES.encrypt_ige(sha1(plain).digest() + plain, *self._temporary_key())
        return types.ServerDHParamsOk(self._nonce, self._server_nonce, sealed)

    def _finish(self, request: TL) -> TL:
        inner = _hashed(AES.decrypt_ige(request.encrypted_data, *self._temporary_key()))
        theirs = int.from_bytes(inner.g_b, "big")
        if not SAFE <= theirs <= PRIME - SAFE:
            raise HandshakeBroken("g_b")
        material = get_byte_array(pow(theirs, self._secret, PRIME))
        key = AuthKey(material)
        if len(material) < 256:  # one in 256 begins with a zero; saved sessions would lose that
            again = key.calc_new_nonce_hash(self._new_nonce, 2)
            return types.DhGenRetry(self._nonce, self._server_nonce, again)
        self._keep(material)
        proof = key.calc_new_nonce_hash(self._new_nonce, 1)
        return types.DhGenOk(self._nonce, self._server_nonce, proof)

    def _temporary_key(self) -> tuple[bytes, bytes]:
        key, iv = helpers.generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        return key, iv


def _hashed(data: bytes) -> TL:
    """The object after its SHA-1 and before its padding."""
    reader = BinaryReader(data)
    digest = reader.read(20)
    inner = reader.tgread_object()
    if sha1(data[20 : reader.tell_position()]).digest() != digest:
        raise HandshakeBroken("hash")
    return inner


def _rsa_numbers() -> tuple[int, int]:
    """Modulus and secret exponent of a new key."""
    while True:
        p, q = new_prime(1024), new_prime(1024)
        order = (p - 1) * (q - 1)
        if p != q and order % _E:
            return p * q, pow(_E, -1, order)
