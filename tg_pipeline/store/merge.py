"""Folding staged sightings into the tables: the state is a function of the set of sightings.

A sighting is folded one at a time per message (a *round*), each round as one statement over all
messages of the batch. The rules are those of the design, section 3:

- the version of a content hash is its highest-ranked sighting; the highest version is current;
- engagement comes whole from the latest sighting, the date from the surest;
- every other field keeps the greatest non-null value by rank. Where that value comes from a lower
  sighting than the current one, `carried` remembers its rank.

Dates that no zone offset explains are a conflict. The date of highest rank is the *anchor*; what
contradicts it is quarantined. A sighting that moves the anchor changes what contradicts it, so its
message is replayed from landing, anchor first, and the result no longer depends on arrival.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection

from tg_pipeline.store.sightings import COLUMNS

KEY = ("entity_id", "account_id", "id")
CARRIED = (
    "sender_id",
    "post_author",
    "via_bot_id",
    "reply_to_id",
    "reply_to_entity_id",
    "thread_id",
    "grouped_id",
    "forward",
    "edited_at",
)
CONTENT = ("kind", "text", "entities", "action", "media_meta", "source", "observed_at", "raw")
BEST = (*CONTENT, "content_hash", "rank")
ENGAGEMENT = ("poll", "reactions", "views", "forwards", "replies", "engagement_rank")
DATED = ("date", "date_precision", "date_source")
SPANS = ("first_seen", "last_seen", "version_first_seen", "version_last_seen")
STATE = (*DATED, *BEST, *ENGAGEMENT, *CARRIED, *SPANS, "carried")
VISIBLE = (
    "date",
    "date_precision",
    "kind",
    "text",
    "entities",
    "action",
    "media_meta",
    "content_hash",
    *ENGAGEMENT[:-1],
    *CARRIED,
)
"""What a reader of the archive sees; a change of any of these makes a message `updated`."""

PLAUSIBLE_HOURS = 26  # UTC-12 to UTC+14
ZONE_STEP_SECONDS = 900  # all zones since 1972 are whole quarters of an hour

CREATE_STAGED = f"""
CREATE TEMPORARY TABLE staged (
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS)},
    round integer NOT NULL DEFAULT 1
) ON COMMIT DROP
"""

LOOK_UP = "SET LOCAL random_page_cost = 1.1"
"""A batch is small and its ids lie close together: looking them up is cheaper than reading the
table, which PostgreSQL's default, made for disks that turn, gets wrong."""

ASSIGN_ROUNDS = """
UPDATE staged s
SET round = r.round
FROM (
    SELECT ctid, row_number() OVER (
        PARTITION BY entity_id, account_id, id
        ORDER BY date_rank DESC, date_source DESC, date, rank, batch, line
    ) AS round
    FROM staged
    WHERE (entity_id, account_id, id) IN (
        SELECT entity_id, account_id, id FROM staged GROUP BY 1, 2, 3 HAVING count(*) > 1
    )
) r
WHERE s.ctid = r.ctid AND r.round > 1
"""

COUNT_ROUNDS = """
SELECT count(*) FILTER (WHERE round = 1) AS first, coalesce(max(round), 0) AS rounds FROM staged
"""

_SAME_MESSAGE = " AND ".join(f"s.{name} = m.{name}" for name in KEY)
_ANCHORS = """(s.date_rank, s.date_source, m.date)
        > (array_position(ARRAY['ambiguous', 'zone_given', 'exact'], m.date_precision) - 1,
           m.date_source, s.date)"""

_FIRST = {"carried": "NULL"} | dict.fromkeys(SPANS, "s.observed_at")
INSERT_NEW = f"""
WITH added AS (
    INSERT INTO messages ({", ".join((*KEY, *STATE))})
    SELECT {", ".join(_FIRST.get(name, f"s.{name}") for name in (*KEY, *STATE))}
    FROM staged s
    WHERE s.round = 1
    ON CONFLICT ({", ".join(KEY)}) DO NOTHING
    RETURNING (date AT TIME ZONE 'UTC')::date AS day
)
SELECT count(*) AS new, array_agg(DISTINCT day) AS days FROM added
"""

