"""`tg-pipeline chats`: names, chats.yaml and the database, against a loopback Telegram."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline_tests.cli.running import Outcome
from tg_pipeline_tests.cli.station import Station, refused
from tg_pipeline_tests.telegram_server import When, always
from tg_pipeline_tests.telegram_server.peers import Channel

RESOLVE = "contacts.resolveUsername"
DIALOGS = "messages.getDialogs"
NEWS, ATLAS, OLD_ATLAS = -1_001_700_000_001, -1_001_700_000_003, -900_001
MIRA = 700_000_001
INVITE = "AbCdEfGhIjKlMnOp"


@pytest.fixture
def mira(station: Station) -> Station:
    """A station whose account main is logged in."""
    station.log_in(station.town.mira)
    return station


def done(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.err
    return outcome


def followed(station: Station) -> list[str]:
    return [one["chat"] for one in done(station("chats", "list", "--json")).json]


def in_file(station: Station) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(station.chats_file.read_text())
    return found


def discussed(station: Station) -> Channel:
    """A channel of mira's with a discussion group."""
    world, mira = station.town.world, station.town.mira
    talk = world.supergroup(1_700_000_010, "Harbour Talk", mira)
    world.post(talk, "first!", by=mira)
    world.link(station.town.news, talk)
    return talk


def test_each_command_as_a_process_of_its_own(mira: Station) -> None:
    """All else here runs in the tests' process."""
    mira.chats_file.write_text("- '@harbour'\n")
    (mira.folder / "list.txt").write_text("@elowen\n")
    (planned,) = done(mira.process("chats", "plan", "--json")).json["add"]
    assert planned["chat"] == "@harbour"
    assert (
        f"added   channel {NEWS} Harbour News @harbour" in done(mira.process("chats", "apply")).out
    )
    outcome = mira.process("chats", "add", "me", "@nobody_here")
    refused(outcome, 1, "chat.username_unknown", "no chat is called @nobody_here")
    assert f"added   saved {MIRA}_{MIRA}" in outcome.out
    assert "added   private" in done(mira.process("chats", "import", "list.txt")).out
    assert "removed saved" in done(mira.process("chats", "remove", "me")).out
    assert "Teahouse Atlas" in done(mira.process("chats", "discover")).out
    listed = done(mira.process("chats", "list", "--json")).json
    assert [one["chat"] for one in listed] == [str(NEWS), f"{MIRA}_5300000017"]


# ---- adding ---------------------------------------------------------------------------------


def test_a_username_is_asked_for_once_and_written_down_whole(mira: Station) -> None:
    outcome = done(mira("chats", "add", "https://t.me/Harbour/17", "--json"))
    (added,) = outcome.json["added"]
    assert (added["chat"], added["username"], added["type"]) == (str(NEWS), "harbour", "channel")
    (record,) = in_file(mira)
    assert record == {
        "id": NEWS,
        "type": "channel",
        "username": "harbour",
        "title": "Harbour News",
        "account": "main",
        "access_hash": {"main": mira.town.mira.access_hash(NEWS)},
    }
    assert mira.server.requests.count(RESOLVE) == 1
    done(mira("chats", "add", "@harbour"))
    done(mira("chats", "apply"))
    assert mira.server.requests.count(RESOLVE) == 1
    assert mira.rows("SELECT title, username, members FROM chat_snapshots") == [
        ("Harbour News", "harbour", 1)
    ]


def test_ids_links_and_me_are_found_in_the_list_of_chats(mira: Station) -> None:
    names = ("-1001700000003", "t.me/c/1700000001/5", "5300000017", "900003", "me")
    outcome = done(mira("chats", "add", *names))
    assert "added   supergroup -1001700000003 Teahouse Atlas" in outcome.out
    assert followed(mira) == [str(ATLAS), str(NEWS), f"{MIRA}_-900003", f"{MIRA}_{MIRA}",
                             f"{MIRA}_5300000017"]  # fmt: skip
    assert mira.server.requests.count(RESOLVE) == 0
    types = {one["id"]: one["type"] for one in in_file(mira)}
    assert types == {
        ATLAS: "supergroup", NEWS: "channel", -900_003: "group", MIRA: "saved",
        5_300_000_017: "private",
    }  # fmt: skip


