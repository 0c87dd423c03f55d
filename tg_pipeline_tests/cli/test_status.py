"""`tg-pipeline status` of an archive that reads from Telegram, as people see it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from tg_pipeline_tests.cli.running import Outcome
from tg_pipeline_tests.cli.station import Station
from tg_pipeline_tests.telegram_server import always

NEWS = "-1001700000001"


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome.err
    return outcome


def lines(station: Station, *words: str) -> list[str]:
    return done(station.program("status", "-q", *words)).out.splitlines()


def test_status_of_chats_on_their_way(station: Station) -> None:
    station.log_in(station.town.mira)
    done(station("chats", "add", "@harbour"))

    never = lines(station)

    assert never[0].split() == [
        "account", "state", "chats", "requests", "today", "in", "use", "by", "waits", "until",
    ]  # fmt: skip
    assert never[1].split()[:3] == ["main", "active", "1"]
    assert "1 chat followed: 0 up to date, 1 never asked for; last asked never" in never
    assert never[-1].endswith("`tg-pipeline fetch`")

    station.server.faults.flood("messages.getHistory", 5_000, replace(always(), skip=1))
    done(station("fetch", "--no-export"), 75)
    waiting = lines(station)

    (row,) = [line for line in waiting if line.startswith(NEWS) and "about" in line]
    assert "about 30" in row
    assert "1 chat followed: 0 up to date, 1 with about 30 ids to fetch" in "\n".join(waiting)
    assert "messages.getHistory" in waiting[1]
    assert f"{datetime.now(UTC):%Y-}" in waiting[-1]
    assert waiting[-1].startswith("Next: account main waits to call messages.getHistory again")
    assert waiting[-1].endswith(" UTC on: `tg-pipeline fetch`")

    document = done(station.program("status", NEWS, "--json")).json
    (chat,) = document["chats"]
    assert chat["messages"] == 100
    assert {name: chat["following"][name] for name in ("account", "backlog", "holes")} == {
        "account": "main",
        "backlog": 30,
        "holes": 1,
    }
    assert document["next"][0]["at"] == document["accounts"][0]["waits_until"]


def status_of(station: Station, sizes: list[int]) -> list[str]:
    """What is told of so many channels, with so many messages each; ids count from 1."""
    chats = [
        {
            "name": f"C{chat}",
            "type": "public_channel",
            "id": 1_000_000_000 + chat,
            "messages": [
                {"id": number, "type": "message", "date": "2024-01-01T00:00:00",
                 "date_unixtime": "1704067200", "from": "C", "text": "Boat"}
                for number in range(1, size + 1)
            ],
        }
        for chat, size in enumerate(sizes, 1)
    ]  # fmt: skip
    file = station.folder / "result.json"
    file.write_text(json.dumps({"chats": {"list": chats}}), "utf-8")
    done(station("import", file, "--no-export"))
    return done(station("status", "-q")).out.splitlines()


def shown_in(told: list[str]) -> list[int]:
    rows = [line.split()[0] for line in told if line.startswith("-1001000000")]
    return [-int(row) - 1_001_000_000_000 for row in rows]


def test_many_chats_leave_room_for_the_rest_of_the_screen(station: Station) -> None:
    """A thousand of them scrolled accounts and what is behind away."""
    told = status_of(station, list(range(1, 24)))

    assert set(shown_in(told)) == set(range(4, 24))
    assert "and 3 smaller ones, 276 messages in all; --json lists them" in told


def test_the_largest_of_many_chats_is_shown_whatever_its_id(station: Station) -> None:
    """Of many equal ones, those before it filled the screen."""
    told = status_of(station, [5, *[1] * 22])

    assert 1 in shown_in(told)
    assert len(shown_in(told)) == 20