PENDING = f"""
SELECT count(*) AS sightings, coalesce(bool_or(s.date <> m.date), false) AS dates_differ
FROM staged s JOIN messages m ON {_SAME_MESSAGE}
WHERE s.round = %(round)s AND s.rank <> m.rank
"""
"""Sightings of a round that may change something; one of equal rank is the one that is known."""

QUARANTINE_CONFLICTS = f"""
WITH conflicts AS (
    DELETE FROM staged s
    USING messages m
    WHERE s.round = %(round)s AND {_SAME_MESSAGE} AND s.date <> m.date
      AND NOT {_ANCHORS}
      AND (abs(extract(epoch FROM s.date - m.date)) > {PLAUSIBLE_HOURS * 3600}
           OR extract(epoch FROM s.date - m.date) %% {ZONE_STEP_SECONDS} <> 0)
    RETURNING s.*, m.date AS anchor
)
INSERT INTO quarantine
SELECT batch, line, %(entity)s, %(account)s, account_id, id, source, 'date_conflict',
       format('another sighting of this message is dated %%s, this one %%s', anchor, date),
       format('batch %%s line %%s', batch, line), convert_to(raw::text, 'UTF8'), observed_at
FROM conflicts
"""

TAKE_REPLAYS = f"""
WITH moved AS (
    SELECT s.entity_id, s.account_id, s.id
    FROM staged s JOIN messages m ON {_SAME_MESSAGE}
    WHERE s.round = %(round)s AND s.date <> m.date AND {_ANCHORS}
)
DELETE FROM staged s
USING moved m
WHERE {_SAME_MESSAGE} AND s.round >= %(round)s
RETURNING s.account_id, s.id, s.batch
"""


def _carried_value(name: str) -> str:
    """The field's greatest non-null value, by rank."""
    return f"""CASE
        WHEN w.wins THEN coalesce(s.{name}, m.{name})
        WHEN m.{name} IS NULL THEN s.{name}
        WHEN s.{name} IS NULL OR NOT coalesce(m.carried ? '{name}', false) THEN m.{name}
        WHEN encode(s.rank, 'hex') COLLATE "C" > (m.carried ->> '{name}') THEN s.{name}
        ELSE m.{name} END"""


def _carried_rank(name: str) -> str:
    """The rank of that value where it is not the best sighting's; null otherwise."""
    return f"""CASE
        WHEN w.wins AND s.{name} IS NULL AND m.{name} IS NOT NULL
            THEN coalesce(m.carried ->> '{name}', encode(m.rank, 'hex'))
        WHEN w.wins THEN NULL
        WHEN m.{name} IS NULL AND s.{name} IS NOT NULL THEN encode(s.rank, 'hex')
        WHEN s.{name} IS NOT NULL
            THEN greatest(m.carried ->> '{name}', CASE WHEN m.carried ? '{name}'
                          THEN encode(s.rank, 'hex') END COLLATE "C")
        ELSE m.carried ->> '{name}' END"""


def _folded() -> str:
    """Every state column of the message after this sighting."""
    one_of = "CASE WHEN w.{when} THEN s.{name} ELSE m.{name} END AS {name}"
    columns = [one_of.format(when="dates", name=name) for name in DATED]
    columns += [one_of.format(when="wins", name=name) for name in BEST]
    columns += [one_of.format(when="engages", name=name) for name in ENGAGEMENT]
    columns += [f"{_carried_value(name)} AS {name}" for name in CARRIED]
    ranks = ", ".join(f"'{name}', {_carried_rank(name)}" for name in CARRIED)
    same = "CASE WHEN w.same THEN m.{0} WHEN w.wins THEN r.{1} ELSE m.{0} END"
    seen = "CASE WHEN w.same OR w.wins THEN s.observed_at END"
    columns += [
        "least(m.first_seen, s.observed_at) AS first_seen",
        "greatest(m.last_seen, s.observed_at) AS last_seen",
        f"least({same.format('version_first_seen', 'first_seen')}, {seen}) AS version_first_seen",
        f"greatest({same.format('version_last_seen', 'last_seen')}, {seen}) AS version_last_seen",
        f"nullif(jsonb_strip_nulls(jsonb_build_object({ranks})), '{{}}') AS carried",
    ]
    return ",\n        ".join(columns)


