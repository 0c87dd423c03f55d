"""The rule that a stored message still has the content it is hashed by.

Text, links, kind of media, action and poll are hashed again from the row. The poll is engagement:
it comes from the latest sighting, which may show another version of the message than the current
one. A difference there proves nothing, so it is a warning.
"""

from collections.abc import Iterator
from typing import Any

from tg_pipeline.contracts import Action, Entity, Media, Poll, PollAnswer, content_hash
from tg_pipeline.quality.findings import Evidence, Finding, Span
from tg_pipeline.store.days import span

_HASHED = """
SELECT (m.date AT TIME ZONE 'UTC')::date, m.id, m.text, m.entities, m.media_meta, m.action, m.poll,
       m.content_hash,
       m.version_last_seen < m.last_seen OR EXISTS (
           SELECT FROM superseded_versions v
           WHERE v.entity_id = m.entity_id AND v.account_id = m.account_id AND v.id = m.id
             AND v.last_seen >= m.version_last_seen
       ) AS poll_may_be_anothers
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
    for day, number, text, entities, media, action, poll, stored, unsure in rows:
        if _hash(text, entities, media, action, poll) != bytes(stored):
            yield Finding(day, number, "its content does not give its content_hash", unsure)


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
