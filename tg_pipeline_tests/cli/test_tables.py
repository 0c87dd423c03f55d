"""A table looks the same whether Rich had to fold it or padding was enough."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tg_pipeline.cli import tables

CELLS = st.text(st.sampled_from("ab 12-漢é\u0301🕊"), max_size=12).map(str.rstrip)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5)


def console(width: int = 160) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False)


@given(ROWS, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_what_fits_is_laid_out_as_rich_would(
    rows: list[tuple[str, str, str]], numeric: tuple[bool, bool, bool]
) -> None:
    columns = ("chat", "n", "title")
    by_rich = tables._folded(console(), columns, rows, numeric)

    assert tables.drawn(console(), columns, rows, numeric).split("\n") == [
        line.rstrip() for line in by_rich
    ]


def test_what_does_not_fit_is_folded_and_nothing_is_lost() -> None:
    word = "a" * 40
    text = tables.drawn(console(20), ("key", "text"), [("1", word)], (True, False))

    assert all(len(line) <= 20 for line in text.splitlines())
    assert text.count("a") == 40


def test_a_line_break_stays_within_its_column() -> None:
    text = tables.drawn(console(), ("key", "text"), [("1", "two\nlines")], (False, False))

    assert text.splitlines() == ["key  text", "1    two", "     lines"]
