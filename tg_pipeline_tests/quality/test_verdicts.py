"""Verdicts are bound to the data they were given on, and one day's fate is its window's."""

import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from tg_pipeline.flows import Archive, check_windows, publish_windows, refresh
from tg_pipeline.quality import Outcome
from tg_pipeline.settings import Settings
from tg_pipeline.store.load import load
from tg_pipeline.store.windows import Window
from tg_pipeline_tests.quality.house import CHANNEL, DAY, PRIVATE, SEEN, START, House, sent

JANUARY, FEBRUARY, MARCH = "2024-01-01", "2024-02-01", "2024-03-01"


def three_months(house: House) -> None:
    house.take_in(*(sent(number, START + 31 * (number - 1) * DAY) for number in (1, 2, 3)))


def test_what_nobody_has_judged_is_missing(house: House) -> None:
    three_months(house)
    assert house.outcomes() == dict.fromkeys([JANUARY, FEBRUARY, MARCH], "missing")
    assert not any(ruling.is_open for ruling in house.ruled().values())


def test_a_verdict_holds_for_the_data_it_was_given_on(house: House) -> None:
    three_months(house)
    house.judge()
    assert house.outcomes() == dict.fromkeys([JANUARY, FEBRUARY, MARCH], "passed")
    house.take_in(sent(2, START + 31 * DAY, views=7), seen=SEEN + DAY)
    assert house.outcomes() == {JANUARY: "passed", FEBRUARY: "missing", MARCH: "passed"}
    house.judge()
    assert house.outcomes() == dict.fromkeys([JANUARY, FEBRUARY, MARCH], "passed")


def test_data_that_comes_back_finds_its_verdict(house: House) -> None:
    three_months(house)
    house.judge()
    house.run("UPDATE chat_days SET digest = digest + 1")
    assert house.outcomes()[JANUARY] == "missing"
    house.run("UPDATE chat_days SET digest = digest - 1")
    assert house.outcomes()[JANUARY] == "passed"


def test_a_new_day_opens_the_question_for_its_month(house: House) -> None:
    three_months(house)
    house.judge()
    house.take_in(sent(4, START + 5 * DAY))
    assert house.outcomes() == {JANUARY: "missing", FEBRUARY: "passed", MARCH: "passed"}


def test_another_set_of_rules_makes_every_verdict_missing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_months(house)
    house.judge()
    for module in ("judge", "rulings"):
        monkeypatch.setitem(_globals(module), "RULE_SET", "next")
    assert set(house.outcomes().values()) == {"missing"}
    house.judge()
    assert set(house.outcomes().values()) == {"passed"}
    assert len(house.verdicts()) == 3 * 7


def _globals(module: str) -> dict[str, object]:
    """Of a module whose name its package gives to a function."""
    return vars(sys.modules[f"tg_pipeline.quality.{module}"])


def test_one_failing_day_closes_its_month_and_no_other(house: House) -> None:
    house.take_in(*(sent(number, START + number * DAY) for number in range(60)))
    house.run("UPDATE messages SET text = 'other' WHERE id = 40")
    house.judge()
    assert house.outcomes() == {JANUARY: "passed", FEBRUARY: "failed"}
    house.judge(house.windows("day"))
    days = house.outcomes("day")
    assert [day for day, outcome in days.items() if outcome == "failed"] == ["2024-02-10"]
    assert list(days.values()).count("passed") == 59
    (closed,) = (one for one in house.ruled().values() if not one.is_open)
    assert closed.failing == ("reproducible_content_hash", "true_day_counts")


