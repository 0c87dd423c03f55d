"""Real exports pass, alone and together, but for the two that hold messages from the future."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tg_pipeline.flows import Archive, ImportOptions, check_windows, import_files
from tg_pipeline.landing import LandingZone
from tg_pipeline.quality import Outcome, Ruling
from tg_pipeline.settings import Settings
from tg_pipeline.sources import desktop_json
from tg_pipeline.store.database import Database
from tg_pipeline.store.load import empty_all

FROM_THE_FUTURE = {
    "Loganavter__Tkonverter__example-group.json": (
        "chat=-20001/period=2027-01-01", "2027-01-10", 44,
    ),
    "Loganavter__Tkonverter__example-personal.json": (
        "chat=777000_10001/period=2027-01-01", "2027-01-02", 86,
    ),
}  # fmt: skip
"""Invented samples: the window, the day and the id of the message that is later than the file."""
WITHOUT_MESSAGES = 3
NOW = datetime(2026, 11, 1, tzinfo=UTC)
Failed = dict[str, tuple[str, int]]


@pytest.fixture(autouse=True)
def _before_those_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be a day on which they are from the future."""
    monkeypatch.setattr(desktop_json, "scan", partial(desktop_json.scan, now=NOW))


def judged(database: Database, folder: Path, files: Sequence[Path]) -> list[Ruling]:
    """How the windows of these files stand in an archive that holds nothing else."""
    empty_all(database)
    archive = Archive(Settings(home=folder), database, LandingZone(folder / "landing"))
    list(import_files(archive, files, ImportOptions(timezone="Europe/Berlin")))
    return check_windows(archive)


def failed(rulings: Sequence[Ruling]) -> Failed:
    """The window, day and message of each failure; only dates may fail."""
    found = {}
    for ruling in rulings:
        assert ruling.outcome is not Outcome.MISSING
        for rule in ruling.rules:
            if rule.outcome is Outcome.FAILED:
                (example,) = rule.examples
                assert rule.rule == "plausible_dates"
                assert "after it was last seen" in example["what"]
                found[f"{ruling.window}"] = (example["day"], example["id"])
    return found


def expected(files: Sequence[Path]) -> Failed:
    known = (FROM_THE_FUTURE[path.name] for path in files if path.name in FROM_THE_FUTURE)
    return {window: (day, number) for window, day, number in known}


def test_each_file_alone(database: Database, tmp_path: Path, real_files: Path) -> None:
    files = sorted(real_files.glob("*.json"))
    silent = 0
    for place, path in enumerate(files):
        rulings = judged(database, tmp_path / f"{place}", [path])
        assert failed(rulings) == expected([path]), path.name
        silent += not rulings
    assert silent == WITHOUT_MESSAGES + 1, "one more is refused"


def test_all_files_together(database: Database, tmp_path: Path, real_files: Path) -> None:
    files = sorted(real_files.glob("*.json"))
    rulings = judged(database, tmp_path, files)
    assert failed(rulings) == expected(files)
    assert len(rulings) > 100
