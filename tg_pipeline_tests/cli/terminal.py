"""A pseudo-terminal with somebody at it, for commands that ask."""

import contextlib
import fcntl
import os
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from tg_pipeline_tests.cli.running import PROGRAM

CTRL_C, CTRL_D = "\x03", "\x04"
SECONDS = 60
_READING_SECONDS = 0.3
_LOCAL_MODES = 3


class Terminal:
    """What the command shows is `seen`; what is typed reaches it as from a keyboard."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._process = process
        self._shown = b""
        self._from = 0

    @property
    def seen(self) -> str:
        return self._shown.decode().replace("\r\n", "\n")

    def expect(self, text: str) -> None:
        """Wait until this is shown, after what was expected before."""
        deadline = time.monotonic() + SECONDS
        while (at := self.seen.find(text, self._from)) < 0:
            assert time.monotonic() < deadline, f"{text!r} was not shown: {self.seen}"
            assert self._read(), f"it ended without {text!r}: {self.seen}"
        self._from = at + len(text)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def press(self, key: str) -> None:
        """Press a key while it reads: Python may miss a Ctrl-C just before it does."""
        time.sleep(_READING_SECONDS)
        self.type(key)

    def answer(self, question: str, text: str = "") -> None:
        self.expect(question)
        self.type(f"{text}\n")

    def answer_unseen(self, question: str, text: str = "") -> None:
        """Answer once nothing is echoed any more: what was typed before is thrown away."""
        self.expect(question)
        deadline = time.monotonic() + SECONDS
        while termios.tcgetattr(self._master)[_LOCAL_MODES] & termios.ECHO:
            assert time.monotonic() < deadline, "what is typed can be seen"
            time.sleep(0.01)
        self.type(f"{text}\n")

    def end(self) -> int:
        """Wait for its end; the exit code."""
        while self._read():
            pass
        return self._process.wait(SECONDS)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], SECONDS)
        assert ready, f"nothing happens: {self.seen}"
        with contextlib.suppress(OSError):  # Linux: nobody has the other end any more
            if found := os.read(self._master, 4096):
                self._shown += found
                return True
        return False


@contextlib.contextmanager
def terminal(folder: Path, *words: str, **environment: str) -> Iterator[Terminal]:
    """`tg-pipeline` with these words at a terminal of its own."""
    master, slave = os.openpty()
    kept = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb"}
    process = subprocess.Popen(
        [PROGRAM, *words],
        cwd=folder,
        env={**kept, "COLUMNS": "200", **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)
