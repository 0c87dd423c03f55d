"""Days: counted when they change, kept when they are empty, and signed by who wrote them."""

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tg_pipeline.contracts import IdRange
from tg_pipeline.exports import publish
from tg_pipeline.landing import LandingZone
from tg_pipeline.store.database import Database
from tg_pipeline.store.days import count_days
from tg_pipeline.store.load import empty_all, load, start_over_if_withdrawn
from tg_pipeline.store.status import chat_statuses
from tg_pipeline.store.windows import Window, contents, windows
from tg_pipeline_tests.quality.house import CHANNEL, DAY, PRIVATE, SEEN, START, House, sent

JANUARY_1, JANUARY_2 = date(2024, 1, 1), date(2024, 1, 2)
SIGNED = ("batches", "chat_days", "exports", "quality_results")
_FORGED = "SELECT count(*) FROM {table} WHERE written_by <> xmin::text::bigint"
"""Rows that do not name the transaction PostgreSQL itself says they are of."""
Days = dict[date, int]


@pytest.fixture
def house(database: Database, zone: LandingZone) -> House:
    return House(database, zone, itertools.count(1))


def days(house: House) -> Days:
    return dict(house.rows("SELECT day, rows FROM chat_days ORDER BY day"))


def digests(house: House) -> dict[date, int]:
    return dict(house.rows("SELECT day, digest FROM chat_days"))


# ---- counting -------------------------------------------------------------------------------


def test_only_days_that_have_changed_are_written(house: House) -> None:
    house.take_in(sent(1), sent(2, START + 30 * DAY))
    before = house.rows("SELECT * FROM chat_days ORDER BY day")
    house.take_in(sent(3), seen=SEEN + DAY)
    after = house.rows("SELECT * FROM chat_days ORDER BY day")
    assert days(house) == {JANUARY_1: 2, date(2024, 1, 31): 1}
    assert after[1] == before[1]
    assert after[0] != before[0]


def test_a_load_that_shows_nothing_new_leaves_days_alone(house: House) -> None:
    house.take_in(sent(1))
    before = house.rows("SELECT * FROM chat_days")
    house.take_in(sent(1))
    assert house.rows("SELECT * FROM chat_days") == before


def test_a_digest_tells_every_change_and_does_not_depend_on_order(house: House) -> None:
    house.take_in(sent(1), sent(2))
    once = digests(house)
    empty_all(house.database)
    house.take_in(sent(2), sent(1))
    assert digests(house) == once
    house.run("UPDATE messages SET views = 1 WHERE id = 1")
    recount(house)
    assert digests(house) != once
    house.run("UPDATE messages SET views = NULL WHERE id = 1")
    recount(house)
    assert digests(house) == once


def recount(house: House) -> None:
    with house.database.transaction() as connection:
        count_days(connection, CHANNEL, {JANUARY_1})


# ---- days that have lost their last message -------------------------------------------------


def moved(house: House) -> None:
    """A message whose date turns out to be half a day earlier, and so on the day before."""
    house.take_in(sent(1, START + timedelta(hours=13)))
    house.take_in(sent(1, START + timedelta(hours=1)), seen=SEEN + DAY)


def withdrawn(house: House) -> None:
    manifest = house.take_in(sent(1), sent(2, START + DAY))
    house.zone.withdraw(manifest.batch.removesuffix("-00001"))
    assert start_over_if_withdrawn(house.database, house.zone, CHANNEL)


def rebuilt(house: House) -> None:
    house.take_in(sent(1), sent(2, START + DAY))
    empty_all(house.database)


@pytest.mark.parametrize(
    ("empty", "expected"),
    [
        (moved, {JANUARY_1: 1, JANUARY_2: 0}),
        (withdrawn, {JANUARY_1: 0, JANUARY_2: 0}),
        (rebuilt, {JANUARY_1: 0, JANUARY_2: 0}),
    ],
)
def test_days_that_are_empty_stay_with_no_rows(
    house: House, empty: Callable[[House], None], expected: Days
) -> None:
    empty(house)
    assert days(house) == expected
    held = [day for day, count in expected.items() if count]
    zeros = "SELECT day FROM chat_days WHERE rows + service + hashed = 0 AND digest = 0"
    assert len(house.rows(zeros)) == len(expected) - len(held)
    with house.database.snapshot() as connection:
        assert [window.period for window in windows(connection, "day")] == held
        assert len(windows(connection, "month")) == bool(held)
        assert sum(status.messages for status in chat_statuses(connection, house.zone)) == len(held)
        empty_day = Window(CHANNEL, JANUARY_2, "day")
        never = Window(CHANNEL, date(2020, 1, 1), "day")
        found = contents(connection, [empty_day, never])
        assert found[empty_day] == found[never], "an empty day has the version of no day at all"


