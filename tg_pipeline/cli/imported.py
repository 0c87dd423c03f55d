"""What `tg-pipeline import` tells: of each file as it ends, and of all of them together."""

import functools
import operator
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tg_pipeline.flows import FileReport, Imports
    from tg_pipeline.store.load import Counts

_NAMED = 3
_EXPLAINED = 3
"""Refusals for one reason are told with their remedy so often; further ones in a line each."""


class Told:
    """Files told so far."""

    def __init__(self) -> None:
        self.reports: list[FileReport] = []
        self._refused: Counter[str] = Counter()

    def tell(self, report: "FileReport") -> None:
        """Tell of a file."""
        from tg_pipeline.cli.console import show

        self.reports.append(report)
        if gone := [chat for chat in report.withdrawn if chat not in report.chats]:
            show.text(
                f"{report.path}: an earlier import of it is withdrawn, and with it all that it "
                f"brought to {_named(gone)}"
            )
        if report.error is not None:
            self._refused[report.error.code] += 1
            if self._refused[report.error.code] <= _EXPLAINED:
                show.error(report.error)
            else:
                show.refused(report.error)
            return
        show.text(
            f"{report.path}: {report.outcome.value}: {_told(report.counts)}"
            + (f", {report.repaired:,} repaired" if report.repaired else "")
            + (f" ({report.reason})" if report.reason else "")
        )
        for note in report.notes:
            show.warn(note)

    def tell_all(self, imports: "Imports") -> None:
        """Tell of all files, where there were several, and of what was passed over."""
        from tg_pipeline.cli.console import show

        for note in imports.notes:
            show.warn(note)
        if len(self.reports) > 1:
            outcomes = Counter(report.outcome.value for report in self.reports)
            told = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
            counts = functools.reduce(operator.add, (report.counts for report in self.reports))
            show.text(f"{len(self.reports):,} files: {told}; {_told(counts)}")
        if self._refused.total() > 1:
            codes = ", ".join(f"{count:,} {code}" for code, count in self._refused.most_common())
            show.text(f"Refused: {codes}")
        if imports.others:
            show.note(f"{imports.others:,} other files not looked at")
        if any(report.counts.quarantined for report in self.reports):
            show.note("`tg-pipeline quarantine list` shows what could not be understood, and why.")


def _named(chats: list[str]) -> str:
    more = f" and {len(chats) - _NAMED:,} chats more" if len(chats) > _NAMED else ""
    return ", ".join(chats[:_NAMED]) + more


def _told(counts: "Counts") -> str:
    return (
        f"{counts.read:,} read, {counts.new:,} new, {counts.updated:,} updated, "
        f"{counts.unchanged:,} unchanged, {counts.quarantined:,} quarantined"
    )
