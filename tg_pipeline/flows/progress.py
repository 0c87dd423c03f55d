"""How flows tell how far they are, without knowing who shows it."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Step:
    """One report: `done` of `total` units of a named piece of work.

    Attributes:
        detail: what more there is to tell of it now.
        pause: it is a wait, which interrupts the work that was told of before.
    """

    what: str
    done: int
    total: int
    unit: str
    detail: str = ""
    pause: bool = False


class Progress(Protocol):
    """Called often; must be cheap."""

    def __call__(self, step: Step, /) -> None:
        """Take one report."""


def silent(_step: Step, /) -> None:
    """Show nothing."""
