"""`tg-pipeline sql`: a query, run by a role that can only read."""

from enum import StrEnum
from typing import Annotated

import typer

from tg_pipeline.cli.options import Home, Quiet, Verbose, archive, load_settings


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT.")],
    fmt: Annotated[Format, typer.Option("--format", help="How to print rows.")] = Format.TABLE,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Query the archive. Times are UTC.

    Examples:
      tg-pipeline sql "SELECT title, type FROM chats"

      tg-pipeline sql "SELECT date, text FROM messages ORDER BY date DESC LIMIT 5" --format csv
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened, flows.query(opened, query) as stream:
        columns = next(stream)
        match fmt:
            case Format.TABLE:
                show.table(columns, stream)
            case Format.CSV:
                show.csv(columns, stream)
            case Format.JSON:
                show.json([dict(zip(columns, row, strict=True)) for row in stream])
