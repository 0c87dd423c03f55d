"""Verdicts as rows: one for each day and rule, bound to the rows and digest that were judged."""

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.quality.findings import Finding, Outcome
from tg_pipeline.store.tables import quality_results

EXAMPLES_KEPT = 5
_ROWS_AT_ONCE = 1_000
Example = tuple[bool, bool, int, str]
"""Whether it only warns, whether it is about a message, which, and what: told in this order."""


@dataclass(slots=True)
class Verdict:
    """How one day of a chat stands under one rule. `rows` and `digest` say which data."""

    chat: ChatKey
    day: date
    rule: str
    rule_set: str
    rows: int
    digest: int
    outcome: Outcome = Outcome.PASSED
    findings: int = 0
    examples: list[Example] = field(default_factory=list)

    @property
    def order(self) -> tuple[ChatKey, date, str]:
        """In which rows are written: always the same, so that two judges never block each other."""
        return (self.chat, self.day, self.rule)

    def add(self, finding: Finding, outcome: Outcome) -> None:
        """Count a finding. The gravest are kept as examples, whatever order they are found in."""
        self.findings += 1
        if outcome is Outcome.FAILED or self.outcome is Outcome.PASSED:
            self.outcome = outcome
        only_warns, number = outcome is not Outcome.FAILED, finding.id
        example = (only_warns, number is not None, number or 0, finding.what)
        bisect.insort(self.examples, example)
        del self.examples[EXAMPLES_KEPT:]

    def as_row(self) -> dict[str, Any]:
        """For the table."""
        return {
            "entity_id": self.chat.entity_id,
            "account_id": self.chat.account_id,
            "day": self.day,
            "rule": self.rule,
            "rule_set": self.rule_set,
            "rows": self.rows,
            "digest": self.digest,
            "outcome": self.outcome.value,
            "findings": self.findings,
            "examples": [
                {"day": f"{self.day}", "id": number if of_message else None, "what": what}
                for _, of_message, number, what in self.examples
            ],
        }


def write(connection: Connection, verdicts: Iterable[Verdict]) -> None:
    """Put verdicts in place of those given before on the same days.

    One that says the same as before is no change: the row keeps the transaction that wrote it.
    """
    now = datetime.now(UTC)
    ordered = sorted(verdicts, key=lambda verdict: verdict.order)
    rows = [verdict.as_row() | {"judged_at": now} for verdict in ordered]
    statement = insert(quality_results)
    key = [column.name for column in quality_results.primary_key]
    fresh = {c.name: statement.excluded[c.name] for c in quality_results.c if c.name not in key}
    said = [name for name in fresh if name not in {"judged_at", "written_by"}]
    written_by: Any = sa.case(
        (
            sa.tuple_(*(quality_results.c[name] for name in said)).is_distinct_from(
                sa.tuple_(*(statement.excluded[name] for name in said))
            ),
            statement.excluded.written_by,
        ),
        else_=quality_results.c.written_by,
    )
    fresh["written_by"] = written_by
    upsert = statement.on_conflict_do_update(index_elements=key, set_=fresh)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.execute(upsert, rows[start : start + _ROWS_AT_ONCE])
