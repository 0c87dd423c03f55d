"""What people see: results on standard output, everything else on standard error."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from tg_pipeline.cli import tables
from tg_pipeline.errors import TgPipelineError
from tg_pipeline.flows.progress import Step

_WIDTH_OF_PIPES = 1 << 20
"""Nothing is folded there: what reads a pipe reads it by lines."""
_SPEED_SECONDS = 600
"""Over so long a time the speed is measured that says what is left."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Show:
    """All output goes through here."""

    def __init__(self) -> None:
        self.quiet = False
        self.out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_PIPES)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """A line that a person may want and a program does not."""
        if not self.quiet:
            self.err.print(Text(_visible(text), style="dim"))

    def ask(self, text: str) -> None:
        """What belongs to a question, and is shown however quiet it shall be."""
        self.err.print(Text(_visible(text)))

    def warn(self, text: str) -> None:
        """A line that a person should read."""
        self.err.print(Text.assemble(("warning: ", "yellow"), _visible(text)))

    def error(self, error: TgPipelineError) -> None:
        """What happened, where, and what to do."""
        self.err.print(Text.assemble(("error: ", "bold red"), _visible(error.message)))
        self.err.print(Text.assemble(("   do: ", "bold"), _visible(error.remedy)))
        self.err.print(Text(f" code: {error.code}", style="dim"))

    def refused(self, error: TgPipelineError) -> None:
        """What happened, in a line, where the remedy was told before."""
        told = _visible(f"{error.message} ({error.code})")
        self.err.print(Text.assemble(("error: ", "bold red"), told))

    def json(self, value: object) -> None:
        """One JSON document; times in UTC."""
        sys.stdout.write(orjson.dumps(value, default=_plain, option=_JSON_OPTIONS).decode() + "\n")

    def text(self, text: str) -> None:
        """A plain line of the result."""
        self.out.print(Text(_visible(text)))

    def field(self, name: str, value: object) -> None:
        """One named value on a line."""
        self.out.print(Text.assemble((f"{name:>12}  ", "bold"), _cell(value)[0]))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows as a table; numbers to the right. Untrusted text is never markup."""
        body = [[_cell(value) for value in row] for row in rows]
        texts = [[text for text, _ in row] for row in body]
        numeric = [
            bool(body) and all(row[place][1] for row in body) for place in range(len(columns))
        ]
        self.out.out(tables.drawn(self.out, columns, texts, numeric), highlight=False)

    def csv(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows as CSV, safe to open in a spreadsheet."""
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(value) for value in row] for row in rows)

    @contextmanager
    def progress(self) -> Iterator["Shown"]:
        """A bar with the time left, on a terminal only. Waits count: they are part of the speed."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        hidden = self.quiet or not self.err.is_terminal
        with Progress(
            *columns,
            console=self.err,
            transient=True,
            disable=hidden,
            speed_estimate_period=_SPEED_SECONDS,
        ) as bar:
            yield Shown(bar)


class Shown:
    """A progress bar that follows a flow's reports."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        """Take one report; a pause is shown below what it interrupts, all else by itself."""
        if step.what not in self._tasks:
            self._tasks[step.what] = self._bar.add_task(step.what, total=step.total)
        for what, task in self._tasks.items():
            if what != step.what and not step.pause:
                self._bar.update(task, visible=False)
        self._bar.update(
            self._tasks[step.what],
            description=_visible(f"{step.what} {step.detail}".rstrip()).replace("\n", " "),
            completed=step.done,
            total=step.total,
            visible=True,
        )


_JSON_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def _plain(value: object) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return str(value)


def _cell(value: object) -> tuple[str, bool]:
    """The text of a cell and whether it is a number."""
    if isinstance(value, bool) or value is None:
        return ("" if value is None else str(value).lower(), value is None)
    if isinstance(value, int | float | Decimal):
        return (str(value), True)
    return (_text(value), False)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=_plain).decode()
    return _visible(str(value))


def _visible(text: str) -> str:
    """Text whose control characters cannot steer the terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def _csv_cell(value: object) -> object:
    if value is None or isinstance(value, int | float | Decimal):
        return value
    text = value if isinstance(value, str) else _text(value)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


show = Show()
