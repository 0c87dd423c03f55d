"""Starts one of our own modules as a process that outlives us and reports one result.

The child is Python without the site module, environment or current folder: it starts in some
20 ms and imports nothing a stranger could have put in its way.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import tg_pipeline
from tg_pipeline.errors import EmbeddedStartFailed, TgPipelineError
from tg_pipeline.store.embedded.layout import Layout
from tg_pipeline.store.embedded.locks import open_private

_BOOT = (
    "import sys; sys.path.extend(sys.argv.pop(1).split(':')); import importlib; "
    "importlib.import_module(sys.argv.pop(1)).main()"
)
_REPORT_DESCRIPTOR = 1


def launch(module: str, layout: Layout, *arguments: str) -> None:
    """Run `module.main()` detached and wait for its report; raise the error it reports."""
    command = [sys.executable, "-I", "-S", "-c", _BOOT, _path(), module, str(layout.folder)]
    log = open_private(layout.log, os.O_WRONLY | os.O_APPEND)
    try:
        with subprocess.Popen(  # noqa: S603  our own arguments only
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            start_new_session=True,
        ) as child:
            said = child.stdout.read() if child.stdout else b""
    finally:
        os.close(log)
    if not said:
        raise EmbeddedStartFailed(layout.folder, f"{module} ended unexpectedly", layout.log)
    outcome = pickle.loads(said)  # noqa: S301  our own child wrote it
    if isinstance(outcome, TgPipelineError):
        raise outcome


def detach() -> None:
    """Let go of the starter: no zombie is left to it, and its signal settings are not ours."""
    if os.fork():
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def report(outcome: TgPipelineError | None) -> None:
    """Tell the starter how it went; it may be gone by now."""
    with contextlib.suppress(BrokenPipeError):
        os.write(_REPORT_DESCRIPTOR, pickle.dumps(outcome))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _REPORT_DESCRIPTOR)
    os.close(nowhere)


def _path() -> str:
    """Where the child finds us and what we import; never the current folder."""
    own = str(Path(tg_pipeline.__file__).parents[1])
    return ":".join([own, *(entry for entry in sys.path if Path(entry).is_absolute())])
