"""Which messages a page holds: Telegram's offset rules.

The list is ordered newest first. `offset_id`, else `offset_date`, names a place in it: the first
message older than that; none names the newest. `add_offset` moves the place, `limit` messages are
taken from there, and only then do `min_id` and `max_id` drop what is not strictly between them.
"""

from typing import NamedTuple

from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.tl import TL

MOST = 100
"""Messages in one answer."""


class Offsets(NamedTuple):
    """Where a page lies."""

    limit: int
    offset_id: int = 0
    offset_date: int = 0
    add_offset: int = 0
    min_id: int = 0
    max_id: int = 0


def asked(request: TL, *, date: str = "offset_date") -> Offsets:
    """The offsets of a request; Telethon reads a date of 0 as 1970."""
    moment = getattr(request, date)
    return Offsets(
        min(request.limit, MOST),
        request.offset_id,
        int(moment.timestamp()) if moment else 0,
        request.add_offset,
        request.min_id,
        request.max_id,
    )


def page(box: Box, at: Offsets) -> list[Record]:
    """The records of a page, newest first."""
    if at.offset_id:
        older = box.below(at.offset_id)
    else:
        older = box.before(at.offset_date) if at.offset_date else len(box)
    high = older - at.add_offset
    taken = box.slice(high - max(at.limit, 0), high)
    return [
        record
        for record in reversed(taken)
        if record.id > at.min_id and (not at.max_id or record.id < at.max_id)
    ]
