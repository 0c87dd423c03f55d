"""What a publication did, window by window."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tg_pipeline.errors import QualityRefused
from tg_pipeline.exports.ledger import Entry
from tg_pipeline.files import Place
from tg_pipeline.quality import Ruling
from tg_pipeline.store.windows import Window


class Outcome(StrEnum):
    """What became of a window."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    """It holds no rows, so there is no file; those it had are withdrawn."""
    REFUSED = "refused"
    """The quality gate is closed; files it had stay as they are."""


@dataclass(frozen=True, slots=True)
class PublishedWindow:
    """A window and the files that hold it."""

    window: Window
    outcome: Outcome
    data_version: str
    files: tuple[Entry, ...]
    ruling: Ruling
    withdrawn: tuple[Entry, ...] = ()

    @property
    def rows(self) -> int:
        """Messages in the window."""
        return max((file.rows for file in self.files), default=0)

    @property
    def bytes(self) -> int:
        """Size of its files together."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did."""

    windows: tuple[PublishedWindow, ...]
    withdrawn: tuple[Entry, ...]
    manifest: Place
    manifest_replaced: bool

    def count(self, outcome: Outcome) -> int:
        """How many windows came out like that."""
        return sum(window.outcome is outcome for window in self.windows)

    @property
    def refused(self) -> tuple[PublishedWindow, ...]:
        """Windows that the quality gate kept from being published."""
        return tuple(window for window in self.windows if window.outcome is Outcome.REFUSED)

    @property
    def changed(self) -> tuple[Window, ...]:
        """Windows that are not as they were before, or were refused."""
        return tuple(
            one.window
            for one in self.windows
            if one.withdrawn or one.outcome in {Outcome.WRITTEN, Outcome.REFUSED}
        )

    def require_all(self) -> None:
        """Be content only if nothing was refused.

        Raises:
            QualityRefused: the quality gate kept something back.
        """
        if self.refused:
            raise QualityRefused(
                tuple(
                    f"{one.window} ({', '.join(one.ruling.failing) or 'not judged yet'})"
                    for one in self.refused
                )
            )

    @property
    def rows(self) -> int:
        """Messages in the published windows; those that were refused do not count."""
        return sum(window.rows for window in self._published)

    @property
    def bytes(self) -> int:
        """Size of the published windows' files."""
        return sum(window.bytes for window in self._published)

    @property
    def written(self) -> int:
        """How many files were written."""
        return self._files(Outcome.WRITTEN)

    @property
    def unchanged(self) -> int:
        """How many files were up to date."""
        return self._files(Outcome.UNCHANGED)

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "manifest": str(self.manifest),
            "manifest_replaced": self.manifest_replaced,
            "windows": len(self.windows),
            "messages": self.rows,
            "files_written": self.written,
            "files_unchanged": self.unchanged,
            "files_withdrawn": len(self.withdrawn),
            "windows_refused": [
                {
                    "chat": str(refused.window.chat),
                    "period": f"{refused.window.period}",
                    "verdict": refused.ruling.outcome.value,
                    "rules": list(refused.ruling.failing),
                }
                for refused in self.refused
            ],
            "bytes": self.bytes,
        }

    @property
    def _published(self) -> Iterator[PublishedWindow]:
        return (window for window in self.windows if window.outcome is not Outcome.REFUSED)

    def _files(self, outcome: Outcome) -> int:
        return sum(len(window.files) for window in self.windows if window.outcome is outcome)
