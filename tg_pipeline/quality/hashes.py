"""The rule that a stored message still has the content it is hashed by.

Text, links, kind of media, action and poll are hashed again from the row. Two things in a row may
rightly be others than those that were hashed, so a difference there is no more than a warning:

- The poll is engagement: it comes from the latest sighting, and where that is not the one that gave
  the content, it may have shown another version, or, to an older client, no poll at all.
- jsonb takes no NUL: where a link or a poll had one, the row has U+FFFD.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from tg_pipeline.contracts import Action, Entity, Media, Poll, PollAnswer, content_hash
from tg_pipeline.quality.findings import Evidence, Finding, Span
from tg_pipeline.store.days import span

# Both ranks end in the SHA-256 of the record that won: if it is one, the poll is the version's own.
_HASHED = """
SELECT (m.date AT TIME ZONE 'UTC')::date, m.id, m.text, m.entities, m.media_meta, m.action, m.poll,
       m.content_hash,
       CASE
           WHEN substring(m.rank FROM 52) = substring(m.engagement_rank FROM 10) THEN false
           WHEN m.poll IS NULL THEN m.raw @? '$.**.poll'
           ELSE m.version_last_seen < m.last_seen OR EXISTS (
               SELECT FROM superseded_versions v
               WHERE v.entity_id = m.entity_id AND v.account_id = m.account_id AND v.id = m.id
                 AND v.last_seen >= m.version_last_seen
           )
       END AS poll_may_be_anothers
FROM messages m
WHERE m.entity_id = %(entity)s AND (%(own)s OR m.account_id = %(account)s)
  AND m.date >= %(first)s::timestamp AT TIME ZONE 'UTC'
  AND m.date < (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC'
  AND m.content_hash IS NOT NULL
"""


def changed_content(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Messages whose content does not give their content hash."""
    rows = evidence.connection.execution_options(
        stream_results=True, max_row_buffer=1000
    ).exec_driver_sql(_HASHED, span(days.chat, days.first, days.last))
    for day, number, text, entities, media, action, poll, stored, poll_unsure in rows:
        if _hash(text, entities, media, action, poll) != bytes(stored):
            warning = poll_unsure or _may_have_had_nul(entities, action, poll)
            yield Finding(day, number, "its content does not give its content_hash", warning)


def _may_have_had_nul(*values: Any) -> bool:
    return "\ufffd" in orjson.dumps(values).decode()


def _hash(text: str, entities: Any, media: Any, action: Any, poll: Any) -> bytes:
    """The hash of stored content. Columns were valid when they were written: only read them."""
    return content_hash(
        text,
        [Entity.model_construct(**entity) for entity in entities or ()],
        Media.model_construct(**media) if media else None,
        Action.model_construct(**action) if action else None,
        _poll(poll) if poll else None,
    )


def _poll(poll: dict[str, Any]) -> Poll:
    answers = tuple(PollAnswer.model_construct(**answer) for answer in poll["answers"])
    return Poll.model_construct(**{**poll, "answers": answers})
