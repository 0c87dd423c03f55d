"""`tg-pipeline init`: a few questions, and the settings of a new archive are written."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlsplit

import typer

from tg_pipeline.cli.options import Home, Quiet, Verbose, as_called, load_settings
from tg_pipeline.errors import TgPipelineError, UsageError

if TYPE_CHECKING:
    from tg_pipeline.flows.project import Project

_DEFAULT_HOME = ".tg_pipeline"
_NONE = "none"


def init(
    database_url: Annotated[
        str | None,
        typer.Option(
            help="A PostgreSQL server; left out, an embedded one starts when needed.",
            metavar="URL",
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of the computer that made old exports: Europe/Berlin."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: take defaults and these options.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what was written before.")
    ] = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Write the settings of a new archive into this folder: tg_pipeline.yaml.

    A URL with a password goes into .env, which only you can read and git is told to ignore.

    Examples:
      tg-pipeline init

      tg-pipeline init --yes --home /srv/telegram
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import Project, server_version

    show.quiet = quiet
    folder = Path.cwd()
    if yes:
        project = Project(folder, str(home or _DEFAULT_HOME), database_url, timezone)
        if project.settings.database_url is not None:
            show.note(f"PostgreSQL {server_version(project.settings.database_url)} answers.")
    else:
        project = _asked(folder, home, database_url, timezone, force)
    project.write(replace=force or not yes)
    show.text(f"Written: {', '.join(_written(project))}")
    _warn_of_higher_layers(project, verbose, quiet)
    _what_next()


def _asked(
    folder: Path, home: Path | None, url: str | None, timezone: str | None, force: bool
) -> "Project":
    """Ask for what was not given, show what will be written, and ask whether it shall be.

    Raises:
        UsageError: there is nobody to ask.
        typer.Abort: the answer was no, Ctrl-C or Ctrl-D.
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import Project
    from tg_pipeline.settings import PROJECT_FILE

    if not sys.stdin.isatty():
        raise UsageError(
            "`tg-pipeline init` asks questions, and there is no terminal to answer them",
            remedy="Add --yes: it takes the defaults and the options given.",
        )
    try:
        if PROJECT_FILE in Project(folder, _DEFAULT_HOME).existing() and not force:
            typer.confirm(f"There is a {PROJECT_FILE} here. Replace it?", abort=True)
        project = Project(
            folder,
            home=_home(folder, home),
            database_url=_server(url),
            timezone=_zone(timezone),
        )
        _show(project)
        typer.confirm("Write this?", default=True, abort=True)
    except typer.Abort:
        show.err.print("\nNothing was written.")
        raise
    return project


def _home(folder: Path, given: Path | None) -> str:
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import Project, require_writable

    while True:
        home = str(given or typer.prompt("Folder of the archive", default=_DEFAULT_HOME))
        try:
            require_writable(Project(folder, home).settings.home)
        except TgPipelineError as error:
            if given is not None:
                raise
            show.error(error)
        else:
            return home


def _server(given: str | None) -> str | None:
    """Ask for a server until one answers, or for none."""
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import server_version

    if given is None:
        show.text("An embedded PostgreSQL starts when it is needed and stops when nobody uses it.")
    while True:
        url = given or _typed_url()
        if url is None:
            return None
        try:
            show.text(f"PostgreSQL {server_version(url)} answers.")
        except TgPipelineError as error:
            if given is not None:
                raise
            show.error(error)
        else:
            return url


def _typed_url() -> str | None:
    """A URL, with the password that is asked for, unseen, where it names a user without one."""
    from tg_pipeline.logs import mask

    url: str = typer.prompt(
        "PostgreSQL server, as postgresql://user@host/database (Enter: the embedded one)",
        default="",
        show_default=False,
    ).strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # trying it will tell what is wrong
    if parts.username is None or mask(url) != url:
        return url or None
    password = typer.prompt(
        "Its password (not shown; Enter: none)", default="", show_default=False, hide_input=True
    )
    if not password:
        return url
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()


def _zone(given: str | None) -> str | None:
    """Ask for the zone: the computer's own is only a guess, and a wrong one spoils every hour."""
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import Project, system_zone

    if given is None:
        show.text(
            "Exports made before March 2022 hold local times only. In which zone was the computer\n"
            f"that made yours? `{_NONE}` leaves it open: such files are refused until you say."
        )
    while True:
        zone = given or typer.prompt("Time zone", default=system_zone() or _NONE)
        if zone == _NONE:
            return None
        try:
            return Project(Path.cwd(), _DEFAULT_HOME, timezone=zone).settings.timezone
        except TgPipelineError as error:
            if given is not None:
                raise
            show.error(error)


def _show(project: "Project") -> None:
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import DOTENV, GITIGNORE
    from tg_pipeline.settings import PROJECT_FILE

    show.text(f"\n{PROJECT_FILE}:")
    for line in project.yaml().splitlines():
        show.text(f"  {line}")
    if (secret := project.dotenv()) is not None:
        show.text(f"{DOTENV}, which only you may read:\n  {secret}")
    if lines := project.to_ignore():
        show.text(f"added to {GITIGNORE}:\n  " + "\n  ".join(lines))
    if existing := project.existing():
        show.warn(f"replaced: {', '.join(existing)}")


def _written(project: "Project") -> list[str]:
    from tg_pipeline.flows.project import DOTENV
    from tg_pipeline.settings import PROJECT_FILE

    return [PROJECT_FILE, DOTENV] if project.has_secret else [PROJECT_FILE]


def _warn_of_higher_layers(project: "Project", verbose: int, quiet: bool) -> None:
    """Say what comes from somewhere else all the same, such as the environment."""
    from tg_pipeline.cli.console import show

    loaded = load_settings(None, verbose, quiet)
    for name in ("home", "database_url", "timezone"):
        if getattr(loaded.settings, name) != getattr(project.settings, name):
            origin = loaded.origins.get(name, "default")
            show.warn(f"{name} is set in {origin} too, which outranks what was written")


def _what_next() -> None:
    from tg_pipeline.cli.console import show

    command = as_called()
    show.text("\nNext:")
    show.text(f"  {command} doctor")
    show.text(f"  {command} import ~/Downloads/ChatExport.zip")
    show.text(f"  {command} status")
