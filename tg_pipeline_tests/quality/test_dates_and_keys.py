"""The rules on keys, dates, replies, order and counts: damage in, exact findings out."""

from datetime import UTC, datetime, timedelta

import pytest

from tg_pipeline.contracts import ChatKey, DatePrecision, Source
from tg_pipeline.quality import RULES
from tg_pipeline_tests.quality.house import CHANNEL, DAY, PRIVATE, SEEN, START, House, sent

HOUR = timedelta(hours=1)
OLD_GROUP = ChatKey(CHANNEL.entity_id, 42)
"""How an account numbers the history from before the group became a supergroup."""


@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_rule_passes_what_was_loaded_and_left_alone(house: House, rule: str) -> None:
    house.take_in(*(sent(number, START + number * DAY) for number in range(1, 40)))
    house.take_in(sent(1, START, PRIVATE), sent(2, START, PRIVATE, reply_to_id=1), chat=PRIVATE)
    assert house.found(rule) == house.found(rule, PRIVATE) == []


# ---- unique_keys ----------------------------------------------------------------------------


def test_two_accounts_that_number_one_day_alike_share_keys(house: House) -> None:
    theirs = ChatKey(CHANNEL.entity_id, 43)
    house.take_in(sent(-7, START, OLD_GROUP), sent(-8, START, OLD_GROUP))
    house.take_in(sent(-7, START, theirs), sent(-8, START + DAY, theirs))
    assert house.found("unique_keys") == [
        ("2024-01-01", -7, "2 messages share its key chat:day:id")
    ]


# ---- plausible_dates ------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-1, 1])
def test_dates_shifted_as_by_a_wrong_zone_are_found(house: House, hours: int) -> None:
    house.take_in(sent(1), sent(2, START + DAY))
    house.run(f"UPDATE messages SET date = date + interval '{hours} hours' WHERE id = 2")
    shifted = START + DAY + hours * HOUR
    what = f"dated {shifted:%F %T}+00, but its own unix time is 2024-01-02 12:00:00+00"
    assert house.found("plausible_dates") == [("2024-01-02", 2, what)]


def test_a_date_that_loading_itself_got_wrong_is_found(house: House) -> None:
    """The source's own record is the witness, so the digest need not differ."""
    house.take_in(sent(1, START + HOUR, own_time=START))
    what = "dated 2024-01-01 13:00:00+00, but its own unix time is 2024-01-01 12:00:00+00"
    assert house.found("plausible_dates") == [("2024-01-01", 1, what)]
    assert house.found("true_day_counts") == []


@pytest.mark.parametrize(
    ("when", "what"),
    [
        (datetime(2013, 7, 31, 23, 59, 59, tzinfo=UTC), "before Telegram existed"),
        (SEEN + timedelta(days=1, seconds=1), "after it was last seen at 2024-06-01 00:00:00+00"),
    ],
)
def test_dates_that_cannot_be(house: House, when: datetime, what: str) -> None:
    house.take_in(sent(1, when))
    assert house.found("plausible_dates") == [
        (f"{when:%F}", 1, f"dated {when:%Y-%m-%d %H:%M:%S}+00, {what}")
    ]


@pytest.mark.parametrize("when", [datetime(2013, 8, 1, tzinfo=UTC), SEEN + DAY])
def test_the_first_and_the_last_date_that_can_be(house: House, when: datetime) -> None:
    house.take_in(sent(1, when))
    assert house.found("plausible_dates") == []


def test_edits_from_the_future_fail_and_edits_before_sending_warn(house: House) -> None:
    house.take_in(sent(1, edited_at=SEEN + 2 * DAY), sent(2, edited_at=START - HOUR))
    future = "edited 2024-06-03 00:00:00+00, after it was last seen at 2024-06-01 00:00:00+00"
    early = "? edited 2024-01-01 11:00:00+00, before it was sent at 2024-01-01 12:00:00+00"
    assert house.found("plausible_dates") == [("2024-01-01", 1, future), ("2024-01-01", 2, early)]


def test_an_early_edit_does_not_soften_an_impossible_date(house: House) -> None:
    """Any message edited before its date only warned, whatever else was wrong with the date."""
    house.take_in(sent(1, edited_at=START + HOUR))
    house.run("UPDATE messages SET date = date + interval '3 hours'")
    what = "dated 2024-01-01 15:00:00+00, but its own unix time is 2024-01-01 12:00:00+00"
    assert house.found("plausible_dates") == [("2024-01-01", 1, what)]


def test_exports_that_tell_one_message_an_hour_apart_warn(house: House) -> None:
    house.take_in(sent(1, START - HOUR))
    house.take_in(sent(1, edited_at=START + HOUR), seen=SEEN - DAY)
    what = "? dated 2024-01-01 11:00:00+00 by one export and 2024-01-01 12:00:00+00 by another"
    assert house.found("plausible_dates") == [("2024-01-01", 1, what)]


