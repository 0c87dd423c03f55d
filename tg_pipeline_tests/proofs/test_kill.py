"""Kill -9 at any moment loses nothing and doubles nothing: the same command again continues."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.proofs.running import PATIENCE_SECONDS, SUCCESS, Home, Running, kill
from tg_pipeline_tests.state import assert_same

TRY_LATER = 75
FAILED = 1
TARGETS = ("command", "command and servers", "postmaster")


@dataclass(frozen=True, slots=True)
class Extent:
    messages: int
    kills: int


EXTENTS = [
    pytest.param(Extent(6_000, 3), id="short"),
    pytest.param(
        Extent(60_000, 30), id="long", marks=[pytest.mark.prove, pytest.mark.timeout(3600)]
    ),
]


@pytest.mark.parametrize("extent", EXTENTS)
def test_killed_imports_continue_and_end_in_the_undisturbed_state(
    extent: Extent, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    file = samples.account_export(tmp_path / "result.json", extent.messages)
    undisturbed = Home(tmp_path / "undisturbed")
    duration = _timed(undisturbed, file)
    expected = undisturbed.state()
    undisturbed.wait_until_quiet()
    print(f"undisturbed: {duration:.1f} s")

    proof = _Proof(random.Random(seed), file, duration, tmp_path)
    finished = proof.kill_many(extent.kills)
    for home in finished:
        assert_same(home.state(), expected)
        home.wait_until_quiet()
    print(f"kills by target: {dict(proof.hit)}; by moment: {dict(proof.moments)}")
    print(f"archives finished and compared: {len(finished)}")


def _timed(home: Home, file: Path) -> float:
    running = home.start("import", file)
    ended = running.wait()
    assert ended.code in SUCCESS, ended.told
    return running.lasted


class _Proof:
    """Kills one import after another; where one gets through, the next has a home of its own."""

    def __init__(self, chance: random.Random, file: Path, duration: float, place: Path) -> None:
        self.chance = chance
        self.file = file
        self.duration = duration
        self.place = place
        self.homes = 0
        self.hit: Counter[str] = Counter()
        self.moments: Counter[str] = Counter()

    def kill_many(self, kills: int) -> list[Home]:
        """Kill so often; the homes in which the import then ran to its end."""
        finished = []
        home = self._new_home()
        for share, target in zip(self._shares(kills), cycle(TARGETS), strict=False):
            while not self._kill_once(home, share, target):
                finished.append(home)
                home = self._new_home()
        home.succeed("import", self.file)
        return [*finished, home]

    def _shares(self, kills: int) -> Iterator[float]:
        """Uniformly random shares of a run, one in each of equal stretches, in any order."""
        stretches = list(range(kills))
        self.chance.shuffle(stretches)
        for stretch in stretches:
            yield (stretch + self.chance.random()) / kills

    def _new_home(self) -> Home:
        self.homes += 1
        return Home(self.place / f"home-{self.homes}")

    def _kill_once(self, home: Home, share: float, target: str) -> bool:
        """Whether the kill came before the import had ended.

        A run that gets through tells how long one takes now: what else the machine does changes.
        """
        running = home.start("import", self.file)
        offset = share * self.duration
        if not running.sleep_until(offset):
            ended = running.wait()
            assert ended.code in SUCCESS, ended.told
            self.duration = min(self.duration, running.lasted)
            return False
        moment = _moment(home)
        told = self._strike(home, running, target)
        self.hit[told] += 1
        self.moments[moment] += 1
        print(f"{home.folder.name}: {told} killed after {offset:.2f} s, {moment}")
        return True

    def _strike(self, home: Home, running: Running, target: str) -> str:
        postmaster = home.postmaster()
        if target == "postmaster" and postmaster is not None:
            kill([postmaster])
            _assert_told_or_recovered(running)
            return target
        victims = home.servers() if target == "command and servers" else []
        running.process.kill()
        kill(victims)
        running.wait()
        return target if target != "postmaster" else "command, no postmaster yet"


def _assert_told_or_recovered(running: Running) -> None:
    """Without its server the command ends with one message, and says that trying again helps."""
    ended = running.wait(PATIENCE_SECONDS)
    assert "Traceback" not in ended.err, ended.told
    assert ended.code in SUCCESS | {TRY_LATER}, ended.told
    if ended.code == TRY_LATER:
        assert ended.err.count("error: ") == 1, ended.told


def _moment(home: Home) -> str:
    """What the import seems to be doing, from what lies in its folders."""
    if not (home.folder / "postgres").exists():
        return "before the server"
    if not (home.folder / "postgres" / "data").exists() or home.postmaster() is None:
        return "starting the server"
    if any(home.landing.rglob("*.tmp")):
        return "landing"
    if any(b'"landed": true' in path.read_bytes() for path in home.landing.glob("_files/*.json")):
        return "publishing"
    return "loading" if any(home.landing.glob("*/*.jsonl.zst")) else "scanning"
