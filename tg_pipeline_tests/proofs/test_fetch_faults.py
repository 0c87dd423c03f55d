"""Whatever Telegram and the network do to its requests, a fetch ends in the same state.

What it is told to wait for it waits for, whoever asks next; what it cannot read it sets aside.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tg_pipeline.errors import BudgetSpent, FloodWait, TelegramUnreachable
from tg_pipeline.sources.telegram import manners, patience
from tg_pipeline_tests.flows.conftest import NewArchive, archives
from tg_pipeline_tests.proofs.fetching import (
    HISTORY,
    TRY_LATER,
    Key,
    Sea,
    Shore,
    assert_as_the_server_holds,
    assert_equal_maps,
    found_hashes,
    pages_asked,
    plans_of,
    sea_of,
    state,
)
from tg_pipeline_tests.proofs.running import FAILED, assert_one_message
from tg_pipeline_tests.proofs.test_disk_full import ROOMY, Disk, disk
from tg_pipeline_tests.state import assert_same
from tg_pipeline_tests.telegram_server import TelegramServer, When, always

__all__ = ["disk"]

LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
SIZES = [pytest.param(1_800, id="short"), pytest.param(24_000, id="long", marks=LONG)]
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Calm:
    """Chats, their server, and what a fetch makes of them when nothing goes wrong."""

    sea: Sea
    server: TelegramServer
    state: dict[str, Any]
    pages: int


@pytest.fixture(scope="module", params=SIZES)
def calm(
    request: pytest.FixtureRequest, server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Calm]:
    sea = sea_of(plans_of(request.param), seed=3)
    with TelegramServer(sea.world) as server:
        for new_archive in archives(server_url, tmp_path_factory.mktemp("calm")):
            shore = Shore.new(server, sea, new_archive)
            shore.live.fetch()
            assert_as_the_server_holds(shore.archive, sea)
            expected = state(shore.archive.database)
            yield Calm(sea, server, expected, pages_asked(server).total())


@pytest.fixture
def shore(calm: Calm, new_archive: NewArchive) -> Iterator[Shore]:
    """An empty archive; at the end everything works again."""
    yield Shore.new(calm.server, calm.sea, new_archive)
    calm.server.faults.clear()


def with_settings(shore: Shore, **values: object) -> Shore:
    """The same archive under other settings."""
    return replace(shore, live=shore.live.having(**values))


def moments(calm: Calm, since: int, method: str = HISTORY) -> list[float]:
    """When the server got requests."""
    return [one.at for one in calm.server.requests.since(since, method)]


# ---- one in ten

TROUBLES: dict[str, Callable[[TelegramServer, When], None]] = {
    "fails": lambda server, when: server.faults.error(HISTORY, 500, "RPC_CALL_FAIL", when),
    "is flooded": lambda server, when: server.faults.flood(HISTORY, 1, when),
    "is not answered": lambda server, when: server.faults.hang_up(HISTORY, when),
    "is answered and cut": lambda server, when: server.faults.hang_up(
        HISTORY, when, answer_first=True
    ),
    "is truncated": lambda server, when: server.faults.truncate(HISTORY, when),
    "is slow": lambda server, when: server.faults.delay(HISTORY, 0.5, when),
}


def test_one_request_in_ten_goes_wrong(calm: Calm, shore: Shore) -> None:
    """Each in another way, one after another; in the short form one in three."""
    distance = min(10, calm.pages // (len(TROUBLES) + 1))
    for number, trouble in enumerate(TROUBLES.values()):
        for turn in range(calm.pages // (distance * len(TROUBLES))):
            trouble(calm.server, When(skip=distance * (turn * len(TROUBLES) + number)))
    mark = calm.server.requests.mark()
    report = shore.live.fetch()
    assert report.deferred is None
    assert_same(state(shore.archive.database), calm.state)
    asked = calm.server.requests.count(HISTORY, mark)
    print(f"{asked} requests instead of {calm.pages}")
    troubles = len(TROUBLES) * (calm.pages // (distance * len(TROUBLES)))
    assert asked <= calm.pages + 2 * troubles, "a page in trouble, and the one asked for ahead"


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TROUBLES)
def test_one_request_in_ten_goes_wrong_in_the_same_way(name: str, calm: Calm, shore: Shore) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    TROUBLES[name](calm.server, When(times=None, chance=0.1, seed=seed))
    assert shore.live.fetch().deferred is None
    assert_same(state(shore.archive.database), calm.state)


# ---- waiting


def test_a_short_flood_wait_is_waited_for_to_the_second(calm: Calm, shore: Shore) -> None:
    mark = calm.server.requests.mark()
    calm.server.faults.flood(HISTORY, 2, When(times=2, skip=4, every=6))
    assert shore.live.fetch().deferred is None
    asked = calm.server.requests.since(mark, HISTORY)
    again = [(one, two) for one, two in pairwise(asked) if one.arguments == two.arguments]
    assert len(again) == 2, "only what was flooded is asked again"
    assert all(2 <= two.at - one.at < 3 for one, two in again), again
    told = shore.live.rows("SELECT account, method, seconds FROM account_limits")
    assert told == [("main", HISTORY, 2)]
    assert_same(state(shore.archive.database), calm.state)


def test_the_next_process_waits_for_what_the_last_one_was_told(calm: Calm, shore: Shore) -> None:
    calm.server.faults.flood(HISTORY, 60, When(skip=4))
    impatient = with_settings(shore, telegram_wait_limit=30)
    assert isinstance(impatient.live.fetch().deferred, FloodWait)
    mark = calm.server.requests.mark()
    assert isinstance(impatient.live.fetch().deferred, FloodWait), "it does not even ask"
    assert moments(calm, mark) == []
    told_at = time.monotonic()
    with shore.archive.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE account_limits SET until = now() + interval '3 s'")
    assert shore.live.fetch().deferred is None
    assert 3 <= moments(calm, mark)[0] - told_at < 4
    assert_same(state(shore.archive.database), calm.state)


def test_a_long_flood_wait_ends_the_run_with_the_time_to_go_on(calm: Calm, shore: Shore) -> None:
    """What came before is loaded; the next run asks for nothing."""
    calm.server.faults.flood(HISTORY, 3_600, When(skip=8))
    mark = calm.server.requests.mark()
    before = datetime.now(UTC)
    ended = shore.home.run("fetch", "--no-export", "--quiet")
    assert ended.code == TRY_LATER, ended.told
    assert_one_message(ended, "telegram.flood_wait")
    ((until,),) = shore.live.rows("SELECT until FROM account_limits")
    assert 3_600 <= (until - before).total_seconds() < 3_640
    assert re.search(rf"{until:%H:%M}", ended.err), ended.err
    loaded = found_hashes(shore.archive)
    assert len(loaded) > 0
    assert not list(shore.spools.glob("*"))
    pages = pages_asked(calm.server, mark)
    assert pages.total() == 9
    mark = calm.server.requests.mark()
    assert isinstance(shore.live.fetch().deferred, FloodWait)
    assert moments(calm, mark) == []
    with shore.archive.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE account_limits SET until = now()")
    assert shore.live.fetch().deferred is None
    again = pages + pages_asked(calm.server, mark)
    assert sum(count - 1 for count in again.values()) == 1, "only the refused one was asked anew"
    assert_same(state(shore.archive.database), calm.state)


def test_the_circuit_opens_when_nothing_works_and_closes_when_something_does(
    calm: Calm, shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manners, "TRIES", 3)
    monkeypatch.setattr(patience, "_CIRCUIT_SECONDS", 2)
    calm.server.faults.hang_up(HISTORY, always())
    rows = "SELECT method, seconds FROM account_limits"
    mark = calm.server.requests.mark()
    assert isinstance(shore.live.fetch().deferred, TelegramUnreachable)
    assert shore.live.rows(rows) == [("*", 2)]
    assert calm.server.requests.count(HISTORY, mark) == 3, "it was hammered"
    (broke_at,) = moments(calm, mark)[-1:]
    mark = calm.server.requests.mark()
    assert isinstance(shore.live.fetch().deferred, TelegramUnreachable)
    asked_at = calm.server.requests.since(mark, "messages.getPeerDialogs")[0].at
    assert asked_at - broke_at >= 2, "nobody asks while it is open"
    calm.server.faults.clear()
    assert shore.live.fetch().deferred is None
    assert shore.live.rows(rows) == []
    assert_same(state(shore.archive.database), calm.state)


def test_the_budget_of_a_day_is_kept(calm: Calm, shore: Shore) -> None:
    mark = calm.server.requests.mark()
    thrifty = with_settings(shore, telegram_daily_requests=10)
    report = thrifty.live.fetch()
    assert isinstance(report.deferred, BudgetSpent)
    assert report.deferred.until.timestamp() % DAY_SECONDS == 0
    assert len(calm.server.requests.since(mark)) == 10 == report.requests
    assert len(found_hashes(shore.archive)) == report.counts.new > 0
    mark = calm.server.requests.mark()
    assert isinstance(thrifty.live.fetch().deferred, BudgetSpent)
    assert calm.server.requests.since(mark) == [], "it does not even connect"
    assert shore.live.fetch().deferred is None
    assert_same(state(shore.archive.database), calm.state)


# ---- what cannot be read


def test_messages_of_unknown_kinds_are_set_aside_and_nothing_else(calm: Calm, shore: Shore) -> None:
    """With their bytes; and nothing is claimed complete where they are."""
    garbled = _garble(calm, share=0.02)
    report = shore.live.fetch()
    assert report.deferred is None
    truth = calm.sea.truth()
    readable = {key: digest for key, digest in truth.items() if key not in garbled}
    assert_equal_maps(found_hashes(shore.archive), readable)
    rows = shore.live.rows("SELECT chat_entity_id, account_id, id, reason, raw FROM quarantine")
    assert len(rows) == len(garbled)
    assert {reason for *_, reason, _raw in rows} == {"unknown_constructor"}
    left = dict(garbled)
    for entity, account, number, _reason, raw in rows:
        found = [
            key
            for key, data in left.items()
            if key[:2] == (entity, account) and bytes(raw).startswith(data)
        ]
        assert len(found) == 1
        assert number in (None, found[0][2])
        del left[found[0]]
    claimed = shore.live.rows("SELECT entity_id, account_id, low, high FROM complete_ranges")
    for entity, account, low, high in claimed:
        inside = [key for key in garbled if key[:2] == (entity, account) and low <= key[2] <= high]
        assert not inside, "claimed complete over what could not be read"
    assert shore.live.rows("SELECT id FROM messages WHERE deleted_at IS NOT NULL") == []
    mark = calm.server.requests.mark()
    assert shore.live.fetch().counts.read == 0
    assert calm.server.requests.count(HISTORY, mark) <= 40


def test_what_could_be_read_once_and_no_more_is_not_taken_for_deleted(
    calm: Calm, shore: Shore
) -> None:
    shore.live.fetch()
    garbled = _garble(calm, share=0.02)
    again = with_settings(shore, telegram_reread_days=10_000)
    shore.live.forget_rereading()
    report = again.live.fetch()
    assert report.counts.quarantined > 0
    assert report.counts.new == 0
    assert_equal_maps(found_hashes(shore.archive), calm.sea.truth())
    assert shore.live.rows("SELECT id FROM messages WHERE deleted_at IS NOT NULL") == []
    assert garbled


def _garble(calm: Calm, share: float) -> dict[Key, bytes]:
    """Make some messages unreadable: single ones, runs, the newest and the oldest of a chat."""
    chance = random.Random(5)
    found: dict[Key, bytes] = {}
    for one in calm.sea.histories:
        if one.plan.kind not in ("channel", "supergroup"):
            continue  # ids of others are made of their own account's: see the server
        box = calm.sea.world.channels[one.plan.peer_id].box
        ids = box.ids
        some = set(chance.sample(ids, int(len(ids) * share)))
        at = chance.randrange(10, len(ids) - 10)
        some |= {ids[-1], *ids[at : at + 3]}
        if one.plan.before_migration:
            some.discard(ids[0])  # which tells of the past
        else:
            some.add(ids[0])
        calm.server.faults.garble(one.entity_id, some)
        for number in some:
            record = box.get(number)
            assert record is not None
            found[one.entity_id, 0, number] = record.garbled()
    return found


# ---- a full disk


def test_a_full_disk_below_the_spool(calm: Calm, shore: Shore, disk: Disk) -> None:
    """Whole pages are landed and loaded, and with room again the rest comes."""
    shore.spools.parent.mkdir(parents=True, exist_ok=True)
    shore.spools.symlink_to(disk.folder, target_is_directory=True)
    largest = 64 << 10
    disk.resize(largest)
    for _ in range(2):
        ended = shore.home.run("fetch", "--no-export", "--quiet")
        assert ended.code == FAILED, ended.told
        assert_one_message(ended, "disk.full")
        for word in ("never retrieved", "pending"):
            assert word not in ended.err, ended.told
    for key, digest in found_hashes(shore.archive).items():
        assert calm.sea.truth()[key] == digest
    disk.resize(ROOMY)
    assert shore.live.fetch().deferred is None
    assert_same(state(shore.archive.database), calm.state)
