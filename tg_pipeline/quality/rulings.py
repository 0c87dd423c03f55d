"""The gate: how windows stand, told from the verdicts on the data that is there now.

A verdict counts for the rows and digest it was given on, and for the present set of rules. Any
day that no such verdict covers leaves its window unjudged, and an unjudged window is closed. So
does a day that was judged once and of which not even the count is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.quality.findings import Outcome
from tg_pipeline.quality.rules import RULE_SET, RULES
from tg_pipeline.quality.verdicts import EXAMPLES_KEPT
from tg_pipeline.store.windows import Content, Grain, Window, contents

Examples = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RuleRuling:
    """How a window stands under one rule. `judged_at` is UTC, of the oldest verdict."""

    rule: str
    outcome: Outcome
    findings: int
    examples: Examples
    judged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a window stands at the data version it has."""

    window: Window
    version: str
    rows: int
    rules: tuple[RuleRuling, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of the rules; a window without messages and findings has passed."""
        found = {rule.outcome for rule in self.rules}
        worst = (Outcome.FAILED, Outcome.MISSING, Outcome.WARNING)
        return next((outcome for outcome in worst if outcome in found), Outcome.PASSED)

    @property
    def is_open(self) -> bool:
        """Whether it may be published."""
        return self.outcome in {Outcome.PASSED, Outcome.WARNING}

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of the rules that close it."""
        return tuple(rule.rule for rule in self.rules if rule.outcome is Outcome.FAILED)

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "chat": str(self.window.chat),
            "period": f"{self.window.period}",
            "grain": self.window.grain,
            "messages": self.rows,
            "data_version": self.version,
            "verdict": self.outcome.value,
            "rules": [
                {
                    "rule": rule.rule,
                    "outcome": rule.outcome.value,
                    "findings": rule.findings,
                    "examples": list(rule.examples),
                    "judged_at": rule.judged_at,
                }
                for rule in self.rules
            ],
        }


def unjudged(window: Window, held: Content) -> Ruling:
    """How a window stands that nobody has judged as it is."""
    rules = tuple(RuleRuling(rule.name, Outcome.MISSING, 0, (), None) for rule in RULES)
    return Ruling(window, held.version, held.rows, rules)


_RULED = """
WITH asked AS (
    SELECT * FROM unnest(CAST(:entities AS bigint[]), CAST(:accounts AS bigint[]))
        AS a(entity_id, account_id)
), days AS (
    SELECT entity_id, account_id, day, rows, digest
    FROM chat_days JOIN asked USING (entity_id, account_id)
    WHERE day >= :first AND day < :end
    UNION ALL
    SELECT DISTINCT entity_id, account_id, day, 0, 0
    FROM quality_results q JOIN asked USING (entity_id, account_id)
    WHERE day >= :first AND day < :end AND NOT EXISTS (
        SELECT FROM chat_days c
        WHERE c.entity_id = q.entity_id AND c.account_id = q.account_id AND c.day = q.day
    )
)
SELECT d.entity_id, d.account_id, date_trunc(:grain, d.day)::date AS period, r.rule,
       count(*) FILTER (WHERE q.rule IS NULL) AS missing,
       count(*) FILTER (WHERE q.outcome = 'failed') AS failed,
       count(*) FILTER (WHERE q.outcome = 'warning') AS warned,
       coalesce(sum(q.findings), 0)::bigint AS findings, min(q.judged_at) AS judged_at
FROM days d
CROSS JOIN unnest(CAST(:rules AS text[])) AS r(rule)
LEFT JOIN quality_results q
  ON q.entity_id = d.entity_id AND q.account_id = d.account_id AND q.day = d.day
 AND q.rule = r.rule AND q.rule_set = :rule_set AND q.rows = d.rows AND q.digest = d.digest
GROUP BY 1, 2, 3, 4
"""
_EXAMPLES = """
SELECT q.entity_id, q.account_id, date_trunc(:grain, q.day)::date AS period, q.rule, q.examples
FROM quality_results q
JOIN chat_days d USING (entity_id, account_id, day, rows, digest)
WHERE q.outcome <> 'passed' AND q.rule_set = :rule_set
  AND (q.entity_id, q.account_id) IN (
          SELECT * FROM unnest(CAST(:entities AS bigint[]), CAST(:accounts AS bigint[])))
  AND q.day >= :first AND q.day < :end
ORDER BY (q.outcome = 'failed') DESC, q.day
"""


def rulings(
    connection: Connection, windows: Sequence[Window], *, with_examples: bool = True
) -> dict[Window, Ruling]:
    """How each window stands.

    Args:
        connection: a snapshot (`Database.snapshot`), so that versions and verdicts belong together.
        windows: of any chats and grains.
        with_examples: of what was found; reading them takes as long as all the rest.
    """
    held = contents(connection, windows)
    found: dict[Window, Ruling] = {}
    for grain in sorted({window.grain for window in windows}):
        wanted = [window for window in windows if window.grain == grain]
        ruled = _ruled(connection, wanted, grain, with_examples)
        for window in wanted:
            content = held[window]
            found[window] = Ruling(
                window, content.version, content.rows, tuple(ruled.get(window, {}).values())
            )
    return found


def _ruled(
    connection: Connection, windows: Sequence[Window], grain: Grain, with_examples: bool
) -> dict[Window, dict[str, RuleRuling]]:
    parameters = _parameters(windows, grain)
    found = connection.execute(sa.text(_EXAMPLES), parameters) if with_examples else ()
    examples = _examples(found, grain)
    named: dict[Window, dict[str, RuleRuling]] = {}
    for row in connection.execute(sa.text(_RULED), parameters):
        window = Window(ChatKey(row.entity_id, row.account_id), row.period, grain)
        named.setdefault(window, {})[row.rule] = RuleRuling(
            row.rule, _outcome(row), row.findings, examples.get((window, row.rule), ()),
            row.judged_at,
        )  # fmt: skip
    return {
        window: {rule.name: rules[rule.name] for rule in RULES} for window, rules in named.items()
    }


def _outcome(row: sa.Row[Any]) -> Outcome:
    if row.failed:
        return Outcome.FAILED
    if row.missing:
        return Outcome.MISSING
    return Outcome.WARNING if row.warned else Outcome.PASSED


def _examples(rows: Iterable[sa.Row[Any]], grain: Grain) -> Mapping[tuple[Window, str], Examples]:
    found: dict[tuple[Window, str], Examples] = {}
    for row in rows:
        key = (Window(ChatKey(row.entity_id, row.account_id), row.period, grain), row.rule)
        found[key] = (*found.get(key, ()), *row.examples)[:EXAMPLES_KEPT]
    return found


def _parameters(windows: Sequence[Window], grain: Grain) -> dict[str, Any]:
    chats = sorted({window.chat for window in windows})
    return {
        "grain": grain,
        "rules": [rule.name for rule in RULES],
        "rule_set": RULE_SET,
        "entities": [chat.entity_id for chat in chats],
        "accounts": [chat.account_id for chat in chats],
        "first": min(window.period for window in windows),
        "end": max(window.next_period for window in windows),
    }
