"""Runs a command that ends, with every process it started, when its user lets go or is killed.

The user holds the other end of our standard input: the kernel closes it even after kill -9.
Standard library only, so that this small process costs little.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

_TICK_SECONDS = 0.5
_ORDERLY_SECONDS = 30
_LEFTOVER_SECONDS = 10
_POLL_SECONDS = 0.05


def start(command: list[str], env: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a command so tied; closing `stdin` of what is returned ends it."""
    return subprocess.Popen(  # noqa: S603  our own arguments only
        [sys.executable, "-m", __name__, *command],
        env=env,
        stdin=subprocess.PIPE,
        # Ctrl-C reaches the user alone: who is interrupted twice does not end in order.
        process_group=0,
    )


def main() -> int:
    """Run the command in a group of its own; return its exit code, or 0 if it was let go."""
    with _group(sys.argv[1:]) as child:
        while child.poll() is None:
            if select.select([sys.stdin], [], [], _TICK_SECONDS)[0]:
                child.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(_ORDERLY_SECONDS)
                return 0
    return max(child.returncode, 1)  # nobody asked it to end


@contextlib.contextmanager
def _group(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process in a group of its own, of which nothing is left afterwards."""
    child = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.DEVNULL, process_group=0
    )
    try:
        yield child
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            _end(child.pid, number)


def _end(group: int, number: int) -> None:
    """Send a signal to what is left of a group, and wait until it has gone."""
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
        os.killpg(group, number)
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            os.killpg(group, 0)


if __name__ == "__main__":
    sys.exit(main())
