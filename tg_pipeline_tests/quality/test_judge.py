"""Judging: the same verdicts however windows are taken together, and while others load."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tg_pipeline.contracts import BatchManifest, ChatKey
from tg_pipeline.landing import LandingZone
from tg_pipeline.quality import RULES, judge
from tg_pipeline.quality.findings import Span
from tg_pipeline.quality.judge import ATTEMPTS, spans
from tg_pipeline.store.load import load, start_over_if_withdrawn
from tg_pipeline.store.windows import Grain, Window
from tg_pipeline_tests.quality.house import CHANNEL, DAY, PRIVATE, START, House, sent
from tg_pipeline_tests.state import local_folder

JANUARY = "2024-01-01"


def month(number: int, chat: ChatKey = CHANNEL, grain: Grain = "month", day: int = 1) -> Window:
    return Window(chat, date(2024, number, day), grain)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ([], []),
        ([month(2)], [(2, 1, 2, 29)]),
        ([month(3), month(1), month(2)], [(1, 1, 3, 31)]),
        ([month(1), month(3)], [(1, 1, 1, 31), (3, 1, 3, 31)]),
        ([month(1, grain="day"), month(1, grain="day", day=2)], [(1, 1, 1, 2)]),
        ([month(1), month(1, grain="day", day=5), month(2)], [(1, 1, 2, 29)]),
        ([month(1), month(1, grain="day", day=5)], [(1, 1, 1, 31)]),
    ],
)
def test_windows_that_follow_each_other_are_one_span(
    windows: list[Window], expected: list[tuple[int, int, int, int]]
) -> None:
    """A day inside a month once cut the month off behind it."""
    assert list(spans(windows)) == [
        Span(CHANNEL, date(2024, a, b), date(2024, c, d)) for a, b, c, d in expected
    ]


def test_spans_never_join_chats() -> None:
    found = list(spans([month(1), month(2, PRIVATE)]))
    assert [(one.chat, one.first.month) for one in found] == [(CHANNEL, 1), (PRIVATE, 2)]


def damaged(house: House) -> None:
    """Something to be found by every rule but one, in several months."""
    house.take_in(
        *(sent(number, START + 7 * number * DAY, reply_to_id=number + 1) for number in range(20)),
        sent(77, START + 3 * DAY, own_time=START),
    )
    manifest = house.take_in(sent(30, START + 40 * DAY), sent(31, START + 100 * DAY))
    house.run("UPDATE messages SET text = 'other' WHERE id IN (3, 12)")
    house.run("DELETE FROM messages WHERE id IN (5, 6)")
    house.run("DELETE FROM chat_days WHERE day = '2024-02-12'")
    house.zone.data_path(manifest).write_bytes(b"")
    house.land(sent(40, START + 70 * DAY), sent(41, START + 71 * DAY))


def test_judging_twice_gives_equal_rows(house: House) -> None:
    """A day that was lost whole had a verdict of one rule at first, and of all the second time."""
    damaged(house)
    house.judge()
    once = house.verdicts()
    assert {row[7] for row in once} == {"passed", "warning", "failed"}
    house.judge()
    assert house.verdicts() == once


def test_judging_month_by_month_or_day_by_day_gives_equal_rows(house: House) -> None:
    damaged(house)
    house.judge()
    once = house.verdicts()
    for grain in ("month", "day"):
        windows = house.windows(grain)
        house.run("DELETE FROM quality_results")
        for window in windows:
            house.judge([window])
        lost = [row for row in once if row[5] == 0 and grain == "day"]
        assert house.verdicts() == [row for row in once if row not in lost]


def test_judging_tells_of_every_rule_in_every_span(house: House) -> None:
    house.take_in(sent(1), sent(2, START + 80 * DAY))
    told: list[tuple[int, int]] = []
    judge(house.database, house.zone, house.windows(), progress=lambda *step: told.append(step))
    total = 2 * len(RULES)
    assert len(list(spans(house.windows()))) == 2
    assert told == [(done, total) for done in range(1, total + 1)]


# ---- while others import --------------------------------------------------------------------


class Disturbed(LandingZone):
    """Lets something happen each time batches are listed: judging has taken its snapshot then."""

    def __init__(self, folder: Path, happen: Callable[[], object]) -> None:
        super().__init__(folder)
        self.happen = happen

    def batches(self, chat: ChatKey) -> list[str]:
        self.happen()
        return super().batches(chat)


def judged_while(house: House, happen: Callable[[], object]) -> str:
    """How the one window stands that was judged while something happened."""
    judge(house.database, Disturbed(local_folder(house.zone.folder), happen), [month(1)])
    return house.outcomes()[JANUARY]


def once(act: Callable[[], object]) -> Callable[[], object]:
    waiting = [act]
    return lambda: waiting.pop()() if waiting else None


def test_messages_that_arrive_while_judging_are_judged_too(house: House) -> None:
    house.take_in(sent(1))
    assert judged_while(house, once(lambda: house.take_in(sent(2)))) == "passed"
    assert house.rows("SELECT DISTINCT rows FROM quality_results") == [(2,)]


def test_bad_messages_that_arrive_while_judging_never_pass(house: House) -> None:
    house.take_in(sent(1))
    bad = sent(2, own_time=START + DAY)
    assert judged_while(house, once(lambda: house.take_in(bad))) == "failed"


def test_a_batch_that_is_loaded_while_judging_and_changes_nothing_is_not_missed(
    house: House,
) -> None:
    """It was listed in landing after the tables had been looked at, and counted as not loaded."""
    house.take_in(sent(1))
    assert judged_while(house, once(lambda: house.take_in(sent(1)))) == "passed"


def test_a_batch_that_is_replaced_while_judging_is_not_missed(house: House) -> None:
    manifest = house.take_in(sent(1))

    def replace() -> None:
        assert house.zone.withdraw(manifest.batch.removesuffix("-00001")) == [CHANNEL]
        assert start_over_if_withdrawn(house.database, house.zone, CHANNEL)
        house.take_in(sent(1))

    assert judged_while(house, once(replace)) == "passed"


def test_a_chat_that_is_loaded_all_the_time_stays_unjudged(house: House) -> None:
    house.take_in(sent(1))
    house.judge()
    numbers = iter(range(2, 100))
    loads: list[BatchManifest] = []

    def load_more() -> None:
        loads.append(house.take_in(sent(next(numbers))))

    assert judged_while(house, load_more) == "missing"
    assert len(loads) == ATTEMPTS
    house.judge()
    assert house.outcomes()[JANUARY] == "passed"


def test_messages_that_arrive_after_the_verdict_leave_it_behind(house: House) -> None:
    house.take_in(sent(1))
    manifest = house.land(sent(2))
    house.judge()
    assert house.outcomes()[JANUARY] == "failed", "landed and not loaded"
    load(house.database, house.zone, manifest)
    assert house.outcomes()[JANUARY] == "missing"
