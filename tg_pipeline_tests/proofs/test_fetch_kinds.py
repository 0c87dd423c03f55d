"""Chats of every kind come whole; what an export of the same chats tells is the same messages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from telethon.tl import types

from tg_pipeline.flows import ImportOptions, import_files
from tg_pipeline.generator import ACCOUNT, ChatPlan, DesktopStyle, write_desktop_json
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.test_orders import gone, held_versions, true_versions
from tg_pipeline_tests.proofs.fetching import (
    AS_OF,
    END,
    HISTORY,
    START,
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
from tg_pipeline_tests.state import assert_same
from tg_pipeline_tests.telegram_server import TelegramServer, World, comment, fill, publish
from tg_pipeline_tests.telegram_server.peers import Channel

LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
SIZES = [pytest.param(6_000, id="short"), pytest.param(200_000, id="long", marks=LONG)]
FORUMS = (1_700_000_031, 1_700_000_032)
CHATS = 20


def plans(messages: int) -> list[ChatPlan]:
    """Eighteen chats of every kind; the two of a discussion are made by hand."""
    share = messages // 18
    supergroup = ChatPlan("supergroup", 0, "", share, START, END, people=20)
    return [
        *(
            ChatPlan("channel", 1_700_000_001 + n, f"Lantern {n}", share, START, END, public=n > 0)
            for n in range(3)
        ),
        replace(
            supergroup, peer_id=1_700_000_011, title="Teahouse", before_migration=share // 4
        ),
        *(replace(supergroup, peer_id=1_700_000_021 + n, title=f"Atlas {n}") for n in range(3)),
        *(replace(supergroup, peer_id=one, title=f"Forum {one}") for one in FORUMS),
        *(
            ChatPlan(
                "group", 900_003 + n, f"Mill {n}", share, START, END,
                people=6, first_id=2_000_001 + 100_000 * n,
            )
            for n in range(3)
        ),
        *(
            ChatPlan(
                "private", 700_400_017 + n, f"Elowen {n}", share, START, END,
                first_id=3_000_001 + 100_000 * n,
            )
            for n in range(5)
        ),
        ChatPlan("saved", ACCOUNT.id, "Saved", share, START, END, first_id=4_000_001),
    ]  # fmt: skip


def discussion(sea: Sea, posts: int) -> tuple[Channel, Channel]:
    """A channel whose posts are commented in a group of its own."""
    world, me = sea.world, sea.account
    news = world.channel(1_700_000_041, "Harbour News", me, username="harbour")
    talk = world.supergroup(1_700_000_042, "Harbour Talk", me)
    world.link(news, talk)
    for number in range(posts):
        at = START + timedelta(hours=number)
        post = publish(world, news, f"Boat {number}", date=at)
        for answer in range(number % 4):
            comment(world, news, post, f"Aye {answer}", by=me, date=at + timedelta(minutes=1))
    return news, talk


def topics(sea: Sea, posts: int) -> None:
    """Begin topics in a forum, and write in each; and in each answer somebody."""
    forum, me = sea.world.channels[FORUMS[0]], sea.account
    for number in range(3):
        root = sea.world.topic(forum, f"Topic {number}", by=me, date=AS_OF).id
        header = types.MessageReplyHeader(reply_to_msg_id=root, forum_topic=True)
        for _ in range(posts):
            last = sea.world.post(forum, "Ahoy", by=me, date=AS_OF, reply_to=header)
        header = types.MessageReplyHeader(
            reply_to_msg_id=last, reply_to_top_id=root, forum_topic=True
        )
        sea.world.post(forum, "Aye", by=me, date=AS_OF, reply_to=header)


@dataclass(frozen=True, slots=True)
class Harbour:
    """Twenty chats and their server."""

    sea: Sea
    server: TelegramServer
    news: Channel
    talk: Channel


@pytest.fixture(scope="module", params=SIZES)
def harbour(request: pytest.FixtureRequest) -> Iterator[Harbour]:
    sea = sea_of(plans(request.param), seed=7, forums=FORUMS)
    news, talk = discussion(sea, posts=request.param // 100)
    topics(sea, posts=request.param // 1_000)
    sea.world.channels[1_700_000_021].noforwards = True
    with TelegramServer(sea.world, gzip=True) as server:
        yield Harbour(replace(sea, others=(news, talk)), server, news, talk)


def test_twenty_chats_come_whole_and_cost_nothing_twice(
    harbour: Harbour, new_archive: NewArchive
) -> None:
    """Through the commands alone, from the list of chats on."""
    sea, server = harbour.sea, harbour.server
    shore = Shore.new(server, replace(sea, histories=(), others=()), new_archive)
    given = [str(chat.peer_id) for chat in sea.chats if chat is not harbour.talk]
    added = shore.home.run("chats", "add", "--json", *given)
    assert added.code == 0, added.told
    assert len(shore.live.rows("SELECT 1 FROM followed_chats")) == CHATS
    mark = server.requests.mark()

    ended = shore.home.run("fetch", "--no-export", "--json")

    assert ended.code == 0, ended.told
    report = json.loads(ended.out)
    assert_as_the_server_holds(shore.archive, sea)
    _assert_threads(shore, harbour)
    assert len(report["chats"]) == CHATS
    assert all(chat["finished"] for chat in report["chats"])
    assert report["new"] == report["read"] == len(found_hashes(shore.archive))
    pages = pages_asked(server, mark)
    assert set(pages.values()) == {1}
    print(f"{report['read']} messages in {pages.total()} pages")

    before = state(shore.archive.database)
    mark = server.requests.mark()
    assert shore.live.fetch().counts.read == 0
    assert server.requests.count(HISTORY, mark) == 0
    assert server.requests.count("messages.getPeerDialogs", mark) == 1
    assert_same(state(shore.archive.database), before)

    late = [sea.chats[0], harbour.news, harbour.talk]
    for chat in late:
        assert isinstance(chat, Channel)
        sea.world.post(chat, "Late boat", by=chat, date=AS_OF)
    mark = server.requests.mark()
    report_of_news = shore.live.fetch()
    assert report_of_news.counts.new == report_of_news.counts.read == len(late)
    assert server.requests.count(HISTORY, mark) == len(late)
    for chat in late:
        assert isinstance(chat, Channel)
        sea.world.delete(chat, [chat.box.ids[-1]])


def _assert_threads(shore: Shore, harbour: Harbour) -> None:
    """Topics and comments are told apart as the server does; what begins a topic has none yet."""
    forums = [harbour.sea.world.channels[one] for one in FORUMS]
    seen: set[int] = set()
    for chat, thread in (
        *((forum, "coalesce(thread_id, 1)") for forum in forums),
        (harbour.talk, "coalesce(thread_id, reply_to_id, 0)"),
    ):
        query = f"SELECT id, {thread} FROM messages WHERE entity_id = {chat.peer_id}"
        general = 1 if chat.forum else 0
        expected = {
            record.id: general if record.thread == record.id else record.thread
            for record in chat.box
        }
        assert_equal_maps(dict(shore.live.rows(query)), expected)
        seen |= set(expected.values())
    assert len(seen) > 5


@pytest.mark.parametrize("first", ["fetched first", "imported first"])
def test_an_export_of_the_same_chats_tells_of_the_same_messages(
    first: str, new_archive: NewArchive, tmp_path: Path
) -> None:
    """Whichever comes first: the same rows with the same content, and one version of each."""
    sea = sea_of(plans_of(2_400), seed=4)
    file = tmp_path / "result.json"
    write_desktop_json(file, sea.histories, as_of=AS_OF, style=DesktopStyle(account_export=True))
    with TelegramServer(sea.world) as server:
        shore = Shore.new(server, sea, new_archive)

        def imported() -> None:
            (report,) = import_files(shore.archive, [file], ImportOptions())
            assert report.error is None, report.reason

        if first == "imported first":
            imported()
            shore.live.fetch()
        else:
            shore.live.fetch()
            before = found_hashes(shore.archive)
            imported()
            assert_equal_maps(found_hashes(shore.archive), before)
    assert_as_the_server_holds(shore.archive, sea)
    assert shore.live.rows("SELECT * FROM superseded_versions") == []
    assert shore.live.rows("SELECT 1 FROM messages WHERE deleted_at IS NOT NULL") == []
    assert {source for (source,) in shore.live.rows("SELECT DISTINCT source FROM messages")} == {
        "telegram"
    }, "what Telegram tells has the higher rank"


MOMENTS = (END - timedelta(days=40), END + timedelta(days=500))


@pytest.mark.parametrize("window", [pytest.param("all days", marks=LONG), "some days"])
def test_edits_and_deletions_are_noticed_in_the_days_that_are_read_again(
    window: str, new_archive: NewArchive
) -> None:
    """A new version of what was edited; gone is what was deleted, and nothing else."""
    sea = sea_of(plans_of(3_000), seed=5)
    bound = START if window == "all days" else START + (MOMENTS[0] - START) / 2
    days = (datetime.now(UTC) - bound).days + 1
    bound = datetime.now(UTC) - timedelta(days=days)
    fill_again(sea, sea.world, MOMENTS[0])
    with TelegramServer(sea.world) as server:
        shore = Shore.new(server, sea, new_archive)
        shore.live.fetch()
        fill_again(sea, sea.world, MOMENTS[1])
        again = shore.live.having(telegram_reread_days=days)
        with shore.archive.database.transaction() as connection:
            connection.exec_driver_sql("UPDATE checkpoints SET reread_at = now() - interval '2 d'")
        again.fetch()
        mark = server.requests.mark()
        assert again.fetch().chats == [], "once a day"
        assert server.requests.count(HISTORY, mark) == 0
    own = {  # the past of a supergroup, before it was one, is read once
        (entity, account, number)
        for entity, account, number, date in shore.live.rows(
            "SELECT entity_id, account_id, id, date FROM messages WHERE id > 0"
        )
        if date > bound
    }
    truth = true_versions(sea.histories, MOMENTS)
    held = held_versions(shore.archive)
    seen_again = {key: found for key, found in truth.items() if key in own and found[0]}
    assert_equal_maps({key: held[key] for key in seen_again}, seen_again)
    assert sum(len(hashes) > 1 for hashes, _ in seen_again.values()) >= 5
    deleted = {
        (one.entity_id, true.account_id, true.id)
        for one in sea.histories
        for true in one.versions(MOMENTS)
        if true.deleted
    }
    marked = gone(shore.archive)
    assert marked <= deleted, "what is there is not gone"
    assert deleted & own <= marked
    assert len(deleted & own) > 1


def fill_again(sea: Sea, world: World, moment: datetime) -> None:
    """Bring the chats to where they are at a moment."""
    for one in sea.histories:
        fill(world, sea.account, one, as_of=moment)


@pytest.mark.parametrize(
    "bounds",
    [
        pytest.param("since", marks=LONG),
        pytest.param("until", marks=LONG),
        "since and until",
    ],
)
def test_some_days_and_then_the_rest(bounds: str, new_archive: NewArchive) -> None:
    """All days that are named come, the rest comes later, and nothing comes twice."""
    sea = sea_of(plans_of(3_000), seed=6)
    first, last = (START + (END - START) * share for share in (0.4, 0.6))
    given = {
        name: day.date()
        for name, day in (("since", first), ("until", last))
        if name in bounds.split()
    }
    with TelegramServer(sea.world) as server:
        shore = Shore.new(server, sea, new_archive)
        some = shore.live.fetch(None, **given)
        wanted = {
            (one.entity_id, true.account_id, true.id)
            for one in sea.histories
            for true in one.as_of(AS_OF)
            if ("since" not in given or true.date.date() >= given["since"])
            and ("until" not in given or true.date.date() <= given["until"])
            and true.id > 0
        }
        found = found_hashes(shore.archive)
        assert wanted <= found.keys()
        if "until" in given:
            latest = shore.live.rows("SELECT max(date) FROM messages WHERE id > 0")[0][0]
            assert latest.date() <= given["until"]
        rest = shore.live.fetch()
        assert_as_the_server_holds(shore.archive, sea)
        assert some.counts.unchanged == rest.counts.unchanged == 0, "twice"
        assert some.counts.new + rest.counts.new == sea.size
        assert shore.live.rows("SELECT 1 FROM messages WHERE deleted_at IS NOT NULL") == []