def test_the_worst_of_what_was_found_is_the_windows_standing(house: House) -> None:
    house.take_in(sent(2, reply_to_id=1), sent(3, START + DAY), sent(4, START + 31 * DAY))
    house.judge()
    assert house.outcomes() == {JANUARY: "warning", FEBRUARY: "passed"}
    house.take_in(sent(5, START + 2 * DAY))
    assert house.outcomes() == {JANUARY: "missing", FEBRUARY: "passed"}
    house.run("UPDATE messages SET text = 'other' WHERE id = 3")
    house.judge()
    house.run("DELETE FROM quality_results WHERE day = '2024-01-03'")
    assert house.outcomes() == {JANUARY: "failed", FEBRUARY: "passed"}
    house.take_in(sent(6, START + 3 * DAY))
    assert house.outcomes() == {JANUARY: "missing", FEBRUARY: "passed"}, "it is to be judged anew"


def test_a_ruling_names_what_was_found(house: House) -> None:
    house.take_in(*(sent(number, own_time=START + DAY) for number in range(1, 8)), sent(8))
    house.judge()
    (ruling,) = house.ruled().values()
    assert (ruling.rows, ruling.outcome, ruling.failing) == (
        8, Outcome.FAILED, ("plausible_dates",),
    )  # fmt: skip
    (dates,) = (one for one in ruling.rules if one.rule == "plausible_dates")
    what = "dated 2024-01-01 12:00:00+00, but its own unix time is 2024-01-02 12:00:00+00"
    assert (dates.findings, dates.outcome) == (7, Outcome.FAILED)
    assert dates.examples == tuple(
        {"day": JANUARY, "id": number, "what": what} for number in range(1, 6)
    )
    told = ruling.as_dict()
    assert (told["chat"], told["period"], told["verdict"]) == (str(CHANNEL), JANUARY, "failed")
    assert [one["rule"] for one in told["rules"]][1] == "plausible_dates"


def test_examples_are_of_what_fails_before_what_warns(house: House) -> None:
    """Five warnings came first, and the failure that closed the window was not shown."""
    early = [sent(number, edited_at=START - DAY) for number in range(1, 8)]
    house.take_in(*early, sent(9, own_time=START + DAY))
    house.judge()
    (ruling,) = house.ruled().values()
    (dates,) = (one for one in ruling.rules if one.rule == "plausible_dates")
    assert (dates.outcome, dates.findings) == (Outcome.FAILED, 8)
    assert [one["id"] for one in dates.examples] == [9, 1, 2, 3, 4]


# ---- days of which all is lost --------------------------------------------------------------


def lose(house: House, day: str) -> None:
    """All messages of a day, and its row too."""
    house.run(f"DELETE FROM messages WHERE date::date = '{day}'")
    house.run(f"DELETE FROM chat_days WHERE day = '{day}'")


def test_a_day_that_was_lost_whole_closes_its_window(house: House) -> None:
    house.take_in(*(sent(number, START + number * DAY) for number in range(60)))
    lose(house, "2024-01-10")
    house.judge()
    assert house.outcomes() == {JANUARY: "failed", FEBRUARY: "passed"}
    assert house.rows("SELECT day, rows, digest FROM chat_days WHERE rows = 0") == [
        (date(2024, 1, 10), 0, 0)
    ]
    lost = "SELECT outcome, findings FROM quality_results WHERE rows = 0 AND findings > 0"
    assert house.rows(lost) == [("failed", 1)]


def test_a_lost_day_that_comes_back_is_judged_anew(house: House) -> None:
    house.take_in(sent(1), sent(9, START + 31 * DAY))
    manifest = house.take_in(sent(4, START + 5 * DAY))
    lose(house, "2024-01-06")
    house.judge()
    assert house.outcomes()[JANUARY] == "failed"
    house.run(f"DELETE FROM batches WHERE batch = '{manifest.batch}'")
    load(house.database, house.zone, manifest)
    assert house.outcomes() == {JANUARY: "missing", FEBRUARY: "passed"}
    house.judge()
    assert house.outcomes() == {JANUARY: "passed", FEBRUARY: "passed"}


