"""`tg-pipeline db`: the database itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from tg_pipeline.cli.options import Home, Quiet, Verbose, archive, as_called, load_settings
from tg_pipeline.errors import EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from tg_pipeline.errors import BatchDamaged
    from tg_pipeline.flows import Archive, Progress
    from tg_pipeline.settings import Loaded

app = typer.Typer(help="The database: start, stop, migrate, rebuild.", no_args_is_help=True)


@app.command()
def start(home: Home = None, verbose: Verbose = 0, quiet: Quiet = False) -> None:
    """Keep the embedded server running until `db stop`.

    Examples:
      tg-pipeline db start
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.store.database import embedded_folder
    from tg_pipeline.store.embedded import hold

    loaded = load_settings(home, verbose, quiet)
    _require_embedded(loaded)
    hold(embedded_folder(loaded.settings))
    with archive(loaded) as opened:
        show.text(f"Running. URL: {opened.database.url}")


@app.command()
def stop(home: Home = None, verbose: Verbose = 0, quiet: Quiet = False) -> None:
    """Let the embedded server stop when its last user leaves.

    Examples:
      tg-pipeline db stop
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.store.database import embedded_folder
    from tg_pipeline.store.embedded import release_hold

    loaded = load_settings(home, verbose, quiet)
    _require_embedded(loaded)
    release_hold(embedded_folder(loaded.settings))
    show.text("Stopped.")


@app.command()
def url(home: Home = None, verbose: Verbose = 0, quiet: Quiet = False) -> None:
    """Print the database's URL, password included, for psql and other programs.

    The embedded server only runs while somebody uses it: `db start` keeps it up.

    Examples:
      psql "$(tg-pipeline db url)"
    """
    from tg_pipeline.cli.console import show

    with archive(load_settings(home, verbose, quiet)) as opened:
        show.text(opened.database.url)


@app.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="head, base or a revision.")] = "head",
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before tables are dropped.")
    ] = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Bring the tables to a revision. Going down drops tables; landing can refill them.

    Examples:
      tg-pipeline db migrate

      tg-pipeline db migrate base --yes
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import migrate

    loaded = load_settings(home, verbose, quiet)
    if revision != "head" and not yes:
        typer.confirm("This may drop tables. Go on?", abort=True)
    show.text(f"Tables are at revision {migrate(loaded.settings, revision) or 'base'}.")


@app.command()
def load(home: Home = None, verbose: Verbose = 0, quiet: Quiet = False) -> int:
    """Load what is landed but not loaded, as every import does first.

    Examples:
      tg-pipeline db load
    """
    from tg_pipeline.flows import settle

    return _refill(load_settings(home, verbose, quiet), settle)


@app.command()
def rebuild(home: Home = None, verbose: Verbose = 0, quiet: Quiet = False) -> int:
    """Empty all tables and fill them again from the landing zone.

    Examples:
      tg-pipeline db rebuild
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    code = _refill(load_settings(home, verbose, quiet), flows.rebuild)
    if not code:  # the verdicts went with the tables
        show.note(f"Next: {as_called()} check")
    return code


def _refill(loaded: "Loaded", flow: "Callable[[Archive, Progress], list[BatchDamaged]]") -> int:
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    with archive(loaded) as opened, show.progress() as progress:
        damaged = flow(opened, progress)
        chats = flows.status(opened)
    for error in damaged:
        show.error(error)
    show.text(f"{sum(chat.messages for chat in chats):,} messages in {len(chats)} chats.")
    return EXIT_FAILED if damaged else 0


def _require_embedded(loaded: "Loaded") -> None:
    if loaded.settings.database_url is not None:
        raise UsageError(
            "a server is named by database_url, so there is no embedded one to start or stop",
            remedy="Unset TG_PIPELINE_DATABASE_URL to use the embedded server.",
        )


@app.callback()
def database() -> None:
    """The database: start, stop, migrate, rebuild."""
