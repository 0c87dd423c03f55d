"""`tg-pipeline fetch`: what it says of a run, and how it ends, against a loopback Telegram."""

import pytest

from tg_pipeline_tests.cli.running import Outcome
from tg_pipeline_tests.cli.station import Station, refused
from tg_pipeline_tests.telegram_server import always

HISTORY = "messages.getHistory"
NEWS = -1_001_700_000_001


@pytest.fixture
def mira(station: Station) -> Station:
    """A station whose account main is logged in."""
    station.log_in(station.town.mira)
    return station


@pytest.fixture
def reader(mira: Station) -> Station:
    """The same with a channel to fetch."""
    done(mira("chats", "add", "@harbour"))
    return mira


def done(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.err
    return outcome


def posts(station: Station) -> int:
    return len(station.town.news.box)


def test_without_chats_it_says_how_to_add_one(mira: Station) -> None:
    outcome = done(mira("fetch"))

    assert outcome.out == (
        "Account main follows no chats. "
        "Add one with: tg-pipeline chats add @username --account main\n"
    )


def test_what_came_is_told_and_published_and_then_nothing_is_new(reader: Station) -> None:
    first = done(reader("fetch")).out.splitlines()

    count = posts(reader)
    assert first[0].startswith(f"{NEWS} Harbour News: {count} message")
    assert first[1].startswith(
        f"1 chat asked, 1 with something to fetch: {count} read, {count} new, "
    )
    assert first[2].startswith("Published to ")
    assert done(reader("fetch")).out == "1 chat asked, nothing new: 6 requests\n"


def test_a_long_flood_wait_ends_it_and_nothing_that_did_not_come_is_told(reader: Station) -> None:
    reader.server.faults.flood(HISTORY, 4_000, always())

    outcome = reader("fetch")

    refused(outcome, 75, "telegram.flood_wait", HISTORY)
    assert "Harbour News" not in outcome.out
    assert outcome.out.startswith("1 chat asked, 1 with something to fetch: 0 read, 0 new, ")


def test_nobody_is_told_to_add_chats_because_telegram_is_away(reader: Station) -> None:
    away = reader.with_settings(telegram_server="127.0.0.1:9")

    outcome = away("fetch")

    refused(outcome, 75, "telegram.unreachable")
    assert outcome.out == ""


def test_a_chat_that_is_not_followed_is_refused_before_telegram_is_asked(reader: Station) -> None:
    mark = reader.server.requests.mark()

    refused(reader("fetch", "@elowen"), 1, "chat.not_followed", "@elowen")

    assert reader.server.requests.count(HISTORY, mark) == 0


def test_what_an_interrupted_run_has_loaded_is_published_by_the_next(reader: Station) -> None:
    """Only chats with pages of this run were published: the others stayed behind for good."""
    done(reader("fetch", "--no-export"))

    again = done(reader("fetch")).out.splitlines()

    assert again[0] == "1 chat asked, nothing new: 6 requests"
    assert again[1].startswith("Published to ")
    assert len(done(reader("fetch")).out.splitlines()) == 1
    assert "0 written" in done(reader("export")).out


def test_a_long_wait_is_told_again_without_asking(reader: Station) -> None:
    reader.server.faults.flood(HISTORY, 4_000, always())
    reader("fetch")
    mark = reader.server.requests.mark()

    refused(reader("fetch"), 75, "telegram.flood_wait", HISTORY)

    assert reader.server.requests.since(mark) == []


@pytest.mark.parametrize("name", ["../..", "other/", "/tmp", ""])
def test_a_name_that_would_leave_the_folder_is_refused_before_anything_is_touched(
    reader: Station, name: str
) -> None:
    """It was part of a path first: files with foreign lines were taken for spools and removed."""
    precious = reader.folder.parent / "precious.jsonl"
    precious.write_text('{"a": 1}\n{"b": 2}\n')

    refused(reader("fetch", "--account", name), 2, "usage", "no name for an account")

    assert precious.exists()
    assert reader.rows("SELECT account FROM accounts") == [("main",)]


@pytest.mark.parametrize("command", ["fetch", "export", "check"])
def test_days_that_end_before_they_begin_are_refused(reader: Station, command: str) -> None:
    """Nothing was fetched, and nobody was told why."""
    outcome = reader(command, "--since", "2024-05-01", "--until", "2024-01-01")

    assert outcome.code == 2
    assert "--since 2024-05-01 is later than --until 2024-01-01" in outcome.err
