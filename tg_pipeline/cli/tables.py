"""Rows laid out as a table.

Rich folds cells that are too wide, and takes 0.4 ms a row for it, so it is asked only where
something has to be folded: a `status` of 1,000 chats would spend a third of its time there.
"""

from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_GAP = "  "
_NEVER_FOLDED = 32
Row = Sequence[str]


def drawn(console: Console, columns: Row, rows: Sequence[Row], numeric: Sequence[bool]) -> str:
    """The table as text of the console's width; the columns that are numeric to the right."""
    widths = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    fits = sum(widths) + len(_GAP) * (len(widths) - 1) <= console.width
    if fits and all(text.isprintable() for row in rows for text in row):
        lines: Iterable[str] = _padded(console, columns, rows, widths, numeric)
    else:
        lines = _folded(console, columns, rows, numeric)
    return "\n".join(line.rstrip() for line in lines)


def _padded(
    console: Console,
    columns: Row,
    rows: Sequence[Row],
    widths: Sequence[int],
    right: Sequence[bool],
) -> Iterator[str]:
    with console.capture() as heading:
        console.print(Text(_line(columns, widths, right).rstrip(), style="bold"))
    yield heading.get().rstrip("\n")
    for row in rows:
        yield _line(row, widths, right)


def _line(row: Row, widths: Sequence[int], right: Sequence[bool]) -> str:
    return _GAP.join(
        " " * (width - cell_len(text)) + text if to_right else text + " " * (width - cell_len(text))
        for text, width, to_right in zip(row, widths, right, strict=True)
    )


def _folded(
    console: Console, columns: Row, rows: Sequence[Row], numeric: Sequence[bool]
) -> list[str]:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        short = all(len(row[place]) <= _NEVER_FOLDED for row in rows)
        table.add_column(
            name, justify="right" if numeric[place] else "left", overflow="fold", no_wrap=short
        )
    for row in rows:
        table.add_row(*map(Text, row))
    with console.capture() as folded:
        console.print(table)
    return folded.get().splitlines()