def test_a_supergroup_knows_the_group_it_was(mira: Station) -> None:
    done(mira("chats", "add", str(ATLAS)))
    assert in_file(mira)[0]["migrated_from"] == OLD_ATLAS
    assert mira.rows("SELECT migrated_from FROM followed_chats") == [(OLD_ATLAS,)]


def test_the_discussion_of_a_channel_comes_with_it_and_goes_with_it(mira: Station) -> None:
    talk = discussed(mira)
    outcome = done(mira("chats", "add", "@harbour"))
    assert f"added   supergroup {talk.peer_id} Harbour Talk comments of {NEWS}" in outcome.out
    assert [one.get("comments_of") for one in in_file(mira)] == [NEWS, None]
    outcome = done(mira("chats", "remove", "HARBOUR"))
    assert outcome.out.count("removed") == 2
    assert followed(mira) == []
    assert in_file(mira) in ([], None)


def test_no_comments_if_they_are_not_wanted(mira: Station) -> None:
    discussed(mira)
    done(mira("chats", "add", "@harbour", "--no-comments"))
    assert followed(mira) == [str(NEWS)]


def test_a_group_added_by_itself_stays_when_its_channel_goes(mira: Station) -> None:
    talk = discussed(mira)
    done(mira("chats", "add", str(talk.peer_id), "@harbour"))
    done(mira("chats", "remove", "@harbour"))
    assert followed(mira) == [str(talk.peer_id)]


def test_an_invite_link_leads_to_a_chat_the_account_is_in(mira: Station) -> None:
    world = mira.town.world
    mill = world.supergroup(1_700_000_020, "Mill Talk", mira.town.mira, invite=INVITE)
    done(mira("chats", "add", f"https://t.me/+{INVITE}"))
    assert followed(mira) == [str(mill.peer_id)]
    world.leave(mill, mira.town.mira)
    link = f"https://t.me/joinchat/{INVITE}"
    outcome = mira("chats", "add", link)
    refused(outcome, 1, "chat.invite_unusable", "the account has not joined it", "never does so")
    assert mira.town.mira.id not in mill.members
    refused(mira("chats", "add", "t.me/+ZzZzZzZzZzZz"), 1, "chat.invite_unusable", "has expired")


def test_the_wrong_ones_keep_no_others_from_being_added(mira: Station) -> None:
    outcome = mira("chats", "add", "@nobody_here", "@harbour", "-1001234567890", "@elowen")
    refused(outcome, 1, "chat.username_unknown", "no chat is called @nobody_here")
    assert "account main may not read -1001234567890" in outcome.err
    assert "(chat.inaccessible)" in outcome.err
    assert followed(mira) == [str(NEWS), f"{MIRA}_5300000017"]


def test_an_id_that_leads_nowhere_changes_nothing_and_writes_no_file(mira: Station) -> None:
    outcome = mira("chats", "add", "-1001234567890")
    refused(outcome, 1, "chat.inaccessible", "An id alone leads only to chats the account has")
    assert outcome.out == ""
    assert not mira.chats_file.exists()


def test_a_private_channel_and_one_that_threw_the_account_out(mira: Station) -> None:
    private = mira.town.world.channel(1_700_000_030, "Cellar", mira.town.mira, username="cellar")
    mira.town.world.post(private, "shh", by=private)
    done(mira("chats", "add", "@cellar"))
    done(mira("chats", "remove", "@cellar"))
    private.username = None
    refused(mira("chats", "add", "@cellar"), 1, "chat.username_unknown")
    private.username = "cellar"
    mira.town.world.ban(private, mira.town.mira)
    outcome = mira("chats", "add", "@cellar")
    refused(outcome, 1, "chat.inaccessible", "Cellar", "chats remove")
    assert followed(mira) == []


def test_a_flood_ends_it_and_what_was_found_is_kept(mira: Station) -> None:
    mira.server.faults.flood(RESOLVE, 80_000, When(skip=1))
    outcome = mira("chats", "add", "@harbour", "@elowen", "@ferry_bot")
    refused(outcome, 75, "telegram.flood_wait", "call contacts.resolveUsername again at")
    assert followed(mira) == [str(NEWS)]
    refused(mira.process("chats", "add", "@elowen"), 75, "telegram.flood_wait")
    assert mira.server.requests.count(RESOLVE) == 2  # the wait is honoured by the next process


