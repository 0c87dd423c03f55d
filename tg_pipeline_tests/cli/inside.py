"""The command line inside of the tests' own process: all of it but the start, which takes longest.

What only a process shows (its signals, what a terminal echoes, what Python says as it ends) needs
`running` and `terminal`.
"""

import getpass
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from unittest.mock import patch

import pytest

from tg_pipeline import logs
from tg_pipeline.cli import console
from tg_pipeline.cli.main import main
from tg_pipeline_tests.cli.running import PROGRAM, Outcome, Program


def run(program: Program, *words: object) -> Outcome:
    """What `program(*words)` does and shows, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with _as_started(program, words, io.StringIO(), out, err):
        code = _ended()
    return Outcome(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Inside(Program):
    """A program that is run in this process, unless it needs one of its own."""

    def __call__(self, *words: object, **popen: Any) -> Outcome:
        if self.before or popen:
            return super().__call__(*words, **popen)
        return run(self, *words)


class Keyboard:
    """Somebody who types, told beforehand what will be asked; used as a `terminal.Terminal`.

    `end` runs the command, and what it shows must come in the order told.
    """

    def __init__(self, program: Program, words: tuple[object, ...]) -> None:
        self._program, self._words = program, words
        self._steps: list[Callable[[], tuple[str, bool] | None]] = []
        self._screen = io.StringIO()
        self._from = 0

    def __enter__(self) -> "Keyboard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to close: with it, tests read as those at a terminal."""

    @property
    def seen(self) -> str:
        return self._screen.getvalue()

    def expect(self, text: str) -> None:
        """This is shown, after what was expected before."""
        self._steps.append(lambda: self._find(text))

    def answer(self, question: str, text: str = "") -> None:
        self.expect(question)
        self._steps.append(lambda: (text, True))

    def answer_unseen(self, question: str, text: str = "") -> None:
        self.expect(question)
        self._steps.append(lambda: (text, False))

    def then(self, action: Callable[[], object]) -> None:
        """Do something before the next answer."""

        def step() -> None:
            action()

        self._steps.append(step)

    def end(self) -> int:
        """Run it; the exit code."""
        with (
            _as_started(self._program, self._words, _Input(self), self._screen, self._screen),
            patch.object(getpass, "getpass", lambda *_: self.typed(shown=False)),
        ):
            code = _ended()
        answer = self._next()
        assert answer is None, f"nobody asked for {answer}: {self.seen}"
        return code

    def typed(self, *, shown: bool) -> str:
        """The next answer, echoed as a terminal does it."""
        answer = self._next()
        assert answer is not None, f"more is asked for: {self.seen}"
        text, may_be_seen = answer
        assert shown == may_be_seen, f"what is typed can be seen, or not: {self.seen}"
        self._screen.write(f"{text}\n" if shown else "\n")
        return text

    def _next(self) -> tuple[str, bool] | None:
        while self._steps:
            if (answer := self._steps.pop(0)()) is not None:
                return answer
        return None

    def _find(self, text: str) -> None:
        at = self.seen.find(text, self._from)
        assert at >= 0, f"{text!r} was not shown: {self.seen}"
        self._from = at + len(text)


class _Input(io.StringIO):
    """Standard input that is a terminal."""

    def __init__(self, keyboard: Keyboard) -> None:
        super().__init__()
        self._keyboard = keyboard

    def isatty(self) -> bool:
        return True

    def readline(self, _size: int | None = -1, /) -> str:  # type: ignore[override]
        return f"{self._keyboard.typed(shown=True)}\n"


def _ended() -> int:
    with pytest.raises(SystemExit) as end:
        main()
    assert isinstance(end.value.code, int)
    return end.value.code


@contextmanager
def _as_started(
    program: Program, words: tuple[object, ...], typed: io.StringIO, out: io.StringIO,
    err: io.StringIO,
) -> Iterator[None]:  # fmt: skip
    """Surroundings as of a new process of the program; as they were afterwards."""
    arguments = [str(PROGRAM), *(str(word) for word in words)]
    shown, at_the_end = vars(console.show).copy(), signal.getsignal(signal.SIGTERM)
    try:
        with (
            patch.dict(os.environ, program.surroundings, clear=True),
            patch.object(sys, "argv", arguments),
            patch.object(sys, "stdin", typed),
            chdir(program.folder),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            vars(console.show).update(vars(console.Show()))
            logs.configure()
            yield
    finally:
        vars(console.show).update(shown)
        signal.signal(signal.SIGTERM, at_the_end)
        logs.configure()
