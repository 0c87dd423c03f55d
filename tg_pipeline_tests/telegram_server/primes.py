"""Primes: the well-known one of Diffie-Hellman and SRP, and new ones for RSA."""

import math
import secrets

# The 2048-bit safe prime that Telegram's servers name; clients know it and need not test it.
PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f"
    "48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37"
    "20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4"
    "a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754"
    "fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f"
    "0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
GENERATOR = 3
SAFE = 1 << (2048 - 64)
"""Public values of an exchange lie at least this far from 0 and from the prime."""

_SMALL = math.prod(n for n in range(3, 1000) if all(n % d for d in range(2, n)))
_ROUNDS = 8


def exchange_secret() -> tuple[int, int]:
    """A secret exponent, and its public value within the safe range."""
    while True:
        secret = secrets.randbits(2048)
        public = pow(GENERATOR, secret, PRIME)
        if SAFE <= public <= PRIME - SAFE:
            return secret, public


def new_prime(bits: int) -> int:
    """A random prime with its two highest bits set."""
    while True:
        candidate = secrets.randbits(bits) | (3 << (bits - 2)) | 1
        if math.gcd(candidate, _SMALL) == 1 and _is_prime(candidate):
            return candidate


def _is_prime(number: int) -> bool:
    """Miller and Rabin's test with random bases."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, odd, twos) for _ in range(_ROUNDS))


def _passes(number: int, odd: int, twos: int) -> bool:
    power = pow(2 + secrets.randbelow(number - 3), odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
