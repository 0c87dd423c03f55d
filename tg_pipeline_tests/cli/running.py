"""The command line as a process of its own."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

PROGRAM = Path(sys.executable).with_name("tg-pipeline")
SECONDS = 120
_NO_OVERRIDE = "-dac_override,-dac_read_search"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


@dataclass(frozen=True)
class Program:
    """Runs in a folder with an environment; nothing of the person who tests reaches it."""

    folder: Path
    environment: dict[str, str]
    before: tuple[str, ...] = ()
    """Words that the command is run by."""

    @property
    def surroundings(self) -> dict[str, str]:
        """All variables that it gets."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "COLUMNS": "200", **self.environment}

    def start(self, *words: object, **popen: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.before, str(PROGRAM), *(str(word) for word in words)],
            cwd=self.folder,
            env=self.surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **popen,
        )

    def __call__(self, *words: object, **popen: Any) -> Outcome:
        return ended(self.start(*words, **popen))


@contextmanager
def minding_rights(program: Program) -> Iterator[Program]:
    """The same for whom the rights of files count: for root they do not.

    Meanwhile anybody may connect to the tests' server, which belongs to another user then.
    """
    if os.geteuid() != 0:
        yield program
        return
    if shutil.which("setpriv") is None:
        pytest.skip("root needs setpriv to be refused anything")
    bound = replace(program, before=("setpriv", "--bounding-set", _NO_OVERRIDE))
    query = parse_qs(urlsplit(program.environment["TG_PIPELINE_DATABASE_URL"]).query)
    sockets = [Path(folder) for folder in query.get("host", ())]
    ways = [way for folder in sockets for way in (folder.parent, folder, *folder.glob(".s.*"))]
    before = {way: way.stat().st_mode for way in ways}
    for way in ways:
        way.chmod(0o777)
    try:
        yield bound
    finally:
        for way, mode in before.items():
            way.chmod(stat.S_IMODE(mode))


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=SECONDS)
    return Outcome(process.returncode, out, err)
