"""Every command explains itself, with examples, and quickly."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from tg_pipeline.cli.main import app

SLOW = ("sqlalchemy", "pyarrow", "pandas", "psycopg", "alembic", "pydantic", "telethon")


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    found: list[tuple[str, Any]] = [("", typer.main.get_command(app))]
    while found:
        words, command = found.pop()
        below = getattr(command, "commands", {})
        found += [(f"{words} {name}".strip(), child) for name, child in below.items()]
        if not below:
            yield words, command


COMMANDS = dict(commands())


def test_these_are_the_commands() -> None:
    assert sorted(COMMANDS) == [
        "chats add",
        "chats apply",
        "chats discover",
        "chats import",
        "chats list",
        "chats plan",
        "chats remove",
        "check",
        "config show",
        "dagster env",
        "dagster sync",
        "db load",
        "db migrate",
        "db rebuild",
        "db start",
        "db stop",
        "db url",
        "demo",
        "dev",
        "doctor",
        "export",
        "fetch",
        "import",
        "init",
        "login",
        "logout",
        "quarantine list",
        "quarantine show",
        "sql",
        "status",
    ]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_has_help_with_examples(words: str) -> None:
    text = COMMANDS[words].help
    summary, _, examples = text.partition("Examples:")
    assert summary.strip()
    assert f"tg-pipeline {words}" in examples


@pytest.mark.parametrize("words", COMMANDS)
def test_every_option_says_what_it_is_for(words: str) -> None:
    for option in COMMANDS[words].params:
        assert getattr(option, "help", None), f"{words} {option.name}"


def test_help_loads_nothing_slow() -> None:
    program = f"""
import sys
from tg_pipeline.cli.main import main
sys.argv = ["tg-pipeline", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print([name for name in {SLOW} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "import" in done.stdout
    assert done.stderr.strip() == "[]"
