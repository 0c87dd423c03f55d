"""Reading in a takeout session: begun once, used by every run until all is read, then ended."""

from datetime import UTC, datetime, timedelta

import pytest

from tg_pipeline.errors import FloodWait, TakeoutDelay
from tg_pipeline.flows.fetching import fetch
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, When, World

HISTORY, BEGIN = "messages.getHistory", "account.initTakeoutSession"
KEPT = "SELECT takeout_id FROM accounts"


@pytest.fixture
def live(live: Live, world: World, mira: Account) -> Live:
    """An archive that follows a channel of 350 posts."""
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(350):
        world.post(news, f"Boat {number}", by=news)
    live.follow(news)
    return live


def sessions_of(live: Live, since: int = 0) -> set[int | None]:
    """In which takeout sessions history was asked for."""
    return {one.takeout_id for one in live.server.requests.since(since, HISTORY)}


def open_at_telegram(live: Live) -> set[int]:
    """Takeout sessions that have begun and not ended."""
    return {one for device in live.server.devices.of(live.account) for one in device.takeouts}


def stop_after_two_pages(live: Live) -> None:
    live.server.faults.flood(HISTORY, 86_400, When(times=None, skip=2))
    assert isinstance(live.fetch(takeout=True).deferred, FloodWait)
    live.server.faults.clear()
    live.forget_waiting()


def test_all_history_is_read_in_one_session_which_then_ends(live: Live) -> None:
    report = live.fetch(takeout=True)

    assert report.counts.new == 350
    (session,) = sessions_of(live)
    assert session is not None
    assert open_at_telegram(live) == set()
    assert live.rows(KEPT) == [(None,)]


def test_without_asking_for_it_there_is_none(live: Live) -> None:
    live.fetch()
    assert sessions_of(live) == {None}
    assert live.server.requests.count(BEGIN) == 0


def test_a_run_that_was_cut_goes_on_in_the_same_session(live: Live) -> None:
    stop_after_two_pages(live)
    (kept,) = open_at_telegram(live)
    assert live.rows(KEPT) == [(kept,)]

    assert live.fetch(takeout=True).deferred is None

    assert sessions_of(live) == {kept}
    assert live.server.requests.count(BEGIN) == 1
    assert open_at_telegram(live) == set()


@pytest.mark.parametrize("work", [True, False])
def test_a_session_that_telegram_has_ended_is_no_error(live: Live, work: bool) -> None:
    """Its id was kept and refused in every later run that had nothing to read."""
    stop_after_two_pages(live)
    if not work:
        live.fetch(takeout=False)
    for device in live.server.devices.of(live.account):
        device.takeouts.clear()

    report = live.fetch(takeout=True)

    assert report.deferred is None
    assert [chat.error for chat in report.chats] == [None] * work
    assert live.rows("SELECT count(*) FROM messages") == [(350,)]
    assert live.rows(KEPT) == [(None,)]


def test_a_takeout_that_has_to_be_allowed_first_says_how_and_until_when(live: Live) -> None:
    live.server.faults.takeout_delay = 82_800
    now = datetime.now(UTC)

    delay = live.fetch(takeout=True).deferred

    assert isinstance(delay, TakeoutDelay)
    assert delay.code == "telegram.takeout_delay"
    assert delay.exit_code == 75
    assert timedelta(0) <= delay.until - now - timedelta(hours=23) < timedelta(minutes=1)
    assert "allow the data export" in delay.remedy
    assert "without --takeout it goes on now" in delay.remedy
    assert live.rows("SELECT count(*) FROM messages") == [(0,)]
    live.server.faults.takeout_delay = None
    assert live.fetch(takeout=True).counts.new == 350


def test_every_page_is_read_in_the_session_though_requests_fail(live: Live) -> None:
    live.server.faults.error(HISTORY, 500, "RPC_CALL_FAIL", When(times=None, every=2))
    live.server.faults.hang_up(BEGIN, When(times=1))
    assert live.fetch(takeout=True).counts.new == 350
    assert None not in sessions_of(live)


def test_a_run_of_some_chats_leaves_the_session_of_the_others_open(
    live: Live, world: World, mira: Account
) -> None:
    """It ended a session that had to be allowed, in the middle of a large chat."""
    stop_after_two_pages(live)
    small = world.channel(1_700_000_002, "Tide Table", mira)
    world.post(small, "High water", by=small)
    (key,) = live.follow(small)

    live.fetch(chats=[key], takeout=True)

    assert len(open_at_telegram(live)) == 1
    live.fetch(takeout=True)
    assert open_at_telegram(live) == set()
    assert live.server.requests.count(BEGIN) == 1


def test_by_the_setting_no_session_is_begun_for_a_few_news(live: Live) -> None:
    """Each run with news began one, and may have been told to wait for a day."""
    live = live.having(telegram_takeout=True)

    live.fetch()

    assert live.server.requests.count(BEGIN) == 0
    assert live.rows("SELECT count(*) FROM messages") == [(350,)]


def test_by_the_setting_much_is_read_in_a_session(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "BATCH", 300)

    live.having(telegram_takeout=True).fetch()

    assert None not in sessions_of(live)
