"""A fetch that is ended at any moment loses nothing, doubles nothing and asks for nothing anew."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from threading import Timer
from typing import Any

import pytest

from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.proofs.fetching import (
    HISTORY,
    TRY_LATER,
    Page,
    Sea,
    Shore,
    assert_as_the_server_holds,
    pages_asked,
    plans_of,
    sea_of,
    state,
)
from tg_pipeline_tests.proofs.running import SUCCESS, Ended, Running
from tg_pipeline_tests.state import assert_same
from tg_pipeline_tests.telegram_server import TelegramServer

FETCH = ("fetch", "--no-export", "--quiet")
INTERRUPTED = 130
LATENCY_SECONDS = 0.02
AWAY_SECONDS = 1.5
IN_FLIGHT = 2
"""Pages that may be lost: one that came and is not written yet, and the next, already asked for."""
MOMENTS = ("asking", "writing", "landing", "loading", "any")


@dataclass(frozen=True, slots=True)
class Extent:
    messages: int
    kills: int


LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
EXTENTS = [
    pytest.param(Extent(3_000, 3), id="short"),
    pytest.param(Extent(24_000, 30), id="long", marks=LONG),
]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """A fetch from beginning to end, with which others are compared."""

    sea: Sea
    server: TelegramServer
    state: dict[str, Any]
    pages: Counter[Page]
    seconds: float

    @classmethod
    def of(cls, sea: Sea, server: TelegramServer, new_archive: NewArchive) -> "Undisturbed":
        server.faults.latency = LATENCY_SECONDS
        shore = Shore.new(server, sea, new_archive)
        running = shore.home.start(*FETCH)
        ended = running.wait()
        assert ended.code in SUCCESS, ended.told
        assert_as_the_server_holds(shore.archive, sea)
        pages = pages_asked(server)
        assert set(pages.values()) == {1}
        return cls(sea, server, state(shore.archive.database), pages, running.lasted)


@pytest.mark.parametrize("extent", EXTENTS)
def test_ended_fetches_continue_and_end_in_the_undisturbed_state(
    extent: Extent, new_archive: NewArchive
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    sea = sea_of(plans_of(extent.messages))
    with TelegramServer(sea.world) as server:
        undisturbed = Undisturbed.of(sea, server, new_archive)
        print(f"{sea.size} messages in {len(undisturbed.pages)} pages: {undisturbed.seconds:.1f} s")
        proof = _Proof(random.Random(seed), undisturbed, new_archive)
        proof.end_many(extent.kills)
    print(f"ended {dict(proof.ends)}; archives and pages asked again: {proof.again}")


@dataclass(slots=True)
class _Proof:
    """Ends one fetch after another; where one gets through, the next has an archive of its own."""

    chance: random.Random
    undisturbed: Undisturbed
    new_archive: NewArchive
    ends: Counter[str] = field(default_factory=Counter)
    again: list[tuple[int, int]] = field(default_factory=list)

    def end_many(self, kills: int) -> None:
        """Kill -9 so often, and of each fifth, or of the last, ask an archive to end politely."""
        moments = cycle(self.chance.sample(MOMENTS, len(MOMENTS)))
        done = 0
        while done < kills:
            done += self._one_archive(moments, kills - done)

    def _one_archive(self, moments: Iterator[str], kills: int) -> int:
        """End an archive's fetches until one gets through, and compare; how many were killed."""
        server = self.undisturbed.server
        shore = Shore.new(server, self.undisturbed.sea, self.new_archive)
        mark, killed, polite = server.requests.mark(), 0, 0
        while killed < min(kills, 10) and self._end_once(shore, next(moments), kills - killed):
            killed += 1
        for number in (signal.SIGINT, signal.SIGTERM):
            polite += self._interrupt(shore, number)
        ended = self._fetch_with_a_restart(shore)
        assert ended.code in SUCCESS, ended.told
        self._compare(shore, pages_asked(server, mark), killed, killed + polite + 1)
        return killed

    def _end_once(self, shore: Shore, moment: str, kills_left: int) -> bool:
        """Kill a fetch; whether that came before it had ended."""
        mark = self.undisturbed.server.requests.mark()
        running = shore.home.start(*FETCH)
        _wait_for(running, self._reached(shore, moment, kills_left))
        if not running.alive:
            ended = running.wait()
            assert ended.code in SUCCESS, ended.told
            return False
        running.process.kill()
        running.wait()
        self._told(f"killed {moment}", mark)
        return True

    def _reached(self, shore: Shore, moment: str, kills_left: int) -> Callable[[], bool]:
        """Whether this moment has come."""
        requests = self.undisturbed.server.requests
        mark, share = requests.mark(), len(self.undisturbed.pages) // (kills_left + 2)
        pages = self.chance.randrange(1, max(2, 2 * share))

        def asked() -> bool:
            return requests.count(HISTORY, mark) > pages

        at = self.chance.random() * LATENCY_SECONDS * share
        begun: list[float] = []

        def later() -> bool:
            """So long after the first page was asked for."""
            if not begun and requests.count(HISTORY, mark):
                begun.append(time.monotonic())
            return bool(begun) and time.monotonic() - begun[0] > at

        return {
            "asking": asked,
            "writing": lambda: asked() and _grows(shore),
            "landing": lambda: any(shore.home.landing.rglob("*.tmp*")),
            "loading": lambda: asked() and _is_loading(shore),
            "any": later,
        }[moment]

    def _interrupt(self, shore: Shore, number: signal.Signals) -> bool:
        """Ask a fetch to end, while it reads; whether that came before it had ended."""
        requests = self.undisturbed.server.requests
        mark = requests.mark()
        running = shore.home.start(*FETCH)
        _wait_for(running, lambda: requests.count(HISTORY, mark) > 1)
        running.signal(number)
        ended = running.wait(120)
        if ended.code in SUCCESS:
            return False
        assert ended.code == INTERRUPTED, ended.told
        assert "run the same command again, it continues" in ended.err, ended.told
        for word in ("Traceback", "never retrieved", "pending"):
            assert word not in ended.err, ended.told
        self._told(number.name, mark)
        return True

    def _fetch_with_a_restart(self, shore: Shore) -> Ended:
        """Fetch to the end, from a server that goes away for a while."""
        server = self.undisturbed.server
        mark = server.requests.mark()
        running = shore.home.start(*FETCH)
        _wait_for(running, lambda: server.requests.count(HISTORY, mark) > 1)
        server.stop()
        back = Timer(AWAY_SECONDS, server.start)
        back.start()
        ended = running.wait()
        back.join()
        return ended

    def _told(self, end: str, mark: int) -> None:
        self.ends[end] += 1
        print(f"{end} after {self.undisturbed.server.requests.count(HISTORY, mark)} pages")

    def _compare(self, shore: Shore, pages: Counter[Page], killed: int, ends: int) -> None:
        assert_same(state(shore.archive.database), self.undisturbed.state)
        assert_as_the_server_holds(shore.archive, self.undisturbed.sea)
        assert pages.keys() == self.undisturbed.pages.keys(), "others were asked for"
        repeated = sum(pages.values()) - len(pages)
        self.again.append((ends, repeated))
        assert repeated <= IN_FLIGHT * ends, f"{repeated} pages again after {ends} ends"
        assert not list(shore.spools.glob("*")), "all pages are landed"
        assert not list(shore.home.landing.rglob("*.tmp*"))


