"""Fetching from a loopback Telegram, through the unmodified client, into PostgreSQL."""

import pytest
from telethon.tl import types

from tg_pipeline import flows
from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows import Archive
from tg_pipeline.flows.fetching import fetch, turn
from tg_pipeline.flows.progress import Step
from tg_pipeline.generator import DEMO_END, demo_histories
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.telegram_server import Account, TelegramServer, When, World
from tg_pipeline_tests.telegram_server.filling.chats import demo_world

HISTORY = "messages.getHistory"


def test_a_channel_comes_whole_and_a_second_fetch_asks_for_nothing(
    live: Live, world: World, mira: Account
) -> None:
    news = world.channel(1_700_000_001, "Harbour News", mira, username="harbour")
    posted = [world.post(news, f"Boat {number}", by=news) for number in range(1, 351)]
    (key,) = live.follow(news)

    first = live.fetch()

    assert live.ids(key) == posted
    assert first.counts.new == 350
    assert first.deferred is None
    mark = live.server.requests.mark()
    second = live.fetch()
    assert second.counts.read == 0
    assert second.chats == []
    assert live.server.requests.count(HISTORY, mark) == 0


def test_what_the_loader_s_process_has_loaded_is_counted(
    live: Live, world: World, mira: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts were read before the last batches had been answered for."""
    monkeypatch.setattr(fetch, "BATCH", 0)
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(150):
        world.post(news, f"Boat {number}", by=news)
    live.follow(news)

    assert live.fetch().counts.new == 150


def test_news_cost_one_request(live: Live, world: World, mira: Account) -> None:
    news = world.channel(1_700_000_001, "Harbour News", mira)
    for number in range(250):
        world.post(news, f"Boat {number}", by=news)
    (key,) = live.follow(news)
    live.fetch()
    new = [world.post(news, "Late boat", by=news) for _ in range(3)]
    mark = live.server.requests.mark()

    report = live.fetch()

    assert live.server.requests.count(HISTORY, mark) == 1
    assert report.counts.new == 3
    assert live.ids(key)[-3:] == new


def test_every_kind_of_chat_comes_as_the_generator_wrote_it(
    archive: Archive,
) -> None:
    world, account = demo_world()
    chats = {one.plan.entity_id: one for one in demo_histories()}
    with TelegramServer(world) as server:
        live = Live.over(archive, server, account)
        peers = [
            world.channels[-e - 10**12]
            if e < -(10**12)
            else world.groups[-e]
            if e < 0
            else world.people[e]
            for e in chats
        ]
        live.follow(*peers)
        report = live.fetch()
    assert report.counts.quarantined == 0
    for entity, history in chats.items():
        expected = {(one.account_id, one.id): one.content_hash for one in history.as_of(DEMO_END)}
        found = {
            (account_id, number): None if digest is None else bytes(digest)
            for account_id, number, digest in live.rows(
                f"SELECT account_id, id, content_hash FROM messages WHERE entity_id = {entity}"
            )
        }
        assert found == expected, history.plan.title


def test_a_group_that_became_a_supergroup_is_followed_there_with_its_past(
    live: Live, world: World, mira: Account
) -> None:
    quay = world.group(900_001, "Quay", mira)
    before = [world.post(quay, f"Old {number}", by=mira) for number in range(120)]
    (old_key,) = live.follow(quay)
    live.fetch()
    bigger = world.supergroup(1_700_000_007, "Quay", mira)
    world.migrate(quay, bigger)
    after = [world.post(bigger, f"New {number}", by=mira) for number in range(5)]

    report = live.fetch()

    key = ChatKey(bigger.peer_id)
    assert live.ids(key) == [number - 1_000_000_000 for number in before] + after
    assert live.ids(old_key) == before, "what was archived stays"
    assert [chat.chat for chat in report.chats if chat.messages] == [key]
    mark = live.server.requests.mark()
    assert live.fetch().counts.read == 0
    assert live.server.requests.count(HISTORY, mark) == 0


def test_a_supergroup_tells_its_past_itself(live: Live, world: World, mira: Account) -> None:
    quay = world.group(900_001, "Quay", mira)
    before = [world.post(quay, f"Old {number}", by=mira) for number in range(30)]
    bigger = world.supergroup(1_700_000_007, "Quay", mira)
    world.migrate(quay, bigger)
    action = types.MessageActionChannelMigrateFrom("Quay", quay.id)
    told = world.post(bigger, by=mira, action=action)
    (key,) = live.follow(bigger)

    live.fetch()

    assert live.ids(key) == [number - 1_000_000_000 for number in before] + [told]


def test_history_that_is_hidden_is_not_taken_for_deleted(
    live: Live, world: World, mira: Account
) -> None:
    """A group may hide what was written before one joined; an export of another may have it."""
    quay = world.supergroup(1_700_000_007, "Quay", mira)
    ids = [world.post(quay, f"Tide {number}", by=mira) for number in range(30)]
    (key,) = live.follow(quay)
    live.fetch()
    world.delete(quay, ids[:10])
    world.delete(quay, ids[20:21])
    with live.archive.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM fetched_ranges")  # as if nobody had read it

    live.fetch()

    assert live.ids(key) == ids
    gone = live.rows("SELECT id FROM messages WHERE deleted_at IS NOT NULL")
    assert gone == [(ids[20],)], "what is older than all that is shown may only be hidden"


def test_a_renamed_chat_is_called_by_its_new_name_everywhere(
    live: Live, world: World, mira: Account
) -> None:
    """Live fetching went on to record the name that the chat had when it was added."""
    news = world.channel(1_700_000_001, "Harbour News", mira, username="harbour")
    world.post(news, "Boat", by=news)
    (key,) = live.follow(news)
    live.fetch()
    news.title, news.username = "Dock News", "docks"
    news.members.add(world.person(700_000_009, "Ann").id)
    world.post(news, "Ship", by=news)

    report = live.fetch()

    assert [chat.title for chat in report.chats] == ["Dock News"]
    assert live.rows("SELECT title, is_public FROM chats") == [("Dock News", True)]
    assert live.rows("SELECT title, username FROM followed_chats") == [("Dock News", "docks")]
    seen = live.rows("SELECT title, username, members FROM chat_snapshots ORDER BY observed_at")
    assert seen[0][:2] == ("Harbour News", "harbour")
    assert seen[-1] == ("Dock News", "docks", seen[0][2] + 1)
    assert flows.followed_keys(live.archive, "main", ["@docks"]) == [key]


def test_who_is_kicked_from_a_basic_group_is_told(live: Live, world: World, mira: Account) -> None:
    """Telegram answers without an error there, and the group counted as up to date."""
    quay = world.group(900_001, "Quay", mira)
    world.post(quay, "Low tide", by=mira)
    (key,) = live.follow(quay)
    live.fetch()
    world.ban(quay, mira)

    (left,) = live.fetch().chats

    assert left.error is not None
    assert left.error.code == "chat.inaccessible"
    assert "was removed from it" in left.error.message
    assert live.rows("SELECT id FROM messages") != [], "what is archived stays"
    world.join(quay, mira)
    world.post(quay, "High tide", by=mira)
    assert live.fetch(chats=[key]).counts.new == 1
    assert live.rows("SELECT inaccessible, inaccessible_since FROM followed_chats") == [
        (None, None)
    ]


def test_progress_tells_messages_their_rate_and_how_far_the_whole_run_is(
    live: Live, world: World, mira: Account
) -> None:
    for number in (1, 2):
        channel = world.channel(1_700_000_000 + number, f"Channel {number}", mira)
        for text in range(250):
            world.post(channel, f"Boat {text}", by=channel)
        live.follow(channel)
    live.fetch()
    for channel in world.channels.values():
        world.post(channel, "Late boat", by=channel)
    live.server.faults.flood(HISTORY, 2, When(skip=1))
    steps: list[Step] = []

    flows.fetch_chats(live.archive, progress=steps.append)

    pages = [step for step in steps if step.what == "fetching"]
    assert [(step.done, step.total) for step in pages] == [(1, 2), (2, 2)], "of what was missing"
    assert pages[0].detail.startswith("Channel 2: 1 message, ")
    assert pages[0].detail.endswith("/s, 1 more chat")
    waits = [step for step in steps if step.pause]
    assert [(step.done, step.total) for step in waits] == [(0, 2), (1, 2)]
    assert steps.index(pages[0]) < steps.index(waits[0]) < steps.index(pages[1])


def test_chats_take_turns_by_time_so_that_none_waits_for_a_large_one(
    live: Live, world: World, mira: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "SLICE_SECONDS", 0.001)
    keys = []
    for number in (1, 2):
        channel = world.channel(1_700_000_000 + number, f"Channel {number}", mira)
        for text in range(250):
            world.post(channel, f"Boat {text}", by=channel)
        keys += live.follow(channel)

    report = live.fetch()

    asked = [one.arguments.peer.channel_id for one in live.server.requests.since(0, HISTORY)]
    assert asked == [1_700_000_002, 1_700_000_001] * 3, "in order of their keys"
    assert [len(live.ids(key)) for key in keys] == [250, 250]
    assert [chat.finished for chat in report.chats] == [True, True]
