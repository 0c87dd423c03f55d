"""What `status` tells of accounts and of chats that are read from Telegram."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tg_pipeline import flows
from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatUnknown
from tg_pipeline.store import following
from tg_pipeline.store.leases import lease
from tg_pipeline.store.limits import AccountLimits
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, World, always

HISTORY = "messages.getHistory"


@pytest.fixture
def live(live: Live) -> Live:
    """No wait is slept through."""
    return live.having(telegram_wait_limit=0)


def follow(live: Live, world: World, mira: Account, posts: int) -> ChatKey:
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(posts):
        world.post(news, f"Boat {number}", by=news)
    (key,) = live.follow(news)
    return key


def reading(live: Live) -> following.Reading:
    (chat,) = flows.overview(live.archive).chats
    assert chat.reading is not None
    return chat.reading


def account(live: Live) -> following.AccountStatus:
    (found,) = flows.overview(live.archive).accounts
    return found


def test_a_chat_that_was_never_asked_for(live: Live, world: World, mira: Account) -> None:
    key = follow(live, world, mira, 3)

    found = flows.overview(live.archive)

    (chat,) = found.chats
    assert (chat.status.chat, chat.status.title, chat.status.messages) == (
        str(key),
        "Harbour News",
        0,
    )
    assert (reading(live).backlog, reading(live).top_id) == (None, None)
    (step,) = found.next
    assert step.command == "tg-pipeline fetch"
    assert "never asked for" in step.what


def test_what_is_behind_and_what_goes_on_when(live: Live, world: World, mira: Account) -> None:
    follow(live, world, mira, 450)
    live.server.faults.flood(HISTORY, 1_000, replace(always(), skip=2))
    before = datetime.now(UTC)

    report = live.fetch()

    found = reading(live)
    assert (found.top_id, found.newest_fetched, found.backlog, found.holes) == (450, 450, 250, 1)
    assert found.fetched_at is not None
    assert found.fetched_at >= before
    one = account(live)
    (wait,) = one.waits
    assert wait.method == HISTORY
    assert timedelta(seconds=990) < wait.until - before < timedelta(seconds=1_020)
    assert one.requests_today == report.requests > 0
    assert (one.state, one.user_id, one.busy) == ("active", mira.id, False)
    (step,) = flows.overview(live.archive).next
    assert (step.command, step.at) == ("tg-pipeline fetch", wait.until)
    assert flows.account_waits(live.archive) == {"main": wait.until}


def test_a_wait_for_usernames_keeps_nobody_from_fetching(
    live: Live, world: World, mira: Account
) -> None:
    """After `chats add` was told to wait, the refresh was left out for as long."""
    follow(live, world, mira, 1)
    with closing(AccountLimits(live.archive.database, "main")) as limits:
        limits.wait("contacts.resolveUsername", 70_000)

    assert live.fetch().counts.new == 1
    assert flows.account_waits(live.archive) == {}
    (step,) = flows.overview(live.archive).next
    assert step.at is None
    (wait,) = account(live).waits
    assert wait.method == "contacts.resolveUsername"


def test_a_chat_that_is_read_whole_has_nothing_behind(
    live: Live, world: World, mira: Account
) -> None:
    follow(live, world, mira, 250)
    live.fetch()

    assert (reading(live).backlog, reading(live).holes) == (0, 0)
    assert [step.what for step in flows.overview(live.archive).next] == [
        "account main has all that was there when it last asked"
    ]


def test_it_is_told_when_the_newest_days_are_read_again(
    live: Live, world: World, mira: Account
) -> None:
    live = live.having(telegram_reread_days=5)
    quiet = follow(live, world, mira, 3)
    live.fetch()
    assert len(flows.overview(live.archive).next) == 1  # nobody edits what is that old

    lively = world.channel(1_700_000_002, "Tide Table", mira)
    world.post(lively, "High water", by=lively, date=datetime.now(UTC))
    live.follow(lively)
    before = datetime.now(UTC)
    live.fetch()

    _, step = flows.overview(live.archive).next
    assert step.what == "account main reads the newest 5 days again, for edits and deletions"
    assert step.at is not None
    assert timedelta(0) <= step.at - before - timedelta(days=1) < timedelta(minutes=1)
    assert len(flows.overview(live.archive, [quiet]).next) == 1


def test_holes_are_counted(live: Live, world: World, mira: Account) -> None:
    key = follow(live, world, mira, 250)
    live.fetch()
    with live.archive.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM fetched_ranges")
        connection.exec_driver_sql(
            f"INSERT INTO fetched_ranges VALUES ({key.entity_id}, 0, 11, 20), "
            f"({key.entity_id}, 0, 31, 240)"
        )

    assert (reading(live).backlog, reading(live).holes) == (30, 3)


def test_who_uses_an_account_is_what_the_lock_says(live: Live, world: World, mira: Account) -> None:
    follow(live, world, mira, 1)
    with lease(live.archive.database, "main", "fetch"):
        assert account(live).busy
        (step,) = flows.overview(live.archive).next
        assert "account main is in use by tg-pipeline fetch, process" in step.what
        assert step.command is None

    found = account(live)
    assert not found.busy
    assert found.holder is not None


def test_a_chat_that_cannot_be_read_and_an_account_that_is_out(
    live: Live, world: World, mira: Account
) -> None:
    key = follow(live, world, mira, 5)
    live.fetch()
    world.ban(world.channels[1_700_000_001], mira)
    live.fetch()
    assert "private" in (reading(live).inaccessible or "")
    _, step = flows.overview(live.archive).next
    assert "tries again to read" in step.what
    assert step.at == reading(live).retries_at

    live.server.faults.error(None, 401, "SESSION_REVOKED", always())
    with pytest.raises(Exception, match="ended the session"):
        live.fetch()

    assert account(live).state == "revoked"
    (step,) = flows.overview(live.archive, [key]).next
    assert step.command == "tg-pipeline login main"
    with pytest.raises(ChatUnknown):
        flows.overview(live.archive, [ChatKey(-1)])
