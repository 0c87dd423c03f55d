"""Basic groups that became supergroups: one timeline, whatever happens on the way there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from telethon.tl import types

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows import overview
from tg_pipeline.flows.chats import add_chats, remove_chats
from tg_pipeline.flows.fetching import fetch_chats
from tg_pipeline.flows.listing import known_refs, rewrite
from tg_pipeline.flows.progress import Step
from tg_pipeline.sources.telegram.chats_file import read_chats
from tg_pipeline.sources.telegram.references import read_reference
from tg_pipeline.store import followed
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, When, World
from tg_pipeline_tests.telegram_server.peers import Channel, Group

HISTORY = "messages.getHistory"
MIGRATED = datetime(2024, 1, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """Stands for kill -9 at a line of ours."""


@pytest.fixture(autouse=True)
def own_chats_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def quay_of(world: World, mira: Account, messages: int) -> Group:
    quay = world.group(900_001, "Quay", mira)
    for number in range(messages):
        world.post(quay, f"Old {number}", by=mira)
    return quay


def grown(world: World, mira: Account, quay: Group, username: str | None = None) -> Channel:
    """The supergroup that it has become."""
    bigger = world.supergroup(1_700_000_007, "Quay", mira, username=username)
    world.migrate(quay, bigger)
    world.post(bigger, by=mira, action=types.MessageActionChannelMigrateFrom("Quay", quay.id))
    return bigger


@pytest.mark.parametrize("removed", [False, True])
def test_a_past_half_read_is_not_forgotten_when_its_chat_is_added_again(
    live: Live, world: World, mira: Account, removed: bool
) -> None:
    """Only one message tells of the past, and it was never read again."""
    news = world.channel(1_700_000_041, "Harbour News", mira, username="harbour")
    talk = grown(world, mira, quay_of(world, mira, 350))
    world.link(news, talk)
    live.fetch()  # the account becomes known
    add_chats(live.archive, [read_reference("harbour")])
    live.server.faults.flood(HISTORY, 9_000, When(skip=3))
    assert live.fetch().deferred is not None
    live.forget_waiting()
    live.server.faults.clear()
    if removed:
        remove_chats(live.archive, ["harbour"])
    add_chats(live.archive, [read_reference("harbour")])

    live.fetch()

    assert len(live.ids(ChatKey(talk.peer_id))) == 351


def test_a_run_killed_between_file_and_database_leaves_the_file_whole(
    live: Live, world: World, mira: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supergroup stood in it twice, and every command refused it."""
    quay = quay_of(world, mira, 3)
    (key,) = live.follow(quay)
    rewrite(live.archive, fresh={key: known_refs(live.archive)[key]})
    live.fetch()
    bigger = grown(world, mira, quay)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(followed, "follow", die)
        with pytest.raises(Killed):
            live.fetch()
    live.fetch()

    (entry,) = read_chats(live.archive.settings.chats_file)
    assert entry.ref is not None
    assert (entry.ref.id, entry.ref.migrated_from) == (bigger.peer_id, quay.peer_id)
    assert len(live.ids(ChatKey(bigger.peer_id))) == 4


def test_a_supergroup_that_is_followed_already_is_read_once_and_keeps_its_names(
    live: Live, world: World, mira: Account
) -> None:
    quay = quay_of(world, mira, 120)
    live.follow(quay)
    live.fetch()
    bigger = grown(world, mira, quay, username="quayside")
    for number in range(150):
        world.post(bigger, f"New {number}", by=mira)
    live.follow(bigger)

    report = live.fetch()

    assert report.counts.read == 120 + 1 + 150
    assert [chat.chat for chat in report.chats] == [ChatKey(bigger.peer_id)]
    known = live.rows("SELECT entity_id, username, migrated_from FROM followed_chats")
    assert known == [(bigger.peer_id, "quayside", quay.peer_id)]


def test_a_group_that_moved_before_it_was_read_is_read_once(
    live: Live, world: World, mira: Account
) -> None:
    """It was read as the group, which nobody followed any more, and as a past."""
    quay = quay_of(world, mira, 350)
    (group,) = live.follow(quay)
    bigger = grown(world, mira, quay)

    report = live.fetch()

    assert report.counts.read == 351
    assert live.ids(group) == []
    assert len(live.ids(ChatKey(bigger.peer_id))) == 351


def test_a_past_that_is_shut_is_asked_for_once_a_day(
    live: Live, world: World, mira: Account
) -> None:
    """The account was never in the basic group: every run asked again, and status had a hole."""
    ann = world.account(700_000_002, "Ann", phone="+12025550101")
    quay = quay_of(world, ann, 3)
    bigger = grown(world, mira, quay)
    live.follow(bigger)
    live.fetch()
    mark = live.server.requests.mark()

    report = live.fetch()

    assert report.chats == []
    assert live.server.requests.count(HISTORY, mark) == 0
    (chat,) = overview(live.archive).chats
    assert chat.reading is not None
    assert (chat.reading.backlog, chat.reading.holes) == (0, 0)
    assert chat.reading.past_shut_since is not None
    with live.archive.database.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE followed_chats SET past_shut_since = past_shut_since - interval '25 hours'"
        )
    world.join(quay, mira)
    mark = live.server.requests.mark()
    live.fetch()
    assert live.server.requests.count(HISTORY, mark) == 1
    assert live.rows("SELECT past_shut_since FROM followed_chats") == [(None,)]


def test_days_that_are_wanted_alone_leave_the_past_alone(
    live: Live, world: World, mira: Account
) -> None:
    """All of it was fetched, however old."""
    quay = world.group(900_001, "Quay", mira)
    for day in range(250):
        world.post(quay, "Old", by=mira, date=MIGRATED - timedelta(days=250 - day))
    bigger = world.supergroup(1_700_000_007, "Quay", mira)
    world.migrate(quay, bigger)
    tells = types.MessageActionChannelMigrateFrom("Quay", quay.id)
    world.post(bigger, by=mira, action=tells, date=MIGRATED)
    world.post(bigger, "New", by=mira, date=MIGRATED + timedelta(days=9))
    (key,) = live.follow(bigger)

    live.fetch(since=(MIGRATED + timedelta(days=5)).date())
    assert [number for number in live.ids(key) if number < 0] == []
    live.fetch(since=(MIGRATED - timedelta(days=5)).date())
    assert len([number for number in live.ids(key) if number < 0]) == 100, "a page"
    live.fetch()
    assert len(live.ids(key)) == 252


def test_progress_counts_no_ids_of_a_past_that_nobody_knows(
    live: Live, world: World, mira: Account
) -> None:
    """A thousand million of them made the bar jump from nothing to all."""
    live.follow(grown(world, mira, quay_of(world, mira, 350)))
    steps: list[Step] = []

    fetch_chats(live.archive, progress=steps.append)

    told = [(step.done, step.total) for step in steps if step.what == "fetching"]
    assert max(total for _, total in told) < 1_000
    assert told[-1][0] == told[-1][1]
