"""Chats that cannot be read, for whatever reason: all the others are."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import TelegramRefused
from tg_pipeline.flows.chats import add_chats
from tg_pipeline.sources.telegram import history
from tg_pipeline.sources.telegram.references import read_reference
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, World, always
from tg_pipeline_tests.telegram_server.peers import Channel

HISTORY = "messages.getHistory"
START = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def piers(world: World, mira: Account) -> list[Channel]:
    """Three channels with a post on each of five days."""
    found = []
    for number in (1, 2, 3):
        pier = world.channel(
            1_700_000_000 + number, f"Pier {number}", mira, username=f"pier_no_{number}"
        )
        for day in range(5):
            world.post(pier, "Boat", by=pier, date=START + timedelta(days=day))
        found.append(pier)
    return found


def of_first_pier(asked: object) -> bool:
    return "1700000001" in str(asked)


def assert_only_the_first_is_missing(live: Live, piers: list[Channel]) -> None:
    assert [live.ids(ChatKey(pier.peer_id)) != [] for pier in piers] == [False, True, True]


def test_a_chat_that_cannot_be_read_does_not_stop_the_others(
    live: Live, world: World, mira: Account
) -> None:
    private = world.channel(1_700_000_002, "Closed", mira)
    world.post(private, "Behind the door", by=private)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    posted = [world.post(news, "Boat", by=news)]
    shut, key = live.follow(private, news)
    world.ban(private, mira)

    report = live.fetch()

    assert live.ids(key) == posted
    (error,) = [chat.error for chat in report.chats if chat.chat == shut]
    assert error is not None
    assert error.code == "chat.inaccessible"
    mark = live.server.requests.mark()
    live.fetch()
    peers = [
        len(one.arguments.peers)
        for one in live.server.requests.since(mark, "messages.getPeerDialogs")
    ]
    assert peers == [1], "asked for again in a day only"


@pytest.mark.parametrize("method", [HISTORY, "messages.getPeerDialogs"])
def test_a_chat_that_telegram_refuses_for_reasons_of_its_own_does_not_stop_the_others(
    live: Live, world: World, mira: Account, method: str
) -> None:
    """The run ended at the first such chat, and so did every later one."""
    keys = []
    for number in (1, 2, 3):
        channel = world.channel(1_700_000_000 + number, f"Channel {number}", mira)
        world.post(channel, "Boat", by=channel)
        keys += live.follow(channel)
    odd = keys[0]
    live.server.faults.error(
        method, 400, "SOMETHING_NEW", always(), lambda asked: str(1_700_000_001) in str(asked)
    )

    report = live.fetch()

    assert report.deferred is None
    assert [live.ids(key) != [] for key in keys] == [False, True, True]
    assert {chat.chat: chat.error and chat.error.code for chat in report.chats} == {
        odd: "telegram.refused", keys[1]: None, keys[2]: None
    }  # fmt: skip
    assert live.rows("SELECT inaccessible FROM followed_chats") == [(None,)] * 3
    live.server.faults.clear()
    live.fetch()
    assert live.ids(odd) != [], "a refusal may pass: it is asked for again at once"


@pytest.mark.parametrize(
    ("name", "code"),
    [("SOMETHING_NEW", "telegram.refused"), ("CHANNEL_PRIVATE", "chat.inaccessible")],
)
def test_nor_does_one_that_is_refused_when_its_days_are_sought(
    live: Live, piers: list[Channel], name: str, code: str
) -> None:
    """The newest message before a day is asked for while planning, which ended the run."""
    live.follow(*piers)
    live.server.faults.error(HISTORY, 400, name, always(), of_first_pier)

    report = live.fetch(until=date(2024, 1, 3))

    assert_only_the_first_is_missing(live, piers)
    assert [chat.error.code for chat in report.chats if chat.error] == [code]


def test_nor_does_one_that_is_refused_when_its_newest_message_is_sought(
    live: Live, piers: list[Channel], world: World
) -> None:
    live.follow(*piers)
    live.server.faults.garble(piers[0].peer_id, [5])
    live.server.faults.error(HISTORY, 400, "SOMETHING_NEW", always(), of_first_pier)

    live.fetch()

    assert_only_the_first_is_missing(live, piers)


def test_a_chat_that_is_of_a_kind_unknown_to_telethon_is_told_and_costs_few_requests(
    live: Live, piers: list[Channel]
) -> None:
    """It is in every answer: message after message was passed over, without end."""
    live.follow(*piers)
    live.server.faults.garble_chat(piers[0].peer_id)

    report = live.fetch()

    assert_only_the_first_is_missing(live, piers)
    (error,) = [chat.error for chat in report.chats if chat.error]
    assert error.message == (
        "Telegram refused channels.getChannels: constructor deadbeef is not known to this version"
    )
    assert live.server.requests.count() < 20
    live.server.faults.clear()
    live.fetch()
    assert live.ids(ChatKey(piers[0].peer_id)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("newest_too", [False, True])
def test_passing_over_what_cannot_be_read_ends(
    live: Live,
    piers: list[Channel],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    newest_too: bool,
) -> None:
    """Thousands in a row are no new kind of message: they were asked for without end."""
    monkeypatch.setattr(history, "_MOST_PASSED_OVER", 20)
    pier = piers[0]
    ids = [world.post(pier, "Boat", by=pier, date=START + timedelta(days=9)) for _ in range(30)]
    live.server.faults.garble(pier.peer_id, ids if newest_too else ids[:-1])
    live.follow(*piers)

    report = live.fetch()

    (error,) = [chat.error for chat in report.chats if chat.error]
    assert "20 messages in a row are not known" in error.message
    read = [len(live.ids(ChatKey(one.peer_id))) for one in piers]
    assert read == [0 if newest_too else 1, 5, 5]


def test_chats_found_before_one_that_cannot_be_read_are_kept(
    live: Live, piers: list[Channel], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ended with a traceback, and nothing was added."""
    monkeypatch.chdir(str(tmp_path))
    live.fetch()  # the account becomes known
    live.server.faults.garble_chat(piers[1].peer_id)

    outcome = add_chats(live.archive, [read_reference("pier_no_1"), read_reference("pier_no_2")])

    assert [chat.key.entity_id for chat in outcome.added] == [piers[0].peer_id]
    assert isinstance(outcome.stopped, TelegramRefused)
