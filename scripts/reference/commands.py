"""Every command, as Typer documents it."""

import re
import subprocess
import sys

from reference import markdown
from reference.markdown import table
from tg_pipeline import errors
from tg_pipeline.cli import main

_DOCUMENT = (sys.executable, "-m", "typer", main.__name__, "utils", "docs", "--name", "tg-pipeline")
_EXAMPLES = re.compile(r"^Examples:\n(.*?)\n\n(?=\*\*Usage)", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^\*\*Commands\*\*:\n\n(\* .*\n)+\n?", re.MULTILINE)
_PROMPT = re.compile(r"^\$ ", re.MULTILINE)
_EXIT_CODES = (
    (0, "done"),
    (errors.EXIT_FAILED, "failed or refused"),
    (errors.EXIT_USAGE, "wrong usage, or a setting that cannot be used"),
    (errors.EXIT_QUARANTINED, "done; some records are in quarantine, or a file was cut"),
    (errors.EXIT_REFUSED, "the quality gate kept something from being published"),
    (errors.EXIT_TRY_LATER, "try again later: the same command may succeed"),
    (main.EXIT_INTERRUPTED, "interrupted with Ctrl-C"),
)


def page() -> str:
    """Usage, arguments, options and examples of every command, and the exit codes."""
    done = subprocess.run(_DOCUMENT, capture_output=True, text=True, check=True)
    _title, _, text = done.stdout.partition("\n")
    text = _PROMPT.sub("", _COMMANDS.sub("", text))  # the table of contents lists them
    text = _EXAMPLES.sub(lambda found: _examples(found[1]), text)
    rows = ((f"`{code}`", meaning) for code, meaning in _EXIT_CODES)
    exits = table(("exit code", "meaning"), rows)
    return markdown.page("Commands", text.strip(), "## Exit codes", exits)


def _examples(indented: str) -> str:
    lines = "\n".join(line.strip() for line in indented.splitlines() if line.strip())
    return f"**Examples**:\n\n```sh\n{lines}\n```\n\n"
