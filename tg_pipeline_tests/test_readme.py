"""The README's commands and programs do what it prints; outputs may elide with `...`."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RULES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks() -> Iterator[tuple[str, str]]:
    for found in _BLOCK.finditer(README.read_text("utf-8")):
        yield found[1], found[2]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output the README shows for it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.strip()


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 3}, f"{command}: {done.stderr}"
    return done.stdout


@pytest.mark.timeout(240)
def test_readme_shows_what_its_commands_print(tmp_path: Path) -> None:
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    checker = doctest.OutputChecker()
    for kind, text in blocks():
        if kind == "python":
            (tmp_path / "program.py").write_text(text)
            run(f"{shlex.quote(sys.executable)} program.py", tmp_path, environment)
            continue
        for command, expected in commands(text):
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                environment[name] = value
                continue
            found = run(command, tmp_path, environment).strip()
            assert checker.check_output(expected + "\n", found + "\n", _RULES), (
                f"$ {command}\nprints\n{found}\nbut the README shows\n{expected}"
            )