def test_many_names_are_looked_for_in_the_list_of_chats(mira: Station) -> None:
    world = mira.town.world
    for number in range(8):
        one = world.channel(
            1_700_001_000 + number, f"C{number}", mira.town.mira, username=f"chan{number}"
        )
        world.post(one, "x", by=one)
    done(mira("chats", "add", *(f"@chan{number}" for number in range(8))))
    assert len(followed(mira)) == 8
    assert mira.server.requests.count(RESOLVE) == 0


def test_lists_of_others_are_read(mira: Station) -> None:
    path = mira.folder / "list.txt"
    path.write_text("\ufeff# boats\n@harbour\n\nhttps://t.me/elowen  # a friend\n-1001700000003\n")
    outcome = done(mira("chats", "import", path))
    assert outcome.out.count("added") == 3
    path.write_text("@harbour\nhttps://example.org/x\n")
    refused(mira("chats", "import", path), 2, "chat.reference_unreadable", "list.txt, line 2")
    path.write_bytes(b"\xff\xfe")
    refused(mira("chats", "import", path), 1, "input.unreadable", "Save it as text in UTF-8")
    refused(mira("chats", "import", "nowhere"), 1, "input.missing", "Check the path")


@pytest.mark.parametrize(
    "text", ["https://example.org", "t.me/addstickers/x", "+4915112345678", "a b"]
)
def test_what_names_no_chat(mira: Station, text: str) -> None:
    refused(mira("chats", "add", text), 2, "chat.reference_unreadable")


# ---- the file -------------------------------------------------------------------------------


def test_the_file_explains_itself_and_keeps_its_order(mira: Station) -> None:
    done(mira("chats", "add", str(ATLAS), "@harbour", "me"))
    text = mira.chats_file.read_text()
    assert text.startswith("# Chats that `tg-pipeline fetch` reads.")
    assert "# comments_of    channel whose comments it holds" in text
    done(mira("chats", "remove", "me"))
    done(mira("chats", "add", "me"))
    assert mira.chats_file.read_text() == text
    assert [one["id"] for one in in_file(mira)] == [ATLAS, NEWS, MIRA]


def test_drift_is_shown_and_ended(mira: Station) -> None:
    done(mira("chats", "add", "@harbour", str(ATLAS)))
    records = [one for one in in_file(mira) if one["id"] != ATLAS]
    records.append({"username": "elowen"})
    mira.chats_file.write_text(yaml.safe_dump([*records, "@ferry_bot", "me"]))
    plan = done(mira("chats", "plan", "--json")).json
    assert [one["chat"] for one in plan["add"]] == ["@elowen", "@ferry_bot", "me"]
    assert [one["chat"] for one in plan["remove"]] == [str(ATLAS)]
    assert plan["change"] == []
    text = done(mira("chats", "plan")).out
    assert "add     @elowen, read by main\n" in text
    assert f"remove  supergroup {ATLAS} Teahouse Atlas\n" in text
    outcome = done(mira("chats", "apply"))
    assert f"removed supergroup {ATLAS}" in outcome.out
    news, *others = followed(mira)
    assert news == str(NEWS)
    assert others == [f"{MIRA}_{MIRA}", f"{MIRA}_760000001", f"{MIRA}_5300000017"]
    assert all("access_hash" in one or one["type"] == "saved" for one in in_file(mira))
    assert done(mira("chats", "plan")).out == "Nothing to change.\n"
    mark = mira.server.requests.mark()
    assert done(mira("chats", "apply")).out == "Nothing changed.\n"
    assert mira.server.requests.mark() == mark  # nobody was asked


def test_a_change_of_account_is_shown_and_made(mira: Station) -> None:
    done(mira("chats", "add", str(ATLAS)))
    mira.log_in(mira.town.joe, "joe")
    mira.chats_file.write_text(mira.chats_file.read_text().replace("account: main", "account: joe"))
    assert (
        f"change  supergroup {ATLAS} Teahouse Atlas: account main -> joe"
        in done(mira("chats", "plan")).out
    )
    assert "changed" in done(mira("chats", "apply")).out
    assert mira.rows("SELECT account FROM followed_chats") == [("joe",)]
    assert set(in_file(mira)[0]["access_hash"]) == {"main", "joe"}
    assert done(mira("chats", "plan")).out == "Nothing to change.\n"


