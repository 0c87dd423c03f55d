"""Fetching when something happens at the wrong moment; each test says what once went wrong."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from telethon.tl import types

from tg_pipeline.errors import DatabaseLost, FloodWait
from tg_pipeline.flows.fetching.turn import Turns
from tg_pipeline.landing import Spool
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, When, World
from tg_pipeline_tests.telegram_server.peers import Channel

HISTORY = "messages.getHistory"
ENDS_WHOEVER_LOADS = """
CREATE FUNCTION ends() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
CREATE TRIGGER ends BEFORE INSERT ON batches FOR EACH ROW EXECUTE FUNCTION ends()
"""


class Killed(BaseException):
    """Stands for kill -9 at a line of ours."""


@pytest.fixture
def migrated(world: World, mira: Account) -> Channel:
    """A supergroup of three messages that was a basic group of two."""
    quay = world.group(900_001, "Quay", mira)
    for number in range(2):
        world.post(quay, f"Old {number}", by=mira)
    bigger = world.supergroup(1_700_000_007, "Quay", mira)
    world.migrate(quay, bigger)
    world.post(bigger, by=mira, action=types.MessageActionChannelMigrateFrom("Quay", quay.id))
    for number in range(2):
        world.post(bigger, f"New {number}", by=mira)
    return bigger


def test_a_run_killed_after_the_page_that_tells_of_a_past_still_finds_it(
    live: Live, migrated: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page was kept before the basic group was noted, and never came again."""
    (key,) = live.follow(migrated)
    add = Spool.add

    def add_and_die(self: Spool, *arguments: object) -> None:
        add(self, *arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(Spool, "add", add_and_die)
    with pytest.raises(Killed):
        live.fetch()
    monkeypatch.undo()

    live.fetch()

    assert len(live.ids(key)) == 5


def test_the_total_of_a_migrated_chat_is_its_own(
    live: Live, migrated: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Continued with its past, a chat was given the number of messages of the basic group."""
    (key,) = live.follow(migrated)
    read = Turns._read

    async def read_and_die(self: Turns, *arguments: object) -> None:
        await read(self, *arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(Turns, "_read", read_and_die)
    with pytest.raises(Killed):
        live.fetch()
    monkeypatch.undo()

    live.fetch()

    assert live.rows("SELECT total FROM checkpoints") == [(3,)]
    assert live.ids(key)[0] < 0


def test_a_garbled_message_below_the_news_is_not_set_aside_again(
    live: Live, world: World, mira: Account
) -> None:
    """It was, when the oldest of the news had been deleted, and then without its id."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    posted = [world.post(news, f"Boat {number}", by=news) for number in range(5)]
    live.server.faults.garble(news.peer_id, posted[-1:])
    live.follow(news)
    assert live.fetch().counts.quarantined == 1
    deleted, *_ = [world.post(news, "Late boat", by=news) for _ in range(3)]
    world.delete(news, [deleted])
    mark = live.server.requests.mark()

    report = live.fetch()

    assert (report.counts.new, report.counts.quarantined) == (2, 0)
    assert live.rows("SELECT id FROM quarantine") == [(posted[-1],)]
    assert live.server.requests.count(HISTORY, mark) <= 4


@pytest.mark.parametrize("ids", [[1, 2, 3], [4, 9], [4, 9, 70, 71]])
@pytest.mark.parametrize("garbled", [1, 2, 3])
def test_a_newest_message_that_cannot_be_read_does_not_end_the_run(
    ids: list[int], garbled: int, live: Live, world: World, mira: Account
) -> None:
    """All chats of the account were left, with a traceback."""
    chats = [world.channel(1_700_000_001 + number, f"Pier {number}", mira) for number in range(3)]
    for chat in chats:
        for number in ids:
            world.post(chat, "Boat", by=chat, message_id=number)
    unread = ids[-garbled:]
    live.server.faults.garble(chats[1].peer_id, unread)
    keys = live.follow(*chats)

    report = live.fetch()

    assert [live.ids(key) for key in keys] == [ids, ids[: len(ids) - len(unread)], ids]
    assert report.counts.quarantined == len(unread)
    assert live.rows(f"SELECT top_id FROM checkpoints WHERE entity_id = {keys[1].entity_id}") == [
        (ids[-1],)
    ]
    assert live.fetch().chats == []


def test_a_last_message_of_the_days_that_cannot_be_read_is_passed_over(
    live: Live, world: World, mira: Account
) -> None:
    """Asked for what came until a day, it ended the run with a traceback."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    days = [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
    posted = [world.post(news, "Boat", by=news, date=one) for one in days]
    live.server.faults.garble(news.peer_id, posted[2:3])
    (key,) = live.follow(news)

    live.fetch(until=days[2].date())
    assert live.ids(key) == posted[:2]
    live.fetch()

    assert live.ids(key) == [*posted[:2], posted[3]]
    assert live.rows("SELECT id FROM quarantine") == [(posted[2],)]


def test_an_answer_that_breaks_off_anywhere_is_asked_for_again(
    live: Live, world: World, mira: Account
) -> None:
    """Some lengths ended the run with a traceback of Telethon's reader."""
    chats = [world.channel(1_700_000_001 + number, f"Pier {number}", mira) for number in range(40)]
    for number, chat in enumerate(chats):
        for place in range(1 + number % 5):
            world.post(chat, "Boat" + "!" * number, by=chat, views=place, forwards=place)
    live.follow(*chats)
    live.server.faults.truncate(HISTORY, When(times=None, every=2))

    assert live.fetch().counts.new == sum(1 + number % 5 for number in range(40))


def test_a_chat_that_the_statistics_do_not_know_is_loaded_as_fast_as_others(
    live: Live, world: World, mira: Account
) -> None:
    """Taken for empty, it was looked through once for each of its messages."""
    chats = [world.channel(1_700_000_001 + number, f"Pier {number}", mira) for number in range(2)]
    seconds = []
    for chat in chats:
        for _ in range(9_000):
            world.post(chat, "Boat", by=chat)
        live.follow(chat)
        began = time.monotonic()
        assert live.fetch().counts.new == 9_000
        seconds.append(time.monotonic() - began)
        with live.archive.database.transaction() as connection:
            connection.exec_driver_sql("ANALYZE")
    assert seconds[1] < 3 * seconds[0], seconds


def test_a_flood_wait_of_connecting_binds_the_next_run_too(
    live: Live, world: World, mira: Account
) -> None:
    """It was asked anew by each run, for nothing had written it down."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    world.post(news, "Boat", by=news)
    live.follow(news)
    live.server.faults.flood("users.getUsers", 4_000, When())

    first = live.fetch().deferred
    mark = live.server.requests.mark()
    second = live.fetch().deferred

    assert isinstance(first, FloodWait)
    assert isinstance(second, FloodWait)
    assert abs(second.until - first.until) < timedelta(seconds=2)
    assert live.server.requests.since(mark) == [], "nobody even connects"
    live.forget_waiting()
    assert live.fetch().counts.new == 1


def test_every_request_is_counted_those_of_connecting_too(
    live: Live, world: World, mira: Account
) -> None:
    """Telethon's own were missing: a schedule of each quarter of an hour hid hundreds a day."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(250):
        world.post(news, f"Boat {number}", by=news)
    live.follow(news)

    report = live.fetch()

    assert report.requests == len(live.server.requests.since(0))
    assert live.rows("SELECT requests FROM account_requests") == [(report.requests,)]


def test_requests_of_connecting_again_are_counted(live: Live, world: World, mira: Account) -> None:
    """They overran the budget of a day, and a wait of theirs was kept under another's name."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(450):
        world.post(news, f"Boat {number}", by=news)
    live.follow(news)
    live.server.faults.hang_up(HISTORY, When(times=None, every=2))

    report = live.fetch()

    assert report.counts.new == 450
    assert report.requests == len(live.server.requests.since(0))
    live.server.faults.flood("help.getConfig", 4_000, When(skip=1))
    world.post(news, "Late boat", by=news)
    world.post(news, "Later boat", by=news)
    live.server.faults.hang_up("messages.getPeerDialogs", When())
    assert isinstance(live.fetch().deferred, FloodWait)
    assert live.rows("SELECT method, seconds FROM account_limits") == [("initConnection", 4_000)]


def test_a_lost_database_is_not_told_as_telegram_s_will(
    live: Live, world: World, mira: Account
) -> None:
    """The run was called deferred, and the refresh was green though half was not loaded."""
    for number in (1, 2, 3):
        chat = world.channel(1_700_000_000 + number, f"Pier {number}", mira)
        for _ in range(150):
            world.post(chat, "Boat", by=chat)
        live.follow(chat)
    with live.archive.database.transaction() as connection:
        connection.exec_driver_sql(ENDS_WHOEVER_LOADS)

    with pytest.raises(DatabaseLost):
        live.fetch()

    with live.archive.database.transaction() as connection:
        connection.exec_driver_sql("DROP TRIGGER ends ON batches")
    live.fetch()
    assert live.rows("SELECT count(*) FROM messages") == [(450,)]
