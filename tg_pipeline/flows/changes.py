"""What has changed since somebody looked last.

Every row says which transaction wrote it last. The mark to go on from is the oldest transaction
that still runs: whatever ends later has a higher number or is that one, so no change is missed.
Some are seen twice, while others write; who is told twice has to bear it.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.windows import windows_of_batch
from tg_pipeline.store.tables import batches
from tg_pipeline.store.windows import Window

_MARKS = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
_CHANGED = """
SELECT DISTINCT entity_id, account_id, date_trunc(:grain, day)::date AS period
FROM (
    SELECT entity_id, account_id, day, written_by FROM chat_days
    UNION ALL
    SELECT entity_id, account_id, day, written_by FROM quality_results
    UNION ALL
    SELECT entity_id, account_id, period, written_by FROM exports WHERE grain = :grain
) written
WHERE :since = 0 OR written_by >= :since AND written_by < :end
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Windows that have changed, in order, and the mark to go on from next time."""

    windows: tuple[Window, ...]
    upto: int


def changes(archive: Archive, since: int = 0) -> Changes:
    """Windows whose loaded batches, messages, verdicts or files have changed since a mark.

    Since mark 0 everything has changed; so it has since a mark from the future, which is one of
    another server that this one is a copy of. What was signed there counts then, and not again.
    """
    grain = archive.settings.period
    with archive.database.snapshot() as connection:
        upto, end = connection.exec_driver_sql(_MARKS).one()
        mark = since if since <= upto else 0
        rows = connection.execute(sa.text(_CHANGED), {"grain": grain, "since": mark, "end": end})
        found = {Window(ChatKey(row[0], row[1]), row[2], grain) for row in rows}
        columns = (batches.c.entity_id, batches.c.account_id, batches.c.batch)
        signed = batches.c.written_by
        recent = sa.and_(signed >= mark, signed < end) if mark else sa.true()
        loaded = connection.execute(sa.select(*columns).where(recent)).all()
    for entity_id, account_id, batch in loaded:
        found |= windows_of_batch(archive, ChatKey(entity_id, account_id), batch)
    return Changes(tuple(sorted(found)), upto)