def test_exports_of_one_moment_that_tell_a_message_an_hour_apart_warn(house: House) -> None:
    """Taken for one sighting, whose date had been shifted."""
    house.take_in(sent(1, START - HOUR))
    house.take_in(sent(1, edited_at=START + HOUR))
    what = "? dated 2024-01-01 11:00:00+00 by one export and 2024-01-01 12:00:00+00 by another"
    assert house.found("plausible_dates") == [("2024-01-01", 1, what)]


@pytest.mark.parametrize("shift", ["1 hour", "-7 minutes", "-27 hours"])
def test_no_number_of_exports_explains_a_date_later_or_odder_than_all_of_theirs(
    house: House, shift: str
) -> None:
    """Messages seen more than once were not compared with their own unix time at all."""
    house.take_in(sent(1))
    house.take_in(sent(1), seen=SEEN + DAY)
    house.run(f"UPDATE messages SET date = date + interval '{shift}'")
    ((_, number, what),) = house.found("plausible_dates")
    assert number == 1
    assert what.endswith("but its own unix time is 2024-01-01 12:00:00+00")
    assert not what.startswith("?")


def test_a_guessed_date_is_not_held_against_a_unix_time(house: House) -> None:
    house.take_in(sent(1, START + HOUR, own_time=START, date_precision=DatePrecision.ZONE_GIVEN))
    house.take_in(sent(2, START + HOUR, own_time=START, source=Source.TELEGRAM))
    assert house.found("plausible_dates") == []


# ---- true_day_counts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "days"),
    [
        ("DELETE FROM messages WHERE id = 2", ["2024-01-02"]),
        ("DELETE FROM messages WHERE id IN (1, 3)", ["2024-01-01", "2024-01-03"]),
        ("UPDATE messages SET date = date + interval '12 hours' WHERE id = 2",
         ["2024-01-02", "2024-01-03"]),
        ("UPDATE messages SET views = 8 WHERE id = 2", ["2024-01-02"]),
        ("UPDATE messages SET raw = '{}' WHERE id = 3", ["2024-01-03"]),
        ("UPDATE messages SET deleted_at = now() WHERE id = 3", ["2024-01-03"]),
        ("UPDATE chat_days SET digest = digest + 1 WHERE day = '2024-01-02'", ["2024-01-02"]),
        ("UPDATE chat_days SET rows = 2 WHERE day = '2024-01-02'", ["2024-01-02"]),
        ("DELETE FROM chat_days WHERE day = '2024-01-03'", ["2024-01-03"]),
    ],
)  # fmt: skip
def test_days_whose_count_or_digest_is_not_true(house: House, damage: str, days: list[str]) -> None:
    house.take_in(*(sent(number, START + (number - 1) * DAY) for number in (1, 2, 3)))
    house.run(damage)
    found = house.found("true_day_counts")
    assert [(day, number) for day, number, _ in found] == [(day, None) for day in days]
    assert all("counted are" in what for _, _, what in found)


def test_counts_are_told_on_both_sides(house: House) -> None:
    house.take_in(sent(1), sent(2))
    house.run("DELETE FROM messages")
    digest = house.rows("SELECT digest FROM chat_days")[0][0]
    what = f"chat_days says 2 messages and digest {digest}, counted are 0 and 0"
    assert house.found("true_day_counts") == [("2024-01-01", None, what)]


# ---- rules that only warn -------------------------------------------------------------------


def test_replies_to_what_is_not_held_warn(house: House) -> None:
    house.take_in(
        sent(2, reply_to_id=1),
        sent(3, reply_to_id=2),
        sent(4, reply_to_id=9, reply_to_entity_id=-1005),
        sent(5, reply_to_id=8, reply_to_entity_id=CHANNEL.entity_id),
        sent(6, START + 40 * DAY, reply_to_id=7),
        sent(7, START + 80 * DAY),
    )
    assert house.found("reply_targets") == [
        ("2024-01-01", 2, "? replies to 1, which is not here"),
        ("2024-01-01", 5, "? replies to 8, which is not here"),
    ]
    house.run("DELETE FROM messages WHERE id = 2")
    assert ("2024-01-01", 3, "? replies to 2, which is not here") in house.found("reply_targets")


def test_replies_are_looked_for_in_the_numbering_of_their_account(house: House) -> None:
    other = ChatKey(PRIVATE.entity_id, 778)
    house.take_in(sent(1, START, other), chat=other)
    house.take_in(sent(2, START, PRIVATE, reply_to_id=1), chat=PRIVATE)
    assert house.found("reply_targets", PRIVATE) == [
        ("2024-01-01", 2, "? replies to 1, which is not here")
    ]


def test_ids_that_do_not_rise_with_time_warn(house: House) -> None:
    guess = DatePrecision.ZONE_GIVEN
    house.take_in(
        sent(1, START + DAY),
        sent(2, START),
        sent(3, START - DAY, date_precision=guess),
        sent(4, START + 2 * DAY),
    )
    what = "? dated 2024-01-01 12:00:00+00, before message 1 at 2024-01-02 12:00:00+00"
    assert house.found("rising_ids") == [("2024-01-01", 2, what)]


def test_ids_of_two_numberings_are_not_compared(house: House) -> None:
    house.take_in(sent(-5, START + DAY, OLD_GROUP), sent(1, START))
    assert house.found("rising_ids") == []
