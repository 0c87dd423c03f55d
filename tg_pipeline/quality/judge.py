"""Judging windows: every rule is asked about a chat's days, and the verdicts are written down.

Windows of a chat that follow each other are judged together, on one state of the database. The
verdicts name that state, so it does no harm when the data changes meanwhile: they are then not
the verdicts of what is there.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.landing import LandingZone
from tg_pipeline.logs import get_logger
from tg_pipeline.quality import verdicts
from tg_pipeline.quality.findings import Evidence, Span
from tg_pipeline.quality.rules import RULE_SET, RULES
from tg_pipeline.quality.verdicts import Verdict
from tg_pipeline.store import facts
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import chat_days
from tg_pipeline.store.windows import Window

Progress = Callable[[Span], None]


def judge(
    database: Database,
    zone: LandingZone,
    windows: Iterable[Window],
    *,
    progress: Progress = lambda _: None,
) -> None:
    """Judge these windows anew and keep the verdicts; `rulings` tells them.

    Raises:
        DatabaseUnreachable, DatabaseLost
    """
    for span in spans(windows):
        with database.snapshot() as connection:
            found = _judged(Evidence(connection, zone), span)
        with database.transaction() as connection:
            _keep_days(connection, found)
            verdicts.write(connection, found)
        get_logger().info(
            "chat.judged", chat=str(span.chat), first=f"{span.first}", last=f"{span.last}",
            verdicts=len(found), findings=sum(verdict.findings for verdict in found),
        )  # fmt: skip
        progress(span)


def spans(windows: Iterable[Window]) -> Iterator[Span]:
    """Windows of one chat that follow each other, as one span."""
    for chat, of_chat in itertools.groupby(sorted(set(windows)), key=lambda window: window.chat):
        first: date | None = None
        end: date | None = None
        for window in of_chat:
            if first is None or end is None or window.period > end:
                if first is not None and end is not None:
                    yield Span(chat, first, end - timedelta(days=1))
                first = window.period
            end = window.next_period
        if first is not None and end is not None:
            yield Span(chat, first, end - timedelta(days=1))


def _judged(evidence: Evidence, span: Span) -> list[Verdict]:
    """A verdict for every day that is there under every rule, and for lost days with findings."""
    days = _days(evidence.connection, span)
    found = {
        (day, rule.name): Verdict(span.chat, day, rule.name, RULE_SET, *days[day])
        for day in days
        for rule in RULES
    }
    for rule in RULES:
        for finding in rule.search(evidence, span):
            verdict = found.setdefault(
                (finding.day, rule.name),
                Verdict(span.chat, finding.day, rule.name, RULE_SET, rows=0, digest=0),
            )
            verdict.add(finding, rule.outcome(finding))
    return list(found.values())


def _days(connection: Connection, span: Span) -> dict[date, tuple[int, int]]:
    query = sa.select(chat_days.c.day, chat_days.c.rows, chat_days.c.digest).where(
        facts.of_chat(chat_days, span.chat), chat_days.c.day.between(span.first, span.last)
    )
    return {day: (rows, digest) for day, rows, digest in connection.execute(query)}


def _keep_days(connection: Connection, found: Iterable[Verdict]) -> None:
    """A day of which everything is lost has a row too: a verdict is always one on such a row."""
    lost = sorted({(verdict.chat, verdict.day) for verdict in found if verdict.rows == 0})
    if lost:
        rows = [
            {"entity_id": chat.entity_id, "account_id": chat.account_id, "day": day}
            | {"rows": 0, "digest": 0}
            for chat, day in lost
        ]
        connection.execute(insert(chat_days).on_conflict_do_nothing(), rows)
