"""Rules that are one query: over the messages of a chat between two days."""

from collections.abc import Iterator
from typing import Any

from tg_pipeline.contracts import Source
from tg_pipeline.quality.findings import Evidence, Finding, Span
from tg_pipeline.store.days import COUNTED, span
from tg_pipeline.store.merge import PLAUSIBLE_HOURS, ZONE_STEP_SECONDS

_IN_SPAN = """
m.entity_id = %(entity)s AND (%(own)s OR m.account_id = %(account)s)
  AND m.date >= %(first)s::timestamp AT TIME ZONE 'UTC'
  AND m.date < (%(last)s::date + 1)::timestamp AT TIME ZONE 'UTC'
"""
_DAY = "(m.date AT TIME ZONE 'UTC')::date"

_SHARED_KEYS = f"""
SELECT {_DAY} AS day, m.id, count(*) || ' messages share its key chat:day:id' AS what, false
FROM messages m WHERE {_IN_SPAN}
GROUP BY 1, 2 HAVING count(*) > 1
"""

_OWN_TIME = f"""
CASE WHEN m.date_precision = 'exact' AND m.source = '{Source.TELEGRAM_DESKTOP_JSON}'
      AND m.date_source = {Source.TELEGRAM_DESKTOP_JSON.rank}
      AND m.raw->>'date_unixtime' ~ '^[0-9]{{1,12}}$'
     THEN to_timestamp((m.raw->>'date_unixtime')::bigint) END
"""
"""The instant that the source tells in its own record, where the date is that source's."""
_SAME_MOMENT = """(
    SELECT count(*) FROM batches b
    WHERE b.entity_id = %(entity)s AND b.account_id = %(account)s
      AND b.observed_at = m.last_seen AND m.id BETWEEN b.first_id AND b.last_id
)"""
"""How many batches may have shown a message when it was last seen."""

# Of all sightings equally sure the earliest gives the date, so it is never later than the record's
# own time, and earlier only by what passes as a difference of zones.
_IMPLAUSIBLE_DATES = f"""
SELECT day, id, coalesce(impossible, odd), impossible IS NULL FROM (
    SELECT day, id, CASE
        WHEN date < '2013-08-01Z' THEN 'dated ' || date || ', before Telegram existed'
        WHEN date > last_seen + interval '1 day'
            THEN 'dated ' || date || ', after it was last seen at ' || last_seen
        WHEN date <> own_time AND (
                 NOT extract(epoch FROM own_time - date) BETWEEN 0 AND {PLAUSIBLE_HOURS * 3600}
                 OR extract(epoch FROM own_time - date) %% {ZONE_STEP_SECONDS} <> 0
                 OR first_seen = last_seen AND {_SAME_MOMENT} < 2)
            THEN 'dated ' || date || ', but its own unix time is ' || own_time
        WHEN edited_at > last_seen + interval '1 day'
            THEN 'edited ' || edited_at || ', after it was last seen at ' || last_seen
    END AS impossible, CASE
        WHEN date <> own_time
            THEN 'dated ' || date || ' by one export and ' || own_time || ' by another'
        WHEN edited_at < date AND date_precision = 'exact'
            THEN 'edited ' || edited_at || ', before it was sent at ' || date
    END AS odd
    FROM (SELECT {_DAY} AS day, m.*, {_OWN_TIME} AS own_time FROM messages m WHERE {_IN_SPAN}) m
) f WHERE impossible IS NOT NULL OR odd IS NOT NULL
"""

_MISSING_REPLY_TARGETS = f"""
SELECT {_DAY}, m.id, 'replies to ' || m.reply_to_id || ', which is not here', true
FROM messages m WHERE {_IN_SPAN}
  AND m.reply_to_id IS NOT NULL
  AND (m.reply_to_entity_id IS NULL OR m.reply_to_entity_id = m.entity_id)
  AND NOT EXISTS (
      SELECT FROM messages t
      WHERE t.entity_id = m.entity_id AND t.id = m.reply_to_id
        AND (%(own)s OR t.account_id = m.account_id)
  )
"""

_FALLING_DATES = f"""
SELECT {_DAY}, m.id,
       'dated ' || m.date || ', before message ' || p.id || ' at ' || p.date, true
FROM messages m
CROSS JOIN LATERAL (
    SELECT b.id, b.date FROM messages b
    WHERE b.entity_id = m.entity_id AND b.account_id = m.account_id AND b.id < m.id
      AND b.date_precision = 'exact'
    ORDER BY b.id DESC LIMIT 1
) p
WHERE {_IN_SPAN} AND m.date_precision = 'exact' AND m.date < p.date
"""

_MISCOUNTED_DAYS = f"""
SELECT coalesce(c.day, d.day), NULL::bigint,
       'chat_days says ' || coalesce(d.rows, 0) || ' messages and digest '
       || coalesce(d.digest, 0) || ', counted are ' || coalesce(c.rows, 0) || ' and '
       || coalesce(c.digest, 0), false
FROM ({COUNTED}) c
FULL JOIN (
    SELECT * FROM chat_days
    WHERE entity_id = %(entity)s AND account_id = %(account)s
      AND day BETWEEN %(first)s AND %(last)s
) d ON d.day = c.day
WHERE (coalesce(d.rows, 0), coalesce(d.digest, 0))
      IS DISTINCT FROM (coalesce(c.rows, 0), coalesce(c.digest, 0))
"""


def shared_keys(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Messages of one day that have one id: two accounts that count ids of their own."""
    return _found(evidence, days, _SHARED_KEYS)


def implausible_dates(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Dates that cannot be, or are not the instant that the source tells in its own record."""
    return _found(evidence, days, _IMPLAUSIBLE_DATES)


def missing_reply_targets(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Replies to a message of the same chat that is not held; normal where it was deleted."""
    return _found(evidence, days, _MISSING_REPLY_TARGETS)


def falling_dates(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Messages with an exact date before that of the message with the next lower id."""
    return _found(evidence, days, _FALLING_DATES)


def miscounted_days(evidence: Evidence, days: Span) -> Iterator[Finding]:
    """Days whose count or digest, of which the data version is made, are not true."""
    return _found(evidence, days, _MISCOUNTED_DAYS)


def _found(evidence: Evidence, days: Span, query: str) -> Iterator[Finding]:
    parameters: dict[str, Any] = span(days.chat, days.first, days.last)
    rows = evidence.connection.execution_options(stream_results=True).exec_driver_sql(
        query, parameters
    )
    for day, number, what, warning in rows:
        yield Finding(day, number, what, warning)
