"""`tg-pipeline dagster`: what connects the archive with Dagster.

Dagster itself runs in processes of their own: importing it takes seconds.
"""

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import typer

from tg_pipeline.cli.options import AsJson, Home, Quiet, Verbose, load_settings

if TYPE_CHECKING:
    from tg_pipeline.settings import Loaded

app = typer.Typer(help="Dagster: its surroundings, and what it should know.", no_args_is_help=True)


@app.command()
def sync(
    as_json: AsJson = False, home: Home = None, verbose: Verbose = 0, quiet: Quiet = False
) -> int:
    """Record in Dagster what was done without it, so that its UI shows the archive as it is.

    Examples:
      tg-pipeline dagster sync
    """
    loaded = load_settings(home, verbose, quiet)
    command = module("sync", *(["--json"] if as_json else []))
    return subprocess.run(command, env=environment(loaded, verbose), check=False).returncode  # noqa: S603


@app.command()
def env(home: Home = None, verbose: Verbose = 0, quiet: Quiet = False) -> int:
    """Prepare Dagster's folder and print what the shell must export to run `dagster` itself.

    Examples:
      eval "$(tg-pipeline dagster env)"

      dagster asset materialize -m tg_pipeline.definitions --select messages
    """
    loaded = load_settings(home, verbose, quiet)
    done = subprocess.run(  # noqa: S603
        module("dev", "home"),
        env=environment(loaded, verbose),
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode == 0:
        folder = os.fsdecode(done.stdout).removesuffix("\n")
        typer.echo(f"export DAGSTER_HOME={shlex.quote(folder)}")
        # The two belong together, whatever folder the shell goes to.
        typer.echo(f"export TG_PIPELINE_HOME={shlex.quote(str(loaded.settings.home))}")
    return done.returncode


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules that may import Dagster."""
    return [sys.executable, "-m", f"tg_pipeline.orchestration.{name}", *arguments]


def environment(loaded: "Loaded", verbose: int = 0) -> dict[str, str]:
    """Our environment with every setting as it was read here, whatever is read there."""
    from tg_pipeline.settings import PREFIX

    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = {name: getattr(loaded.settings, name) for name in ("home", *loaded.origins)}
    if verbose:
        given["log_level"] = "info" if verbose == 1 else "debug"
    named = {
        f"{PREFIX}{name.upper()}": str(value) for name, value in given.items() if value is not None
    }
    return {**kept, **named}


@app.callback()
def dagster() -> None:
    """Dagster: its surroundings, and what it should know."""
