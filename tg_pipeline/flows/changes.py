"""What has changed since somebody looked last, in the order in which transactions ended.

Every row says which transaction wrote it last. All transactions below the oldest one that still
runs have ended, so a reader who goes from one such mark to the next sees every change once.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.stages import windows_of_batch
from tg_pipeline.store.tables import batches
from tg_pipeline.store.windows import Window

_MARK = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_CHANGED = """
SELECT DISTINCT entity_id, account_id, date_trunc(:grain, day)::date AS period
FROM (
    SELECT entity_id, account_id, day, written_by FROM chat_days
    UNION ALL
    SELECT entity_id, account_id, day, written_by FROM quality_results
    UNION ALL
    SELECT entity_id, account_id, period, written_by FROM exports WHERE grain = :grain
) written
WHERE written_by >= :since AND written_by < :upto
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Windows that have changed, in order, and the mark to go on from next time."""

    windows: tuple[Window, ...]
    upto: int


def changes(archive: Archive, since: int = 0) -> Changes:
    """Windows whose batches, messages, verdicts or files have changed since a mark.

    A mark from the future is one of another server, of which this one is a copy: then everything
    has changed, as it has since mark 0.
    """
    grain = archive.settings.period
    with archive.database.snapshot() as connection:
        upto = int(connection.exec_driver_sql(_MARK).scalar_one())
        bounds = {"since": since if since <= upto else 0, "upto": upto}
        rows = connection.execute(sa.text(_CHANGED), {"grain": grain, **bounds})
        found = {Window(ChatKey(row[0], row[1]), row[2], grain) for row in rows}
        loaded = connection.execute(
            sa.select(batches.c.entity_id, batches.c.account_id, batches.c.batch).where(
                batches.c.written_by >= bounds["since"], batches.c.written_by < upto
            )
        ).all()
    for entity_id, account_id, batch in loaded:
        found |= windows_of_batch(archive, ChatKey(entity_id, account_id), batch)
    return Changes(tuple(sorted(found)), upto)
