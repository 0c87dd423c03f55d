"""The entry point: commands, and what becomes of errors."""

import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import Annotated, Any, cast

import typer

from tg_pipeline.cli import (
    chats,
    check,
    config,
    dagster,
    database,
    demo,
    dev,
    doctor,
    export,
    fetch,
    files,
    init,
    login,
    quarantine,
    sql,
    status,
)
from tg_pipeline.errors import EXIT_FAILED, TgPipelineError, UsageError

EXIT_INTERRUPTED = 130
_ArgumentsRefused = cast(
    "type[Exception]",
    next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"),
)
"""Click's own, which newer versions of Typer carry inside themselves."""

app = typer.Typer(
    name="tg-pipeline",
    help="Telegram chats as a PostgreSQL archive and trustworthy Parquet and JSONL datasets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Start with `tg-pipeline demo`, then `tg-pipeline init`.",
)
app.command("demo")(demo.demo)
app.command("init")(init.init)
app.command("import")(files.import_command)
app.command("login")(login.login)
app.command("logout")(login.logout)
app.add_typer(chats.app, name="chats")
app.command("fetch", context_settings={"ignore_unknown_options": True})(  # ids begin with a minus
    fetch.fetch
)
app.command("status", context_settings={"ignore_unknown_options": True})(  # keys begin with a minus
    status.status
)
app.command("export", context_settings={"ignore_unknown_options": True})(  # keys begin with a minus
    export.export
)
app.command("check", context_settings={"ignore_unknown_options": True})(check.check)
app.command("sql")(sql.sql)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(database.app, name="db")
app.add_typer(config.app, name="config")
app.command("dev")(dev.dev)
app.add_typer(dagster.app, name="dagster")
app.command("doctor")(doctor.doctor)


def _version(on: bool) -> None:
    if on:
        typer.echo(f"tg-pipeline {version('tg-pipeline')}")
        raise typer.Exit


@app.callback()
def root(
    _show_version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, help="Show the version.", callback=_version),
    ] = False,
) -> None:
    """Telegram chats as a PostgreSQL archive and trustworthy Parquet and JSONL datasets."""


def main() -> None:
    """Run one command; every failure ends in one message and the right exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        result = app(standalone_mode=False)
    except typer.Abort as error:
        sys.exit(_aborted(error))
    except _ArgumentsRefused as error:
        sys.exit(_refused(error))
    except TgPipelineError as error:
        sys.exit(_failed(error))
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
    if result == EXIT_INTERRUPTED:  # what newer Typers make of Ctrl-C
        _interrupted()
    sys.exit(result if isinstance(result, int) else 0)


def _aborted(error: typer.Abort) -> int:
    """A question answered with no, or what older Typers make of Ctrl-C."""
    return _interrupted() if isinstance(error.__cause__, KeyboardInterrupt) else EXIT_INTERRUPTED


def _interrupted() -> int:
    sys.stderr.write("\ninterrupted: run the same command again, it continues\n")
    return EXIT_INTERRUPTED


def _refused(error: Any) -> int:
    """Arguments that make no sense; without any, the help has been printed already."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tg-pipeline"
    remedy = f"`{command} --help` shows how it is called."
    message = error.format_message().replace("Value error, ", "")  # Pydantic's words, not ours
    return _failed(UsageError(message, remedy=remedy)) if message else UsageError.exit_code


def _failed(error: TgPipelineError) -> int:
    from tg_pipeline.cli.console import show

    show.error(error)
    if _asked_for_tracebacks():
        show.err.print_exception()
    return error.exit_code


def _asked_for_tracebacks() -> bool:
    return any(word in {"-v", "-vv", "--verbose"} for word in sys.argv[1:])


def _terminate(_signal: int, frame: FrameType | None) -> None:
    """Leave like Ctrl-C does, so that nothing half-done stays behind.

    That is more than an exception: an event loop ends its tasks first.
    """
    interrupt = signal.getsignal(signal.SIGINT)
    if not callable(interrupt):  # Ctrl-C is ignored, as in the background of a script
        raise KeyboardInterrupt
    interrupt(signal.SIGINT, frame)