def test_a_window_that_was_lost_whole_fails_where_it_is_asked_about(house: House) -> None:
    three_months(house)
    lose(house, "2024-02-01")
    window = Window(CHANNEL, date(2024, 2, 1), "month")
    house.judge([window])
    ruling = house.ruled([window])[window]
    assert (ruling.outcome, ruling.rows, ruling.failing) == (
        Outcome.FAILED, 0, ("loaded_is_landed",),
    )  # fmt: skip


def test_a_day_that_has_rightly_become_empty_needs_no_verdict(house: House) -> None:
    house.take_in(sent(1, START + timedelta(hours=13)), sent(2, START))
    house.judge()
    house.take_in(sent(1, START + timedelta(hours=11)))
    assert house.outcomes() == {JANUARY: "missing"}
    house.judge()
    assert house.outcomes() == {JANUARY: "warning"}, "two exports tell its date two hours apart"


# ---- asking ---------------------------------------------------------------------------------


def test_windows_of_several_chats_and_grains_are_told_at_once(house: House) -> None:
    three_months(house)
    house.take_in(sent(1, START, PRIVATE), chat=PRIVATE)
    house.judge()
    wanted = [*house.windows(), *house.windows("day")]
    found = house.ruled(wanted)
    assert len(wanted) == len(found) == 8
    assert {ruling.outcome for ruling in found.values()} == {Outcome.PASSED}
    assert all(found[window].window == window for window in wanted)


def test_a_window_without_messages_is_open(house: House) -> None:
    window = Window(CHANNEL, date(2020, 1, 1), "month")
    house.judge([window])
    ruling = house.ruled([window])[window]
    assert (ruling.is_open, ruling.rows, ruling.version[:2]) == (True, 0, "0-")
    assert house.verdicts() == []


def test_nothing_asked_nothing_told(house: House) -> None:
    house.judge([])
    assert house.ruled([]) == {}


# ---- whoever asks ---------------------------------------------------------------------------


@pytest.fixture
def archive(house: House, tmp_path: Path) -> Archive:
    return Archive(Settings(home=tmp_path), house.database, house.zone)


def test_a_month_that_was_lost_with_its_counts_is_judged_too(
    house: House, archive: Archive
) -> None:
    """Only months that hold messages were asked about, and so it vanished without a word."""
    three_months(house)
    lose(house, "2024-02-01")
    found = {f"{one.window.period}": one.outcome.value for one in check_windows(archive)}
    assert found == {JANUARY: "passed", FEBRUARY: "failed", MARCH: "passed"}


@pytest.mark.parametrize("checked", [True, False])
def test_a_month_that_was_lost_with_its_counts_keeps_its_files(
    house: House, archive: Archive, checked: bool
) -> None:
    three_months(house)
    assert refresh(archive).written == 6
    lose(house, "2024-02-01")
    if checked:
        check_windows(archive)
    published = publish_windows(archive)
    assert published.withdrawn == ()
    assert [f"{one.window.period}" for one in published.refused] == [FEBRUARY]


def test_a_day_that_was_judged_and_lost_with_its_count_leaves_its_window_unjudged(
    house: House,
) -> None:
    """All other days had passed, so the window stayed open and was published without that day."""
    house.take_in(sent(1), sent(2, START + DAY), sent(3, START + 31 * DAY))
    house.judge()
    lose(house, "2024-01-02")
    assert house.outcomes() == {JANUARY: "missing", FEBRUARY: "passed"}
    house.judge()
    assert house.outcomes() == {JANUARY: "failed", FEBRUARY: "passed"}


def test_a_lost_count_of_a_day_that_was_judged_empty_closes_nothing(house: House) -> None:
    house.take_in(sent(1, START + timedelta(hours=13)), sent(2, START))
    house.take_in(sent(1, START + timedelta(hours=11)))
    house.judge()
    house.run("DELETE FROM chat_days WHERE rows = 0")
    for _ in range(2):
        assert house.outcomes() == {JANUARY: "warning"}
        house.judge()
