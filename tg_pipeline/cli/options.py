"""Options that every command has, and the session they open."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tg_pipeline.errors import UsageError

if TYPE_CHECKING:
    from tg_pipeline.contracts import ChatKey
    from tg_pipeline.flows import Archive
    from tg_pipeline.settings import Loaded

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Folder of the archive; default ./.tg_pipeline.",
        metavar="DIR",
        readable=False,  # whoever opens it says what is wrong, and what to do
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, show_default=False, help="Show log events and tracebacks."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show results and errors only.")]


def no_options(context: typer.Context, words: list[str] | None) -> list[str] | None:
    """Refuse what begins with a minus and is no id: where ids may be, nobody else looks."""
    for word in words or ():
        if word.startswith("-") and not word[1:2].isdigit():
            remedy = f"`{context.command_path} --help` shows those there are."
            raise UsageError(f"there is no option {word}", remedy=remedy)
    return words


Chats = Annotated[
    list[str] | None,
    typer.Argument(help="Chat keys, as `status` shows; all if left out.", callback=no_options),
]
_DAY = ["%Y-%m-%d"]
Since = Annotated[datetime | None, typer.Option(formats=_DAY, help="First day (UTC), included.")]
Until = Annotated[datetime | None, typer.Option(formats=_DAY, help="Last day (UTC), included.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def load_settings(home: Path | None, verbose: int, quiet: bool, **given: Any) -> "Loaded":
    """Read all layers and set up logs accordingly."""
    from tg_pipeline import logs
    from tg_pipeline.cli.console import show
    from tg_pipeline.settings import load

    loaded = load({"home": home, **given})
    level = {0: loaded.settings.log_level, 1: "info"}.get(verbose, "debug")
    logs.configure(level="error" if quiet else level, fmt=loaded.settings.log_format)
    show.quiet = quiet
    return loaded


def as_called() -> str:
    """The command of this program, as it was called and can be called again."""
    called = sys.argv[0]
    found = shutil.which("tg-pipeline")
    return (
        "tg-pipeline"
        if found and Path(found).resolve() == Path(called).resolve()
        else shlex.quote(called)
    )


@contextmanager
def archive(loaded: "Loaded") -> Iterator["Archive"]:
    """Open the archive and say in one line which database it uses."""
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import open_archive

    with open_archive(loaded.settings) as opened:
        show.note(f"Database: {opened.database.described}")
        yield opened


def days_of(since: datetime | None, until: datetime | None) -> tuple[date | None, date | None]:
    """The days that --since and --until name; a usage error if there is no day between them."""
    if since is not None and until is not None and since > until:
        raise typer.BadParameter(f"--since {since:%Y-%m-%d} is later than --until {until:%Y-%m-%d}")
    return since and since.date(), until and until.date()


def chat_key(text: str) -> "ChatKey":
    """A chat key from an argument; a usage error if it is none."""
    from tg_pipeline.contracts import ChatKey

    try:
        return ChatKey.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
