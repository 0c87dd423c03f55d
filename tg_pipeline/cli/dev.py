"""`tg-pipeline dev`: Dagster's UI and daemon on this archive, ended together with the command."""

import contextlib
import signal
import socket
from typing import Annotated

import typer

from tg_pipeline.cli import tied
from tg_pipeline.cli.dagster import environment, module
from tg_pipeline.cli.options import Home, Quiet, Verbose, archive, load_settings
from tg_pipeline.errors import PortUnavailable


def dev(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the UI.")] = 3000,
    host: Annotated[str, typer.Option("--host", help="Address of the UI.")] = "127.0.0.1",
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Start Dagster's UI and its daemon on this archive; Ctrl-C ends both.

    Nothing has to be set up: database, tables and Dagster's folder are made if they are missing,
    and runs that were killed are cleared.

    Examples:
      tg-pipeline dev

      tg-pipeline dev --port 3001
    """
    loaded = load_settings(home, verbose, quiet)
    _require_free(host, port)
    signal.signal(signal.SIGHUP, signal.getsignal(signal.SIGTERM))  # the terminal was closed
    level = "warning" if quiet else "info"
    command = module("dev", "serve", host, str(port), level)
    surroundings = environment(loaded, verbose)
    with (
        archive(loaded),
        tied.start(command, surroundings) as process,
        contextlib.suppress(KeyboardInterrupt),
    ):
        process.wait()
    return process.returncode  # leaving the block has let go and waited


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            pass
    except OSError as error:
        raise PortUnavailable(host, port, error.strerror or str(error)) from error