def _wait_for(running: Running, reached: Callable[[], object]) -> None:
    while running.alive and not reached():
        time.sleep(0.0005)


def _grows(shore: Shore) -> bool:
    """Whether a spool is just being written."""
    sizes = [_spooled(shore)]
    deadline = time.monotonic() + 5 * LATENCY_SECONDS
    while time.monotonic() < deadline:
        sizes.append(_spooled(shore))
        if sizes[-1] > sizes[-2]:
            return True
    return False


def _spooled(shore: Shore) -> int:
    """Bytes of all spools; one may be landed and removed while it is looked at."""
    size = 0
    for one in shore.spools.glob("*.jsonl"):
        with suppress(FileNotFoundError):
            size += one.stat().st_size
    return size


def _is_loading(shore: Shore) -> bool:
    """Whether a batch is landed that is not loaded."""
    landed = len(list(shore.home.landing.glob("*/*.json")))
    if not landed:
        return False
    ((loaded,),) = shore.live.rows("SELECT count(*) FROM batches")
    return bool(landed > loaded)


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_a_server_that_does_not_come_back_ends_the_run_and_the_next_continues(
    new_archive: NewArchive,
) -> None:
    sea = sea_of(plans_of(2_400), seed=2)
    with TelegramServer(sea.world) as server:
        undisturbed = Undisturbed.of(sea, server, new_archive)
        shore = Shore.new(server, sea, new_archive)
        mark = server.requests.mark()
        running = shore.home.start(*FETCH)
        running.wait_for(lambda: server.requests.count(HISTORY, mark) > 12)
        server.stop()
        ended = running.wait()
        assert ended.code == TRY_LATER, ended.told
        assert "telegram.unreachable" in ended.err, ended.told
        assert not list(shore.spools.glob("*")), "what came is landed"
        ((loaded,),) = shore.live.rows("SELECT count(*) FROM messages")
        assert loaded > 0, "and loaded"
        server.start()
        ended = shore.home.run(*FETCH)  # which waits until the circuit closes
        assert ended.code in SUCCESS, ended.told
        assert_same(state(shore.archive.database), undisturbed.state)