def test_a_chat_can_be_given_back_to_an_account_that_had_it(mira: Station) -> None:
    """It was asked for with the other account's access hash, and was said not to exist."""
    mira.log_in(mira.town.joe, "second")
    done(mira("chats", "add", "@harbour"))
    done(mira("chats", "add", "@harbour", "--account", "second"))

    told = done(mira("chats", "add", "@harbour"))

    assert "Harbour News" in told.out
    assert mira.rows("SELECT DISTINCT account FROM followed_chats") == [("main",)]


def test_the_file_alone_brings_the_list_back(mira: Station) -> None:
    """Without asking anybody: ids and access hashes are in it."""
    done(mira("chats", "add", "@harbour", str(ATLAS), "5300000017"))
    before = followed(mira)
    done(mira("db", "migrate", "base", "--yes"))
    refused(mira("chats", "apply"), 1, "telegram.not_logged_in")
    done(mira("login"))
    mark = mira.server.requests.mark()
    done(mira("chats", "apply"))
    assert followed(mira) == before
    assert mira.server.requests.mark() == mark


def test_nothing_is_removed_while_something_cannot_be_found(mira: Station) -> None:
    done(mira("chats", "add", "@harbour", str(ATLAS)))
    mira.chats_file.write_text("- '@nobody_here'\n- '@elowen'\n")
    outcome = mira("chats", "apply")
    refused(outcome, 1, "chat.username_unknown")
    assert "added   private" in outcome.out
    assert str(ATLAS) in followed(mira)
    assert {"username": "nobody_here", "account": "main"} in in_file(mira)
    assert [one for one in in_file(mira) if one.get("id") == ATLAS] == []
    mira.chats_file.write_text("- '@elowen'\n")
    done(mira("chats", "apply"))
    assert followed(mira) == [f"{MIRA}_5300000017"]


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("- {id: 5, type: channel, colour: red}", "entry 1", "colour: Extra inputs"),
        ("- harbour\n- {account: main}", "entry 2", "an id, a username or a link is needed"),
        ("- harbour\n- https://example.org", "entry 2", "names no chat"),
        ("- {id: 5, type: planet}", "entry 1", "type: Input should be"),
        ("- {username: harbour, account: Main}", "entry 1", "no name for an account"),
        ("- {id: -1001, type: channel}\n- {id: -1001, type: channel}", "entry 2", "entry 1 again"),
        ("harbour", "the file", "a list of chats is expected"),
        ("- {id: 5,\n  type: [", "line", ""),
        ("- !!python/object:os.system {}", "line 1", "could not determine a constructor"),
        ("- \x07", "the file", "special characters"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    station: Station, text: str, place: str, reason: str
) -> None:
    station.chats_file.write_text(text)
    refused(station("chats", "plan"), 1, "chats.file_invalid", place, reason)


def test_a_file_that_is_not_what_it_should_be_is_never_written_over(mira: Station) -> None:
    mira.chats_file.write_text("- {colour: red}")
    for words in (("apply",), ("add", "@elowen"), ("discover",)):
        refused(mira("chats", *words), 1, "chats.file_invalid", "entry 1")
    assert mira.chats_file.read_text() == "- {colour: red}"
    assert mira.server.requests.count(RESOLVE) == 0


def test_without_a_file_nothing_is_removed(mira: Station) -> None:
    done(mira("chats", "add", "@harbour"))
    mira.chats_file.unlink()
    refused(mira("chats", "apply"), 1, "chats.file_invalid", "does not exist")
    assert followed(mira) == [str(NEWS)]


def test_a_file_that_is_gone_is_made_of_all_chats(mira: Station) -> None:
    """It named the chat alone that was added, and `apply` would have ended all others."""
    done(mira("chats", "add", "@harbour"))
    mira.chats_file.unlink()

    done(mira("chats", "add", "me"))

    assert len(in_file(mira)) == 2
    assert done(mira("chats", "plan")).out == "Nothing to change.\n"


