"""SIGINT, SIGTERM and a server that dies: one clear ending, and the next run continues."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.proofs.running import SUCCESS, Home, Running, assert_one_message, kill
from tg_pipeline_tests.state import assert_same

INTERRUPTED = 130
TRY_LATER = 75
MESSAGES = 1_800
LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
EXTENTS = [pytest.param(MESSAGES, id="short"), pytest.param(60_000, id="long", marks=LONG)]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    file: Path
    state: dict[str, Any]


@pytest.fixture(scope="module", params=EXTENTS)
def undisturbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    """An export and what its import makes of an archive."""
    place = tmp_path_factory.mktemp("undisturbed")
    file = samples.account_export(place / "result.json", request.param)
    home = Home(place / "home")
    home.succeed("import", file)
    return Undisturbed(file, home.state())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which no process may be left."""
    home = Home(tmp_path / "home")
    yield home
    home.wait_until_quiet()


def started(home: Home, file: Path) -> Running:
    """An import that has landed its first batch of several."""
    running = home.start("import", file)
    running.wait_for(lambda: any(home.landing.glob("*/*-00001.json")))
    return running


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.prove),
    ],
)
def test_interrupted_import_says_to_run_again_and_then_ends_right(
    number: signal.Signals, home: Home, undisturbed: Undisturbed
) -> None:
    running = started(home, undisturbed.file)
    running.signal(number)
    ended = running.wait()
    assert ended.code == INTERRUPTED, ended.told
    assert "Traceback" not in ended.err, ended.told
    assert "run the same command again, it continues" in ended.err, ended.told
    assert not list(home.landing.rglob("*.tmp"))
    home.succeed("import", undisturbed.file)
    assert_same(home.state(), undisturbed.state)


def test_import_whose_postmaster_is_killed_asks_to_try_again_and_then_ends_right(
    home: Home, undisturbed: Undisturbed
) -> None:
    running = started(home, undisturbed.file)
    postmaster = home.postmaster()
    assert postmaster is not None
    kill([postmaster])
    ended = running.wait()
    assert ended.code in SUCCESS | {TRY_LATER}, ended.told
    if ended.code == TRY_LATER:
        assert_one_message(ended, "database.lost")
        assert "Run the same command again" in ended.err
    home.wait_until_quiet()
    home.succeed("import", undisturbed.file)
    assert_same(home.state(), undisturbed.state)
