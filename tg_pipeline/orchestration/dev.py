"""Dagster's side of `tg-pipeline dev` and `dagster env`: the command line imports no Dagster.

`python -m tg_pipeline.orchestration.dev home` prepares DAGSTER_HOME and prints it;
`… serve HOST PORT LOG_LEVEL` also clears what killed runs left and becomes `dagster dev`.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tg_pipeline.errors import TgPipelineError
from tg_pipeline.settings import load

_PR_SET_PDEATHSIG = 1


def exit_code_of(work: Callable[[], object]) -> int:
    """Do the work and return the exit code; our errors are told as the command line tells them."""
    try:
        work()
    except TgPipelineError as error:
        sys.stderr.write(f"error: {error.message}\n   do: {error.remedy}\n code: {error.code}\n")
        return error.exit_code
    return 0


def main() -> int:
    """Do what the arguments say."""
    match sys.argv[1:]:
        case ["serve", host, port, log_level]:
            _end_with_parent()
            return exit_code_of(lambda: _serve(host, port, log_level))
        case _:
            return exit_code_of(_home)


def _home() -> None:
    from tg_pipeline.orchestration.instance import prepare  # noqa: PLC0415 - takes seconds

    sys.stdout.write(f"{prepare(load().settings)}\n")


def _serve(host: str, port: str, log_level: str) -> NoReturn:
    from tg_pipeline.orchestration.instance import open_instance, prepare  # noqa: PLC0415
    from tg_pipeline.orchestration.runs import clear_stale  # noqa: PLC0415

    settings = load().settings
    home = prepare(settings)
    with open_instance() as instance:
        cleared = clear_stale(instance)
    if log_level == "info":
        killed = f", {len(cleared)} killed runs reported failed" if cleared else ""
        sys.stderr.write(f"Dagster: http://{host}:{port}, DAGSTER_HOME {home}{killed}\n")
    os.environ["DAGSTER_HOME"] = str(home)
    # A `.env` or dagster.yaml in the user's folder must not speak against what we were given.
    os.chdir(home)
    text = sys.stderr.isatty() if settings.log_format == "auto" else settings.log_format == "text"
    dagster = [sys.executable, "-W", "ignore::FutureWarning", "-m", "dagster", "dev"]
    what = ["-m", "tg_pipeline.definitions", "-h", host, "-p", port]
    logs = ["--log-level", log_level, "--log-format", "colored" if text else "json"]
    os.execv(sys.executable, [*dagster, *what, *logs])  # noqa: S606


def _end_with_parent() -> None:
    """Let the kernel end us when whoever started us is killed; becoming Dagster keeps it so."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