def _row(alias: str, names: tuple[str, ...]) -> str:
    return "ROW(" + ", ".join(f"{alias}.{name}" for name in names) + ")"


def _columns(alias: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


_SIMPLE = ("carried", *CARRIED, *SPANS)
_LOSER = (*KEY, "content_hash", *CONTENT, "rank")

MERGE = f"""
WITH revived AS (
    DELETE FROM superseded_versions v
    USING staged s JOIN messages m ON {_SAME_MESSAGE}
    WHERE s.round = %(round)s AND s.rank > m.rank
      AND s.content_hash IS DISTINCT FROM m.content_hash
      AND v.entity_id = s.entity_id AND v.account_id = s.account_id AND v.id = s.id
      AND v.content_hash = s.content_hash
    RETURNING {_columns("v", KEY)}, v.first_seen, v.last_seen
),
merged AS MATERIALIZED (
    SELECT {_columns("s", KEY)}, m.date AS old_date, n.*,
           w.wins OR w.engages OR w.dates
               OR {_row("n", _SIMPLE)} IS DISTINCT FROM {_row("m", _SIMPLE)} AS touched,
           {_row("n", VISIBLE)} IS DISTINCT FROM {_row("m", VISIBLE)} AS visible
    FROM staged s
    JOIN messages m ON {_SAME_MESSAGE}
    LEFT JOIN revived r ON r.entity_id = s.entity_id AND r.account_id = s.account_id
        AND r.id = s.id
    CROSS JOIN LATERAL (
        SELECT s.rank > m.rank AS wins,
               s.content_hash IS NOT DISTINCT FROM m.content_hash AS same,
               s.engagement_rank > m.engagement_rank AS engages,
               {_ANCHORS} AS dates
    ) w
    CROSS JOIN LATERAL (
        SELECT {_folded()}
    ) n
    WHERE s.round = %(round)s
),
losers AS (
    SELECT {_columns("s", _LOSER)}, s.observed_at AS first_seen, s.observed_at AS last_seen
    FROM staged s JOIN messages m ON {_SAME_MESSAGE}
    WHERE s.round = %(round)s AND s.rank < m.rank AND s.content_hash <> m.content_hash
    UNION ALL
    SELECT {_columns("m", _LOSER)}, m.version_first_seen, m.version_last_seen
    FROM staged s JOIN messages m ON {_SAME_MESSAGE}
    WHERE s.round = %(round)s AND s.rank > m.rank AND s.content_hash <> m.content_hash
),
superseded AS (
    INSERT INTO superseded_versions AS v
        ({", ".join(_LOSER)}, first_seen, last_seen)
    SELECT * FROM losers
    ON CONFLICT (entity_id, account_id, id, content_hash) DO UPDATE
    SET first_seen = least(v.first_seen, excluded.first_seen),
        last_seen = greatest(v.last_seen, excluded.last_seen),
        {
    ", ".join(
        f"{name} = CASE WHEN excluded.rank > v.rank THEN excluded.{name} ELSE v.{name} END"
        for name in (*CONTENT, "rank")
    )
}
    WHERE excluded.rank > v.rank OR excluded.first_seen < v.first_seen
       OR excluded.last_seen > v.last_seen
    RETURNING {_columns("v", KEY)}, xmax = 0 AS added
),
updated AS (
    UPDATE messages m
    SET {", ".join(f"{name} = s.{name}" for name in STATE)}
    FROM merged s
    WHERE s.touched AND {_SAME_MESSAGE}
)
SELECT count(*) FILTER (WHERE visible OR coalesce(v.added, false)) AS updated,
       array_agg(DISTINCT (date AT TIME ZONE 'UTC')::date) FILTER (WHERE touched) AS days,
       array_agg(DISTINCT (old_date AT TIME ZONE 'UTC')::date) FILTER (WHERE touched) AS old_days
FROM merged m
LEFT JOIN superseded v ON {" AND ".join(f"v.{name} = m.{name}" for name in KEY)}
"""

_LATER_WITHOUT_IT = """(
    SELECT min(r.observed_at)
    FROM complete_ranges r
    WHERE r.entity_id = m.entity_id AND r.account_id = m.account_id
      AND m.id BETWEEN r.low AND r.high AND r.observed_at > m.last_seen
)"""
MARK_DELETED = f"""
WITH concerned AS MATERIALIZED (
    SELECT m.entity_id, m.account_id, m.id
    FROM staged s JOIN messages m ON {_SAME_MESSAGE}
    WHERE m.deleted_at IS NOT NULL OR EXISTS (
        SELECT FROM complete_ranges r
        WHERE r.entity_id = %(entity)s AND r.observed_at > (SELECT min(observed_at) FROM staged)
    )
    UNION
    SELECT m.entity_id, m.account_id, m.id
    FROM complete_ranges r
    JOIN messages m ON m.entity_id = r.entity_id AND m.account_id = r.account_id
                   AND m.id BETWEEN r.low AND r.high AND m.last_seen < r.observed_at
    WHERE r.entity_id = %(entity)s AND r.observed_at = ANY(%(observed)s)
)
UPDATE messages m
SET deleted_at = {_LATER_WITHOUT_IT}
FROM concerned c
WHERE m.entity_id = c.entity_id AND m.account_id = c.account_id AND m.id = c.id
  AND m.deleted_at IS DISTINCT FROM {_LATER_WITHOUT_IT}
RETURNING (m.date AT TIME ZONE 'UTC')::date
"""
"""Begins with the few that it may concern: what was seen now, if it had been missing or if there is
an observation of later, and what an observation of now has left out. That a chat is large, or new
to the statistics, which then take it for empty, costs nothing."""


@dataclass(slots=True)
class Folded:
    """What folding staged sightings did."""

    new: int = 0
    updated: int = 0
    days: set[date] = field(default_factory=set)
    replays: list[tuple[int, int, str]] = field(default_factory=list)
    """(account_id, id, batch) of sightings whose messages must be replayed."""


def fold(connection: Connection, entity_id: int, account_id: int) -> Folded:
    """Fold all staged sightings of one chat, round by round."""
    folded = Folded()
    connection.exec_driver_sql(LOOK_UP)
    connection.exec_driver_sql(ASSIGN_ROUNDS)
    first, rounds = connection.exec_driver_sql(COUNT_ROUNDS).one()
    if rounds > 1:
        connection.exec_driver_sql("CREATE INDEX ON staged (round)")
    _insert_new(connection, folded)
    known = 2 if folded.new == first else 1  # a round of new messages only has nothing to fold
    if known <= rounds:
        connection.exec_driver_sql("ANALYZE staged (entity_id, account_id, id, round)")
    for number in range(known, rounds + 1):
        _fold_round(connection, folded, number, entity_id, account_id)
    return folded


def _insert_new(connection: Connection, folded: Folded) -> None:
    """A message seen for the first time is its sighting.

    Those sightings stay staged: folding one into itself changes nothing.
    """
    result = connection.exec_driver_sql(INSERT_NEW).one()
    folded.new += result.new
    folded.days.update(result.days or ())


def _fold_round(
    connection: Connection, folded: Folded, number: int, entity_id: int, account_id: int
) -> None:
    facts: dict[str, Any] = {"round": number, "entity": entity_id, "account": account_id}
    pending = connection.exec_driver_sql(PENDING, facts).one()
    if not pending.sightings:
        return
    if pending.dates_differ:
        connection.exec_driver_sql(QUARANTINE_CONFLICTS, facts)
        replays = connection.exec_driver_sql(TAKE_REPLAYS, facts).all()
        folded.replays += [(row.account_id, row.id, row.batch) for row in replays]
    result = connection.exec_driver_sql(MERGE, facts).one()
    folded.updated += result.updated
    folded.days.update(result.days or (), result.old_days or ())