def test_removing_what_is_not_fetched(mira: Station) -> None:
    done(mira("chats", "add", "@harbour"))
    refused(mira("chats", "remove", "@harbour", "@elowen"), 1, "chat.not_followed", "@elowen")
    assert followed(mira) == [str(NEWS)]


# ---- looking --------------------------------------------------------------------------------


def test_the_accounts_own_chats_are_listed(mira: Station) -> None:
    done(mira("chats", "add", "@harbour"))
    found = {
        one["entity_id"]: one for one in done(mira("chats", "discover", "--json")).json["chats"]
    }
    assert set(found) == {NEWS, ATLAS, -900_003, MIRA, 5_300_000_017, 760_000_001}
    assert found[NEWS]["followed"] is True
    assert found[ATLAS]["followed"] is False
    assert found[ATLAS]["members"] == 2
    assert found[ATLAS]["last_message"] == "2024-03-01T15:10:30Z"
    assert found[760_000_001]["type"] == "bot"
    table = done(mira("chats", "discover")).out
    assert "Teahouse Atlas" in table
    assert "last message" in table


def test_a_long_list_of_chats_comes_whole(mira: Station) -> None:
    world, start = mira.town.world, datetime(2024, 4, 1, tzinfo=UTC)
    for number in range(250):
        one = world.channel(1_700_002_000 + number, f"C{number}", mira.town.mira)
        world.post(one, "x", by=one, date=start + timedelta(seconds=number // 3))
    mira.town.mira.pinned.append(channel_peer(1_700_002_003))
    found = done(mira("chats", "discover", "--json")).json["chats"]
    assert len(found) == len({one["chat"] for one in found}) == 256
    assert mira.server.requests.count(DIALOGS) == 3


def test_types_are_added(mira: Station) -> None:
    outcome = done(mira("chats", "discover", "--add", "channel", "--add", "saved"))
    assert outcome.out.count("\nadded ") == 2
    assert followed(mira) == [str(NEWS), f"{MIRA}_{MIRA}"]
    done(mira("chats", "discover", "--add", "all"))
    assert len(followed(mira)) == 6
    refused(mira("chats", "discover", "--add", "planet"), 2, "usage", "no type of chat")


def test_why_a_chat_cannot_be_read_is_listed(mira: Station) -> None:
    done(mira("chats", "add", "@harbour"))
    mira.rows(
        "UPDATE followed_chats SET inaccessible = 'it is private', "
        "inaccessible_since = '2026-01-02T00:00:00Z' RETURNING 1"
    )
    assert "cannot be read since 2026-01-02: it is private" in done(mira("chats", "list")).out
    (listed,) = done(mira("chats", "list", "--json")).json
    assert listed["inaccessible"] == "it is private"


def test_an_empty_list_says_what_comes_next(station: Station) -> None:
    outcome = done(station("chats", "list"))
    assert outcome.out == "No chats are followed.\n"
    assert "chats discover" in outcome.err


def test_a_line_that_breaks_is_connected_anew(mira: Station) -> None:
    mira.server.faults.hang_up(RESOLVE)
    mira.server.faults.error(RESOLVE, 500, "RPC_CALL_FAIL")
    done(mira("chats", "add", "@harbour"))


def test_titles_cannot_steer_the_terminal(mira: Station) -> None:
    title = "Evil\x1b[2J [bold]x[/bold] \u202e"
    one = mira.town.world.channel(1_700_000_040, title, mira.town.mira, username="evil_one")
    mira.town.world.post(one, "x", by=one)
    outcome = done(mira("chats", "add", "@evil_one"))
    assert "\x1b" not in outcome.out + done(mira("chats", "list")).out
    assert in_file(mira)[0]["title"] == title


def test_no_file_is_half_written(mira: Station, tmp_path: Path) -> None:
    done(mira("chats", "add", "@harbour"))
    mira.server.faults.flood(DIALOGS, 5_000, always())
    refused(mira("chats", "add", "-1001700000099"), 75, "telegram.flood_wait")
    assert [one["id"] for one in in_file(mira)] == [NEWS]
    assert list(tmp_path.glob(".chats.yaml*")) == []
