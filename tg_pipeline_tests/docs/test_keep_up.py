"""What runs `fetch` by itself: units that systemd takes, and lines that call what exists."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tg_pipeline.cli.main import app
from tg_pipeline.errors import EXIT_QUARANTINED, EXIT_TRY_LATER
from tg_pipeline_tests.cli.running import PROGRAM
from tg_pipeline_tests.docs.site import DOCS, ROOT

UNITS = ROOT / "deploy" / "systemd"
PAGE = DOCS / "how-to" / "keep-up.md"
INSTALLED = "/srv/archive/.venv/bin/tg-pipeline"


def verified(folder: Path, **units: str) -> subprocess.CompletedProcess[str]:
    """What systemd says of units, once user and program exist."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    for name, text in units.items():
        here = text.replace(INSTALLED, str(PROGRAM)).replace("User=archive", "User=root")
        (folder / name.replace("__", ".")).write_text(here)
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(folder / n.replace("__", ".") for n in units)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    service = (UNITS / "tg-pipeline-fetch.service").read_text()
    timer = (UNITS / "tg-pipeline-fetch.timer").read_text()

    said = verified(
        tmp_path, **{"tg-pipeline-fetch__service": service, "tg-pipeline-fetch__timer": timer}
    )

    assert said.returncode == 0, said.stderr
    assert "tg-pipeline-fetch" not in said.stderr
    (codes,) = re.findall(r"SuccessExitStatus=(.*)", service)
    assert codes.split() == [str(EXIT_QUARANTINED), str(EXIT_TRY_LATER), "130"]


def test_systemd_takes_what_the_page_shows(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```ini\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)

    said = verified(tmp_path, history__service=shown)

    assert said.returncode == 0, said.stderr
    assert "history.service" not in said.stderr


def test_cron_and_systemd_call_what_exists() -> None:
    page, service = PAGE.read_text("utf-8"), (UNITS / "tg-pipeline-fetch.service").read_text()
    lines = re.findall(r"bin/tg-pipeline ([a-z -]+)", page + service)

    assert len(lines) >= 5
    commands = getattr(typer.main.get_command(app), "commands", {})
    for words in map(str.split, lines):
        command: Any = commands[words[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(words[1:]) <= known, words
