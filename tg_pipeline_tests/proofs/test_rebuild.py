"""The tables are a function of landing: rebuilt, or replaced in pieces, they come out the same."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.contracts import FileOutcome
from tg_pipeline.flows import Archive, FileReport, ImportOptions, import_files, rebuild
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database
from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.proofs.running import FAILED, Home, assert_one_message
from tg_pipeline_tests.state import assert_same, contents

LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
MESSAGES = [pytest.param(2_000, id="short"), pytest.param(20_000, id="long", marks=LONG)]
KILLED_REPLACES = [
    pytest.param(1_200, 2, id="short"),
    pytest.param(20_000, 15, id="long", marks=LONG),
]


@pytest.fixture
def archive(database: Database, zone: LandingZone) -> Archive:
    return Archive(Settings(home=zone.folder.parent), database, zone)


def imported(archive: Archive, file: Path, **options: object) -> FileReport:
    (report,) = import_files(archive, [file], ImportOptions(**options))  # type: ignore[arg-type]
    return report


@pytest.mark.parametrize("messages", MESSAGES)
def test_rebuilt_tables_equal_those_that_grew(
    messages: int, archive: Archive, tmp_path: Path
) -> None:
    """After two moments of one chat, a cut file, records in quarantine and a replaced import."""
    account = samples.account_export(tmp_path / "account.json", messages)
    early = samples.chat_export(tmp_path / "early.json", messages, as_of=samples.MIDDLE)
    late = samples.chat_export(tmp_path / "late.json", messages)
    cut = tmp_path / "cut.json"
    whole = samples.chat_export(tmp_path / "other.json", messages, seed=2).read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])

    imported(archive, account)
    imported(archive, late)
    assert imported(archive, cut).outcome is FileOutcome.PARTIAL
    imported(archive, early)
    replaced = imported(archive, late, complete=True, replace=True)
    assert replaced.outcome is FileOutcome.IMPORTED, replaced.reason

    grown = contents(archive.database)
    for table in ("messages", "superseded_versions", "quarantine", "complete_ranges", "chat_days"):
        assert grown[table], f"nothing in {table}: this proves too little"
    assert rebuild(archive) == []
    assert_same(contents(archive.database), grown)


@pytest.mark.parametrize("messages", MESSAGES)
def test_replacing_ends_where_a_first_import_with_those_options_would(
    messages: int, archive: Archive, tmp_path: Path
) -> None:
    file = samples.chat_export(tmp_path / "result.json", messages)
    imported(archive, file, supplier="second", complete=True)
    expected = contents(archive.database)
    imported(archive, file, supplier="first", replace=True)
    imported(archive, file, supplier="second", complete=True, replace=True)
    assert_same(contents(archive.database), expected)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which no process may be left."""
    home = Home(tmp_path / "home")
    yield home
    home.wait_until_quiet()


@pytest.mark.parametrize(("messages", "kills"), KILLED_REPLACES)
def test_killed_replace_is_finished_by_repeating_it(
    messages: int, kills: int, home: Home, tmp_path: Path
) -> None:
    """Killed at evenly spread moments from the withdrawal on; each time the other way round."""
    file = samples.account_export(tmp_path / "result.json", messages)
    first: list[str] = []
    second = ["--supplier", "x"]
    home.succeed("import", file)
    states = {"first": home.state()}
    home.succeed("import", file, *second, "--replace")
    states["second"] = home.state()

    for number in range(kills):
        now, other = (first, second) if number % 2 == 0 else (second, first)
        _kill_once_withdrawn(home, ["import", file, *now, "--replace"], number / kills)
        refused = home.run("import", file, *other)
        assert refused.code == FAILED, refused.told
        assert_one_message(refused, "input.options_differ")
        home.succeed("import", file, *now, "--replace")
        found, expected = home.state(), states["first" if now is first else "second"]
        assert_same(_tables(found), _tables(expected))
        assert not list(home.landing.rglob("*.tmp"))


def _kill_once_withdrawn(home: Home, arguments: list[str | Path], seconds: float) -> None:
    (manifest,) = (home.landing / "_files").glob("*.json")
    written = manifest.stat().st_mtime_ns
    running = home.start(*arguments)
    running.wait_for(lambda: manifest.stat().st_mtime_ns != written)
    time.sleep(seconds)
    running.process.kill()
    running.wait()


def _tables(state: dict[str, Any]) -> dict[str, Any]:
    """Landing keeps what was withdrawn, and published files keep their hour: left out here."""
    return {name: rows for name, rows in state.items() if name not in {"landing", "published"}}
