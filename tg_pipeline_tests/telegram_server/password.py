"""The second factor: SRP as Telegram does it, from the side that knows only the verifier.

Counterpart of `telethon.password`.
"""

import secrets
from functools import cached_property
from hashlib import sha256

from telethon import password as theirs
from telethon.tl import types

from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.primes import GENERATOR, PRIME, SAFE
from tg_pipeline_tests.telegram_server.tl import TL

_SIZE = 256
_P = PRIME.to_bytes(_SIZE, "big")
_G = GENERATOR.to_bytes(_SIZE, "big")
_K = int.from_bytes(sha256(_P + _G).digest(), "big")


class Password:
    """A password, of which only the verifier is used; and the challenges not answered yet."""

    def __init__(self, text: str, hint: str = "") -> None:
        self._text = text
        self._hint = hint
        self._algorithm = _algorithm()
        self._open: dict[int, int] = {}

    @cached_property
    def verifier(self) -> int:
        """What a server keeps instead of the password; slow to make, on purpose."""
        digest = theirs.compute_hash(self._algorithm, self._text)
        return pow(GENERATOR, int.from_bytes(digest, "big"), PRIME)

    def challenge(self) -> TL:
        """The answer to account.getPassword."""
        srp_id, secret = secrets.randbits(63), secrets.randbits(2048)
        self._open[srp_id] = secret
        return types.account.Password(
            new_algo=_algorithm(),
            new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
            secure_random=secrets.token_bytes(16),
            has_password=True,
            current_algo=self._algorithm,
            srp_B=self._public(secret).to_bytes(_SIZE, "big"),
            srp_id=srp_id,
            hint=self._hint or None,
        )

    def check(self, proof: TL) -> None:
        """Verify the answer to a challenge; each counts once."""
        secret = self._open.pop(getattr(proof, "srp_id", 0), None)
        if secret is None:
            raise bad("SRP_ID_INVALID")
        public = int.from_bytes(proof.A, "big")
        if not SAFE <= public <= PRIME - SAFE:
            raise bad("PASSWORD_HASH_INVALID")
        if not secrets.compare_digest(self._expected(public, secret), proof.M1):
            raise bad("PASSWORD_HASH_INVALID")

    def _public(self, secret: int) -> int:
        return (_K * self.verifier + pow(GENERATOR, secret, PRIME)) % PRIME

    def _expected(self, a: int, secret: int) -> bytes:
        """The proof that only somebody who knows the password can make."""
        a_bytes = a.to_bytes(_SIZE, "big")
        b_bytes = self._public(secret).to_bytes(_SIZE, "big")
        scrambler = int.from_bytes(sha256(a_bytes + b_bytes).digest(), "big")
        shared = pow(a * pow(self.verifier, scrambler, PRIME), secret, PRIME)
        salts = (sha256(salt).digest() for salt in (self._algorithm.salt1, self._algorithm.salt2))
        both = int.from_bytes(sha256(_P).digest(), "big") ^ int.from_bytes(
            sha256(_G).digest(), "big"
        )
        key = sha256(shared.to_bytes(_SIZE, "big")).digest()
        parts = (both.to_bytes(32, "big"), *salts, a_bytes, b_bytes, key)
        return sha256(b"".join(parts)).digest()


def no_password() -> TL:
    """The answer to account.getPassword where there is none."""
    return types.account.Password(
        new_algo=_algorithm(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=secrets.token_bytes(16),
    )


def _algorithm() -> TL:
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1=secrets.token_bytes(16), salt2=secrets.token_bytes(16), g=GENERATOR, p=_P
    )
