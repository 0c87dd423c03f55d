"""How flows tell how far they are, without knowing who shows it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Step:
    """One report: `done` of `total` units of a named piece of work."""

    what: str
    done: int
    total: int
    unit: str


class Progress(Protocol):
    """Called often; must be cheap."""

    def __call__(self, step: Step, /) -> None:
        """Take one report."""


def silent(_step: Step, /) -> None:
    """Show nothing."""
