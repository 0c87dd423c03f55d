"""Pages that are run: their console blocks and programs do what they print beside them.

A program's output is that of the `text` block that follows it. Outputs may elide with `...`. A
command that asks questions is answered at a terminal, and all that is seen there is its output.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tg_pipeline_tests.cli.terminal import terminal

_BLOCK = re.compile(
    r"^```(console|python)\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL
)
_RULES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_DONE = {0, 3}  # 3: with records in quarantine
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Asked:
    """A question at a terminal, as its end is shown, and what is typed; perhaps nobody sees it."""

    question: str
    answer: str
    unseen: bool = False


def require_as_printed(
    page: Path,
    folder: Path,
    *,
    given: Mapping[str, str] = MappingProxyType({}),
    typed: Mapping[str, Sequence[Asked]] = MappingProxyType({}),
) -> None:
    """Run a page's blocks in a folder, in order, and compare what they print.

    Args:
        page: what to run.
        folder: where.
        given: variables beside those of this process.
        typed: commands that ask, with what they ask and are answered.
    """
    environment = {**os.environ, **given}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    ran = 0
    for kind, text, output in _BLOCK.findall(page.read_text("utf-8")):
        if kind == "python":
            (folder / "program.py").write_text(text)
            found = _run(f"{shlex.quote(sys.executable)} program.py", folder, environment)
            if output:
                _require(page, "program", output, found)
        else:
            for command, expected in _commands(text):
                asked = typed.get(command)
                if asked is None:
                    found = _perform(command, folder, environment)
                else:
                    found = _answered(command, asked, folder, environment)
                _require(page, command, expected, found)
        ran += 1
    assert ran, f"{page.name} shows nothing that can be run"


def _commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that is shown for it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, output = re.split(r"(?<!\\)\n", part, maxsplit=1)
        yield command, output


def _perform(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command; what it exports is there for the next ones, what it unsets no longer."""
    if command.startswith("unset "):
        for name in command.split()[1:]:
            del environment[name]
        return ""
    if not command.startswith("export "):
        return _run(command, folder, environment)
    name, _, value = command.removeprefix("export ").partition("=")
    environment[name] = _run(f"printf %s {value}", folder, environment)
    return ""


def _answered(
    command: str, asked: Sequence[Asked], folder: Path, environment: Mapping[str, str]
) -> str:
    """Run a command at a terminal and answer its questions; all that is seen there."""
    ours = {name: value for name, value in environment.items() if name.startswith("TG_PIPELINE_")}
    with terminal(folder, *shlex.split(command)[1:], **ours) as opened:
        for one in asked:
            answer = opened.answer_unseen if one.unseen else opened.answer
            answer(one.question, one.answer)
        assert opened.end() in _DONE, opened.seen
        return opened.seen


def _run(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode in _DONE, f"{command}: {done.stderr}"
    return done.stdout


def _require(page: Path, command: str, expected: str, found: str) -> None:
    same = doctest.OutputChecker().check_output(
        expected.strip() + "\n", found.strip() + "\n", _RULES
    )
    assert same, f"{page.name}: {command}\nprints\n{found}\nbut is shown with\n{expected}"
