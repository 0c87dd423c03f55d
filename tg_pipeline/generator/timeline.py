"""When messages are sent and which ids they bear, worked out block by block.

A block holds 64 messages and a fixed number of ids, some of which stay empty, so the id and the
time of any message follow from its index without looking at the messages before it.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import accumulate

from tg_pipeline.generator.draws import Draw

BLOCK = 64
NO_ALBUM = -1
_HOUR = 3600
_WEEK = 168 * _HOUR
_EPOCH_TO_MONDAY = 4 * 86_400  # 1970-01-05 was a Monday
_DAY_PROFILE = (
    3,
    2,
    1,
    1,
    1,
    2,
    5,
    10,
    14,
    15,
    14,
    13,
    16,
    15,
    13,
    12,
    13,
    15,
    18,
    21,
    22,
    19,
    13,
    7,
)
_WEEK_PROFILE = tuple(hour * day for day in (10, 10, 11, 10, 10, 7, 6) for hour in _DAY_PROFILE)
_CUMULATED = (0, *accumulate(_WEEK_PROFILE))
_WEEK_TOTAL = _CUMULATED[-1]
_FRACTIONS = 1 << 16


@dataclass(frozen=True, slots=True)
class Slot:
    """Place of one message; `album` is the index of its album's first message."""

    index: int
    number: int
    sent: int
    album: int


class Timeline:
    """Ascending ids and times for a given number of messages."""

    def __init__(
        self, seed: int, peer_id: int, *, count: int, first_id: int, start: datetime, end: datetime
    ) -> None:
        self.count = count
        self.first_id = first_id
        self._key = (seed, peer_id, first_id)
        self._start = int(start.timestamp())
        self._from = _activity(self._start)
        self._span = _activity(int(end.timestamp())) - self._from
        self._stride = BLOCK + 3 + Draw("stride", *self._key).below(13)  # 4 to 19 % of ids empty
        self.block = lru_cache(maxsize=8)(self._block)

    def slot(self, index: int) -> Slot:
        """Place of the message with this index."""
        return self.block(index // BLOCK)[index % BLOCK]

    def hole(self, block: int) -> int:
        """An id of this block that no message bears."""
        taken = {slot.number for slot in self.block(block)}
        least = self.first_id + block * self._stride
        return next(number for number in range(least, least + self._stride) if number not in taken)

    def _block(self, block: int) -> tuple[Slot, ...]:
        draw = Draw("block", block, *self._key)
        first = block * BLOCK
        size = min(BLOCK, self.count - first)
        numbers = self._numbers(draw, block)
        leaders = _runs(draw, size, block)
        times = self._times(draw, first, size)
        return tuple(
            Slot(
                first + position,
                numbers[position],
                times[abs(leader)] if leader else times[position],
                first + leader if leader > 0 else NO_ALBUM,
            )
            for position, leader in enumerate(leaders)
        )

    def _numbers(self, draw: Draw, block: int) -> list[int]:
        least = self.first_id + block * self._stride
        holes: set[int] = set()
        while len(holes) < self._stride - BLOCK:
            holes.add(draw.between(1, self._stride - 1))
        return [least + place for place in range(self._stride) if place not in holes]

    def _times(self, draw: Draw, first: int, size: int) -> list[int]:
        fractions = sorted(draw.below(_FRACTIONS) for _ in range(size))
        if first == 0:
            fractions[0] = 0
        scale = size / _FRACTIONS / self.count * self._span
        least = self._from + first / self.count * self._span
        return [max(_moment(least + fraction * scale), self._start) for fraction in fractions]


def _runs(draw: Draw, size: int, block: int) -> list[int]:
    """For each position 0, or the position its run began at: positive albums, negative bursts."""
    leaders = [0] * size
    if block % 40 == 1 and size == BLOCK:  # now and then many messages within one second
        leaders[20:44] = [-20] * 24
    for least in (1, 46):
        if draw.chance(450) and size == BLOCK:
            start, length = least + draw.below(10), draw.between(2, 6)
            leaders[start : start + length] = [start] * length
    return leaders


def _activity(moment: int) -> float:
    """How much would have been written from 1970 to a moment, in units of the week's profile."""
    weeks, seconds = divmod(moment - _EPOCH_TO_MONDAY, _WEEK)
    hour, rest = divmod(seconds, _HOUR)
    return weeks * _WEEK_TOTAL + _CUMULATED[hour] + _WEEK_PROFILE[hour] * rest / _HOUR


def _moment(activity: float) -> int:
    """The moment by which so much would have been written; the inverse of `_activity`."""
    weeks, rest = divmod(activity, _WEEK_TOTAL)
    hour = min(bisect_right(_CUMULATED, rest) - 1, 167)
    within = (rest - _CUMULATED[hour]) / _WEEK_PROFILE[hour] * _HOUR
    return _EPOCH_TO_MONDAY + int(weeks) * _WEEK + hour * _HOUR + int(within)
