from datetime import UTC, date, datetime

import pytest

from tg_pipeline.contracts import ChatKey
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Window, contents, windows
from tg_pipeline_tests.exports.rows import CHANNEL, PRIVATE, execute, few, insert

JANUARY = date(2024, 1, 1)


def test_a_window_knows_its_bounds() -> None:
    window = Window(CHANNEL, date(2024, 12, 1), "month")
    assert window.start == datetime(2024, 12, 1, tzinfo=UTC)
    assert window.end == datetime(2025, 1, 1, tzinfo=UTC)
    assert Window(CHANNEL, date(2024, 2, 29), "day").next_period == date(2024, 3, 1)


def test_a_window_begins_on_the_first_day() -> None:
    with pytest.raises(ValueError, match="not the first day"):
        Window(CHANNEL, date(2024, 1, 2), "month")


def test_windows_are_those_that_hold_rows(database: Database) -> None:
    insert(database, few(CHANNEL, JANUARY, 2) + few(CHANNEL, date(2024, 3, 31), 1, 10))
    insert(database, few(PRIVATE, date(2024, 2, 5), 1))
    with database.transaction() as connection:
        assert windows(connection, "month") == [
            Window(CHANNEL, date(2024, 1, 1), "month"),
            Window(CHANNEL, date(2024, 3, 1), "month"),
            Window(PRIVATE, date(2024, 2, 1), "month"),
        ]
        assert windows(connection, "day", [PRIVATE]) == [Window(PRIVATE, date(2024, 2, 5), "day")]
        assert windows(connection, "month", []) == []
        assert windows(connection, "month", [ChatKey(PRIVATE.entity_id, 778)]) == []


def test_the_data_version_changes_with_the_digest_of_any_day(database: Database) -> None:
    insert(database, few(CHANNEL, JANUARY, 3) + few(CHANNEL, date(2024, 2, 1), 1, 10))
    january, february = (Window(CHANNEL, date(2024, n, 1), "month") for n in (1, 2))
    with database.transaction() as connection:
        before = contents(connection, [january, february])
        assert contents(connection, [january])[january].version == before[january].version
    assert before[january].rows == 3
    assert before[january].version.startswith("3-")
    execute(database, "UPDATE chat_days SET digest = digest + 1 WHERE day = '2024-01-01'")
    with database.transaction() as connection:
        after = contents(connection, [january, february])
    assert after[january] != before[january]
    assert after[february] == before[february]


def test_months_and_days_can_be_asked_for_together(database: Database) -> None:
    insert(database, few(CHANNEL, JANUARY, 3) + few(CHANNEL, date(2024, 1, 2), 1, 10))
    month, day = Window(CHANNEL, JANUARY, "month"), Window(CHANNEL, JANUARY, "day")
    empty = Window(CHANNEL, date(2020, 1, 1), "month")
    with database.transaction() as connection:
        found = contents(connection, [month, day, empty])
    assert [found[w].rows for w in (month, day, empty)] == [4, 3, 0]
