"""The Markdown that all reference pages are made of."""

import re
from collections.abc import Iterable, Sequence

_HEAD = "<!-- made from the code by scripts/reference -->"
_PLACEHOLDER = re.compile(r"<(\w+)>")


def page(title: str, *parts: str) -> str:
    """A page of paragraphs, headings and tables."""
    return "\n\n".join((f"# {title}", _HEAD, *parts)) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a line in a cell stays one, and a bar in it does not end it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: object) -> str:
    """Text as it would be typed; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def words(text: str) -> str:
    """A sentence out of the code; `<home>` in it is no HTML."""
    return _PLACEHOLDER.sub(r"&lt;\1&gt;", text)


def summary(of: object) -> str:
    """The first line of a docstring."""
    return words((of.__doc__ or "").strip().splitlines()[0])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
