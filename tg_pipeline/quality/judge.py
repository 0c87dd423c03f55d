"""Judging windows: every rule is asked about a chat's days, and the verdicts are written down.

Windows of a chat that follow each other are judged together, on one state of the database. The
verdicts name that state, so it does no harm when messages change meanwhile: they are then not
the verdicts of what is there. Batches are no part of that name. Where some were loaded meanwhile,
what was found missing may be there by now, so the chat is judged again.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.landing import LandingZone
from tg_pipeline.logs import get_logger
from tg_pipeline.quality import verdicts
from tg_pipeline.quality.findings import Evidence, Span
from tg_pipeline.quality.rules import RULE_SET, RULES
from tg_pipeline.quality.verdicts import Verdict
from tg_pipeline.store import facts
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import batches, chat_days, quality_results
from tg_pipeline.store.windows import Window

Progress = Callable[[int, int], None]
"""Told how many rules have been asked about spans, of how many.

A span that is judged again is told again.
"""
ATTEMPTS = 3
"""A chat that is loaded all the time stays unjudged, and with that unpublished, until it rests."""


def judge(
    database: Database,
    zone: LandingZone,
    windows: Iterable[Window],
    *,
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Judge these windows anew and keep the verdicts; `rulings` tells them.

    Raises:
        DatabaseUnreachable, DatabaseLost
    """
    due = list(spans(windows))
    total = len(due) * len(RULES)
    for number, span in enumerate(due):
        before = number * len(RULES)

        def told(rules: int, before: int = before) -> None:
            progress(before + rules, total)

        if not any(_judge_span(database, zone, span, told) for _ in range(ATTEMPTS)):
            get_logger().warning(
                "chat.unjudged", chat=str(span.chat), reason="it is being loaded all the time"
            )


def spans(windows: Iterable[Window]) -> Iterator[Span]:
    """Windows of one chat that follow each other, as one span."""
    for chat, of_chat in itertools.groupby(sorted(set(windows)), key=lambda window: window.chat):
        following = list(of_chat)
        first, end = following[0].period, following[0].next_period
        for window in following[1:]:
            if window.period > end:
                yield Span(chat, first, end - timedelta(days=1))
                first = window.period
            end = max(end, window.next_period)
        yield Span(chat, first, end - timedelta(days=1))


def _judge_span(
    database: Database, zone: LandingZone, span: Span, told: Callable[[int], None]
) -> bool:
    """Judge once; whether no batch was loaded or withdrawn meanwhile."""
    with database.snapshot() as connection:
        loaded = _loaded(connection, span.chat)
        found = _judged(Evidence(connection, zone), span, told)
    with database.transaction() as connection:
        facts.lock_chat(connection, span.chat)
        if _loaded(connection, span.chat) != loaded:
            return False
        _keep_days(connection, found)
        verdicts.write(connection, found)
    get_logger().info(
        "chat.judged", chat=str(span.chat), first=f"{span.first}", last=f"{span.last}",
        verdicts=len(found), findings=sum(verdict.findings for verdict in found),
    )  # fmt: skip
    return True


def _loaded(connection: Connection, chat: ChatKey) -> set[tuple[str, int]]:
    """The loaded batches, each with the transaction that loaded it."""
    query = sa.select(batches.c.batch, batches.c.written_by).where(facts.of_chat(batches, chat))
    return {(batch, written_by) for batch, written_by in connection.execute(query)}


def _judged(evidence: Evidence, span: Span, told: Callable[[int], None]) -> list[Verdict]:
    """A verdict under every rule for each day that is or was there, or that has findings."""
    days = _days(evidence.connection, span)
    found: dict[date, dict[str, Verdict]] = {day: _passed(span, day, *days[day]) for day in days}
    for asked, rule in enumerate(RULES, start=1):
        for finding in rule.search(evidence, span):
            if finding.day not in found:  # all of it is lost
                found[finding.day] = _passed(span, finding.day, rows=0, digest=0)
            found[finding.day][rule.name].add(finding, rule.outcome(finding))
        told(asked)
    return [verdict for of_day in found.values() for verdict in of_day.values()]


def _passed(span: Span, day: date, rows: int, digest: int) -> dict[str, Verdict]:
    return {rule.name: Verdict(span.chat, day, rule.name, RULE_SET, rows, digest) for rule in RULES}


def _days(connection: Connection, span: Span) -> dict[date, tuple[int, int]]:
    """Rows and digest of each day; none of either where only an earlier verdict knows the day."""
    found = dict.fromkeys(connection.scalars(_in_span(quality_results, span, "day")), (0, 0))
    counted = connection.execute(_in_span(chat_days, span, "day", "rows", "digest"))
    return found | {day: (rows, digest) for day, rows, digest in counted}


def _in_span(table: sa.Table, span: Span, *names: str) -> sa.Select[Any]:
    of_days = table.c.day.between(span.first, span.last)
    columns = (table.c[name] for name in names)
    return sa.select(*columns).where(facts.of_chat(table, span.chat), of_days).distinct()


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
