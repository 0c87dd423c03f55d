"""Some days alone, and the newest days again for edits and deletions."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, When, World
from tg_pipeline_tests.telegram_server.peers import Channel

HISTORY = "messages.getHistory"
START = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def hourly(live: Live, world: World, mira: Account) -> Channel:
    """A followed channel with 900 posts, one each hour."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for hour in range(900):
        world.post(news, f"Boat {hour}", by=news, date=START + timedelta(hours=hour))
    live.follow(news)
    return news


def test_days_are_fetched_alone_and_the_rest_later(live: Live, world: World, mira: Account) -> None:
    start = datetime(2024, 1, 1, 12, tzinfo=UTC)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    ids = [
        world.post(news, f"Boat {n}", by=news, date=start + timedelta(hours=n)) for n in range(900)
    ]
    (key,) = live.follow(news)

    live.fetch(since=date(2024, 1, 10), until=date(2024, 1, 12))
    some = live.ids(key)
    wanted = [
        ids[n]
        for n in range(900)
        if date(2024, 1, 10) <= (start + timedelta(hours=n)).date() <= date(2024, 1, 12)
    ]
    assert set(wanted) <= set(some)
    assert len(some) < 300
    live.fetch()
    assert live.ids(key) == ids
    read = live.rows("SELECT sum(messages) FROM batches")
    assert read == [(900,)], "nothing twice"


@pytest.mark.parametrize(
    ("since", "until", "requests"),
    [
        (date(2024, 2, 5), None, 0),
        (None, date(2024, 1, 10), 1),
        (date(2024, 1, 20), date(2024, 1, 31), 1),
    ],
)
def test_the_same_days_again_bring_nothing(
    live: Live, hourly: Channel, since: date | None, until: date | None, requests: int
) -> None:
    """Each run took one page more of what was too old, and kept it."""
    first = live.fetch(since=since, until=until)
    assert first.counts.new > 0
    mark = live.server.requests.mark()

    again = live.fetch(since=since, until=until)

    assert live.server.requests.count(HISTORY, mark) == requests, "where the days end"
    assert again.chats == []
    assert again.counts.read == 0


def test_days_of_a_chat_that_is_archived_ask_for_nothing(live: Live, hourly: Channel) -> None:
    live.fetch()
    mark = live.server.requests.mark()

    live.fetch(since=date(2024, 1, 20), until=date(2024, 1, 31))

    assert live.server.requests.count(HISTORY, mark) == 0


def test_an_edit_and_a_deletion_are_noticed_when_the_newest_days_are_read_again(
    live: Live, world: World, mira: Account
) -> None:
    now = datetime.now(UTC)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    before = now - timedelta(days=40)
    old, *_ = [world.post(news, "Long ago", by=news, date=before) for _ in range(150)]
    ids = [world.post(news, f"Boat {n}", by=news, date=now - timedelta(hours=5)) for n in range(9)]
    (key,) = live.follow(news)
    live.fetch()
    world.edit(news, ids[3], message="Boat 3 is late", edit_date=now)
    world.delete(news, [ids[5], old])
    again = live.having(telegram_reread_days=2)

    assert again.fetch().chats == [], "not twice a day"
    again.forget_rereading()
    again.fetch()

    texts = dict(live.rows(f"SELECT id, text FROM messages WHERE entity_id = {key.entity_id}"))
    assert texts[ids[3]] == "Boat 3 is late"
    gone = "SELECT id FROM messages WHERE deleted_at IS NOT NULL"
    assert live.rows(gone) == [(ids[5],)], "what was not read again is not known to be gone"


def test_a_first_fetch_that_was_cut_does_not_read_its_newest_days_again(
    live: Live, world: World, mira: Account
) -> None:
    now = datetime.now(UTC)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(1_000):
        world.post(news, "Boat", by=news, date=now - timedelta(minutes=1_000 - number))
    live.follow(news)
    daily = live.having(telegram_reread_days=5)
    live.server.faults.flood(HISTORY, 9_000, When(skip=4))
    assert daily.fetch().deferred is not None
    daily.forget_waiting()
    mark = live.server.requests.mark()

    assert daily.fetch().counts.new == 600
    assert live.server.requests.count(HISTORY, mark) == 6


def test_deleted_newest_messages_are_noticed(live: Live, world: World, mira: Account) -> None:
    """Only what lay below the newest message that was left had been read again."""
    now = datetime.now(UTC)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    posted = [world.post(news, "Boat", by=news, date=now - timedelta(days=9 - n)) for n in range(6)]
    live.follow(news)
    live.fetch()
    world.delete(news, posted[-2:])
    again = live.having(telegram_reread_days=5)
    again.forget_rereading()

    again.fetch()

    gone = "SELECT id FROM messages WHERE deleted_at IS NOT NULL ORDER BY id"
    assert live.rows(gone) == [(number,) for number in posted[-2:]]


def test_a_hole_in_days_that_are_read_again_is_read_once(
    live: Live, world: World, mira: Account
) -> None:
    """It was read with them, and then as a hole of its own."""
    now = datetime.now(UTC)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for _ in range(200):
        world.post(news, "Boat", by=news, date=now - timedelta(days=30))
    live.follow(news)
    daily = live.having(telegram_reread_days=5)
    daily.fetch()
    for minute in range(1_000):
        world.post(news, "Boat", by=news, date=now - timedelta(minutes=1_000 - minute))
    daily.forget_rereading()
    live.server.faults.flood(HISTORY, 9_000, When(skip=6))
    assert daily.fetch().deferred is not None
    live.server.faults.clear()
    daily.forget_waiting()

    report = daily.fetch()

    assert report.counts.new == 400
    assert report.counts.read <= 1_100, "1,000 of these days, and the page that is older"
