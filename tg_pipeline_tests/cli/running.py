"""The command line as a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

PROGRAM = Path(sys.executable).with_name("tg-pipeline")
SECONDS = 120


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

    def start(self, *words: object, **popen: Any) -> subprocess.Popen[str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return subprocess.Popen(
            [str(PROGRAM), *(str(word) for word in words)],
            cwd=self.folder,
            env={**kept, "HOME": str(self.folder), "COLUMNS": "200", **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **popen,
        )

    def __call__(self, *words: object, **popen: Any) -> Outcome:
        return ended(self.start(*words, **popen))


def ended(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=SECONDS)
    return Outcome(process.returncode, out, err)