def test_an_empty_day_between_days_that_change_is_not_forgotten(house: House) -> None:
    moved(house)
    house.take_in(sent(2), sent(3, START + 2 * DAY))
    assert days(house) == {JANUARY_1: 2, JANUARY_2: 0, date(2024, 1, 3): 1}


def test_a_chat_of_empty_days_is_shown_with_nothing(house: House) -> None:
    house.take_in(sent(1, START, PRIVATE), chat=PRIVATE)
    manifest = house.take_in(sent(1))
    house.run(f"DELETE FROM messages WHERE entity_id = {CHANNEL.entity_id}")
    with house.database.transaction() as connection:
        count_days(connection, CHANNEL, {JANUARY_1})
    with house.database.snapshot() as connection:
        shown = {one.chat: one.messages for one in chat_statuses(connection, house.zone)}
        assert {window.chat for window in windows(connection, "month")} == {PRIVATE}
    assert shown == {f"{PRIVATE}": 1, f"{CHANNEL}": 0}
    house.run(f"DELETE FROM batches WHERE batch = '{manifest.batch}'")
    load(house.database, house.zone, manifest)
    assert digests(house)[JANUARY_1] != 0
    with house.database.snapshot() as connection:
        assert len(windows(connection, "month")) == 2


# ---- who wrote ------------------------------------------------------------------------------


def signed(house: House) -> dict[str, set[int]]:
    """The transactions that each table's rows name, once they have proved to be the true ones."""
    found = {}
    with house.database.snapshot() as connection:
        for table in SIGNED:
            if table != "quality_results":  # the same verdict again leaves the mark of the first
                assert connection.scalar(sa.text(_FORGED.format(table=table))) == 0, table
            named = connection.scalars(sa.text(f"SELECT DISTINCT written_by FROM {table}"))
            found[table] = set(named)
    return found


def test_every_row_names_the_transaction_that_wrote_it(house: House, tmp_path: Path) -> None:
    """Loaded, judged, published, judged again, forced, withdrawn: each leaves its own mark."""
    first = house.take_in(sent(1), sent(2, START + 31 * DAY))
    loaded = signed(house)
    assert loaded["batches"] == loaded["chat_days"]
    assert len(loaded["batches"]) == 1

    house.take_in(sent(1, views=8), seen=SEEN + DAY)
    changed = signed(house)
    assert changed["batches"] == changed["chat_days"]
    assert loaded["batches"] < changed["batches"], "the other day still names the first load"

    house.judge()
    judged = signed(house)
    assert len(judged["quality_results"]) == 1
    assert max(judged["quality_results"]) > max(changed["chat_days"])
    house.judge()
    assert signed(house)["quality_results"] == judged["quality_results"], "nothing has changed"

    publish(house.database, tmp_path, house.windows())
    published = signed(house)
    assert len(published["exports"]) == 2, "each window is written in its own transaction"
    publish(house.database, tmp_path, house.windows())
    assert signed(house) == published
    house.run("DELETE FROM quality_results")
    publish(house.database, tmp_path, house.windows(), force=True)
    assert signed(house)["exports"].isdisjoint(published["exports"])

    house.zone.withdraw(first.batch.removesuffix("-00001"))
    assert start_over_if_withdrawn(house.database, house.zone, CHANNEL)
    assert signed(house)["chat_days"].isdisjoint(changed["chat_days"])


def test_rows_of_deletions_and_rebuilt_tables_are_signed_too(house: House) -> None:
    house.take_in(sent(1), sent(2, START + DAY))
    house.take_in(
        sent(2, START + DAY), seen=SEEN + DAY, complete=(IdRange(account_id=0, low=1, high=2),)
    )
    assert house.rows("SELECT id FROM messages WHERE deleted_at IS NOT NULL") == [(1,)]
    assert len(signed(house)["chat_days"]) == 1
    empty_all(house.database)
    emptied = signed(house)["chat_days"]
    house.take_in(sent(2, START + DAY))
    assert emptied < signed(house)["chat_days"]


def test_a_lost_day_that_was_judged_is_signed(house: House) -> None:
    house.take_in(sent(1), sent(2, START + DAY))
    house.run("DELETE FROM messages WHERE id = 2")
    house.run("DELETE FROM chat_days WHERE day = '2024-01-02'")
    house.judge()
    assert signed(house)["quality_results"] < signed(house)["chat_days"]
