"""What archived messages tell of where wanted days begin and end, so that nobody has to be asked.

Of a chat's messages those with greater ids are newer; ids of a supergroup's past are negative.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey, IdRange
from tg_pipeline.store.tables import messages


def date_above(
    connection: Connection, entity_id: int, accounts: Collection[int], number: int
) -> datetime | None:
    """When the oldest message with a greater id was sent, UTC; None if there is none.

    Args:
        connection: where to look.
        entity_id: marked id of the chat.
        accounts: whose numberings count.
        number: the id.
    """
    table = messages.c
    query = (
        sa.select(table.date)
        .where(table.entity_id == entity_id, table.account_id.in_(accounts), table.id > number)
        .order_by(table.id)
        .limit(1)
    )
    return connection.scalar(query)


def newest_before(
    connection: Connection, chat: ChatKey, moment: datetime, ranges: Sequence[IdRange]
) -> int | None:
    """The id of the newest message sent before a moment, if it is archived for certain.

    It is if the message after it is archived, too, and all ids between them have been fetched.

    Args:
        connection: where to look.
        chat: which chat.
        moment: UTC.
        ranges: ids of the chat that have been fetched.
    """
    table = messages.c
    own = (table.entity_id == chat.entity_id, table.account_id == chat.account_id, table.id > 0)
    after = sa.select(table.id).where(*own, table.date >= moment).order_by(table.date, table.id)
    first = connection.scalar(after.limit(1))
    if first is None:
        return None
    before = sa.select(sa.func.max(table.id)).where(*own, table.id < first)
    found = connection.scalar(before)
    if found is None or not any(one.low <= found and first <= one.high for one in ranges):
        return None
    return int(found)
