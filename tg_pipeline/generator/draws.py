"""Numbers that look random and never change: a hash of a key, consumed digit by digit.

Every message draws from a key of its own, so any message can be made without the ones before it,
and the same key gives the same numbers on every platform and Python version.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_REFILL_BELOW = 1 << 64


class Draw:
    """A stream of numbers that depends on its key alone."""

    __slots__ = ("_bits", "_key", "_refills")

    def __init__(self, *key: int | str) -> None:
        self._key = repr(key).encode()
        self._refills = 0
        self._bits = int.from_bytes(hashlib.blake2b(self._key).digest(), "little")

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        if self._bits < _REFILL_BELOW:
            self._refill()
        self._bits, number = divmod(self._bits, limit)
        return number

    def between(self, least: int, greatest: int) -> int:
        """A number from least to greatest, both included."""
        return least + self.below(greatest - least + 1)

    def chance(self, per_mille: int) -> bool:
        """True in so many of a thousand cases."""
        if self._bits < _REFILL_BELOW:  # as in below, without the call: this is the hot path
            self._refill()
        self._bits, number = divmod(self._bits, 1000)
        return number < per_mille

    def pick(self, items: Sequence[T]) -> T:
        """One of the items, each equally likely."""
        return items[self.below(len(items))]

    def _refill(self) -> None:
        self._refills += 1
        more = hashlib.blake2b(self._key + b"#%d" % self._refills).digest()
        self._bits = int.from_bytes(more, "little")


def wheel(**weights: int) -> tuple[str, ...]:
    """Names repeated by weight, so that `Draw.pick` honours the weights."""
    return tuple(name for name, weight in weights.items() for _ in range(weight))
