"""What a rule says: what it is, and what it found on which day."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.landing import LandingZone


class Outcome(StrEnum):
    """How a day stands under a rule, or a window under all rules."""

    PASSED = "passed"
    WARNING = "warning"
    """There are findings, and they do not keep the day from being published."""
    FAILED = "failed"
    MISSING = "missing"
    """Nobody has judged the present data; never stored."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found. `day` is UTC; `id` is the message's, where there is one."""

    day: date
    id: int | None
    what: str
    warning: bool = False
    """Whether it is no more than a warning, although the rule may fail a day."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of one chat that are judged together, first and last included. Days are UTC."""

    chat: ChatKey
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Evidence:
    """What rules look at: one state of the database, and the landing zone."""

    connection: Connection
    zone: LandingZone


Search: TypeAlias = Callable[[Evidence, Span], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of quality. `promise` says what holds when it passes."""

    name: str
    promise: str
    search: Search
    only_warns: bool = False

    def outcome(self, finding: Finding) -> Outcome:
        """What one finding makes of its day."""
        return Outcome.WARNING if self.only_warns or finding.warning else Outcome.FAILED
