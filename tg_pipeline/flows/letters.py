"""Letters: a text file beside what was taken from the inbox, for the person who dropped it.

It tells names, counts, faults and remedies, and nothing of what the messages say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tg_pipeline.contracts import FileOutcome
from tg_pipeline.flows.import_files import FileReport

_AGAIN = """\
When it is mended, put it into the inbox again: what is in the archive already is not doubled.
Options such as --timezone are for `tg-pipeline import`; the inbox takes the settings
TG_PIPELINE_TIMEZONE and TG_PIPELINE_ACCOUNT instead."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A text and the ending of the name it lies under."""

    ending: str
    text: str

    def beside(self, place: Path) -> Path:
        """Where the letter about this file or folder lies."""
        return place.with_name(place.name + self.ending)


def letter_about(name: str, reports: Sequence[FileReport], inbox: Path) -> Letter | None:
    """A reason if a file was refused, a note if one was not read whole, else nothing."""
    if any(report.outcome is FileOutcome.REFUSED for report in reports):
        good = any(report.outcome is not FileOutcome.REFUSED for report in reports)
        what = "was imported only in part" if good else "could not be imported"
        return Letter(".reason.txt", _text(f"{name} {what}.", reports, inbox, _AGAIN))
    if any(_is_wanting(report) for report in reports):
        return Letter(".note.txt", _text(f"{name} was imported, with gaps.", reports, inbox))
    return None


def _is_wanting(report: FileReport) -> bool:
    return report.outcome is FileOutcome.PARTIAL or report.counts.quarantined > 0


def _text(title: str, reports: Sequence[FileReport], inbox: Path, *closing: str) -> str:
    looked = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, tg-pipeline {version('tg-pipeline')}"
    files = ["\n".join(_about(report, inbox)) for report in reports]
    return "\n\n".join([_plain(title), *files, *closing, looked]) + "\n"


def _about(report: FileReport, inbox: Path) -> Iterator[str]:
    def plain(text: str) -> str:
        return _plain(text.replace(f"{inbox}/", "", 1))

    counts = report.counts
    told = f", {counts.read:,} records read" if report.error is None else ""
    yield f"{plain(str(report.path))}: {report.outcome.value}{told}"
    if report.error is not None:
        yield f"  what happened: {plain(report.error.message)}"
        yield f"  what to do: {plain(report.error.remedy)}"
        yield f"  code: {report.error.code}"
    if report.outcome is FileOutcome.PARTIAL:
        yield f"  what happened: {plain(report.reason or 'the file was cut')}"
        yield "  what to do: Put the whole file into the inbox; only what is missing is added."
    if counts.quarantined:
        yield f"  what happened: {counts.quarantined:,} records could not be understood"
        yield "  what to do: `tg-pipeline quarantine list` shows them and why."


def _plain(text: str) -> str:
    """In one line, whatever characters a name holds."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
