"""Verdicts as rows: one for each day and rule, bound to the rows and digest that were judged."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.quality.findings import Finding, Outcome
from tg_pipeline.store.tables import quality_results

EXAMPLES_KEPT = 5
_ROWS_AT_ONCE = 1_000


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
    examples: tuple[dict[str, Any], ...] = ()

    def add(self, finding: Finding, outcome: Outcome) -> None:
        """Count a finding; the first few are kept as examples."""
        self.findings += 1
        if outcome is Outcome.FAILED or self.outcome is Outcome.PASSED:
            self.outcome = outcome
        if len(self.examples) < EXAMPLES_KEPT:
            told = {"day": f"{finding.day}", "id": finding.id, "what": finding.what}
            self.examples = (*self.examples, told)


def write(connection: Connection, verdicts: Sequence[Verdict]) -> None:
    """Put verdicts in place of those given before on the same days."""
    now = datetime.now(UTC)
    rows = [_row(verdict) | {"judged_at": now} for verdict in verdicts]
    statement = insert(quality_results)
    key = [column.name for column in quality_results.primary_key]
    fresh = {c.name: statement.excluded[c.name] for c in quality_results.c if c.name not in key}
    upsert = statement.on_conflict_do_update(index_elements=key, set_=fresh)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.execute(upsert, rows[start : start + _ROWS_AT_ONCE])


def _row(verdict: Verdict) -> dict[str, Any]:
    fields = asdict(verdict)
    chat: dict[str, Any] = fields.pop("chat")
    return chat | fields
