"""Which message ids Telegram has been asked for: what lies outside of them is still missing.

Ranges of one chat and numbering neither overlap nor touch. They are added by the transaction that
loads the batch whose manifest tells them, so they are what landing holds, and `db rebuild` brings
them back.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import IdRange
from tg_pipeline.store.tables import fetched_ranges

_TAKE_WHAT_TOUCHES = """
DELETE FROM fetched_ranges
WHERE entity_id = :entity AND account_id = :account AND low <= :high + 1 AND high >= :low - 1
RETURNING low, high
"""


def add(connection: Connection, entity_id: int, ranges: Iterable[IdRange]) -> None:
    """Note ids as fetched; the caller holds the chat's lock."""
    for one in ranges:
        known: dict[str, Any] = {"entity": entity_id, "account": one.account_id}
        known |= {"low": one.low, "high": one.high}
        touched = connection.execute(sa.text(_TAKE_WHAT_TOUCHES), known).all()
        row = {
            "entity_id": entity_id,
            "account_id": one.account_id,
            "low": min([one.low, *(low for low, _ in touched)]),
            "high": max([one.high, *(high for _, high in touched)]),
        }
        connection.execute(fetched_ranges.insert().values(row))


def of_chat(connection: Connection, entity_id: int, account_id: int) -> list[IdRange]:
    """What is fetched in one numbering, in order."""
    rows = connection.execute(
        sa.select(fetched_ranges.c.low, fetched_ranges.c.high)
        .where(fetched_ranges.c.entity_id == entity_id, fetched_ranges.c.account_id == account_id)
        .order_by(fetched_ranges.c.low)
    )
    return [IdRange(account_id=account_id, low=low, high=high) for low, high in rows]


def gaps(fetched: Sequence[IdRange], low: int, high: int) -> list[tuple[int, int]]:
    """What of `low` to `high` is not fetched, newest first."""
    found: list[tuple[int, int]] = []
    for one in fetched:
        if low < one.low:
            found.append((low, min(one.low - 1, high)))
        low = max(low, one.high + 1)
    if low <= high:
        found.append((low, high))
    return [(first, last) for first, last in reversed(found) if first <= last]
