"""What has changed since somebody looked last.

Every row says which transaction wrote it last. The mark to go on from is the oldest transaction
that still runs: whatever ends later has a higher number or is that one, so no change is missed.
Some are seen twice, while others write; who is told twice has to bear it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.stages import due_chats
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


_UNPUBLISHED = """
SELECT DISTINCT d.entity_id, d.account_id
FROM unnest(CAST(:entities AS bigint[]), CAST(:accounts AS bigint[])) AS c(entity_id, account_id)
JOIN chat_days d USING (entity_id, account_id)
LEFT JOIN (
    SELECT entity_id, account_id, period, min(written_by) AS written_by
    FROM exports WHERE grain = :grain GROUP BY entity_id, account_id, period
) e ON e.entity_id = d.entity_id AND e.account_id = d.account_id
    AND e.period = date_trunc(:grain, d.day)::date
WHERE CASE WHEN e.written_by IS NULL THEN d.rows > 0 ELSE d.written_by > e.written_by END
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


def unpublished(archive: Archive, chats: Sequence[ChatKey]) -> list[ChatKey]:
    """Those of some chats that have changed since their files were written, and may be published.

    A run that was cut off after loading leaves such chats. What the gate has closed is not among
    them: it needs other data, or a person.
    """
    known = {
        "entities": [chat.entity_id for chat in chats],
        "accounts": [chat.account_id for chat in chats],
        "grain": archive.settings.period,
    }
    with archive.database.snapshot() as connection:
        rows = connection.execute(sa.text(_UNPUBLISHED), known).all()
    changed = [ChatKey(row.entity_id, row.account_id) for row in rows]
    return due_chats(archive, changed) if changed else []
