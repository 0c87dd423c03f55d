"""The gate: what has no passing verdict on just the data that is there is not published."""

import itertools
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.errors import QualityRefused
from tg_pipeline.exports import Outcome, Published, publish
from tg_pipeline.landing import LandingZone
from tg_pipeline.quality import rulings
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Window
from tg_pipeline_tests.exports import reading
from tg_pipeline_tests.exports.reading import damages, on_disk
from tg_pipeline_tests.quality.house import CHANNEL, DAY, SEEN, START, House, sent

JANUARY, FEBRUARY = "2024-01-01", "2024-02-01"
MONTHS = [Window(CHANNEL, date(2024, month, 1), "month") for month in (1, 2)]
BAD_DATE: dict[str, Any] = {"own_time": START}
"""What the source's own record tells of a message of February: it fails `plausible_dates`."""


@pytest.fixture
def house(database: Database, zone: LandingZone) -> House:
    """One message in January, one in February, not yet judged."""
    house = House(database, zone, itertools.count(1))
    house.take_in(sent(1), sent(2, START + 31 * DAY))
    return house


@pytest.fixture
def out(house: House, folder: Path) -> Callable[..., Published]:
    """Publish the two months."""

    def run(**options: Any) -> Published:
        published = publish(house.database, folder, MONTHS, **options)
        assert not list(damages(folder))
        return published

    return run


def outcomes(published: Published) -> list[str]:
    return [window.outcome.value for window in published.windows]


def listed(folder: Path) -> dict[str, tuple[str, bool, str]]:
    """Verdict, force and data version of each period that the manifest names."""
    files = reading.manifest(folder)["files"]
    told = {
        (file["period"], file["verdict"], file["forced"], file["data_version"]) for file in files
    }
    assert len(files) == 2 * len(told), "both formats say the same"
    return {period: (verdict, forced, version) for period, verdict, forced, version in sorted(told)}


def standing(folder: Path) -> dict[str, tuple[str, bool]]:
    return {period: (verdict, forced) for period, (verdict, forced, _) in listed(folder).items()}


def worsen(house: House) -> None:
    """Another message of February that is not what it should be."""
    house.take_in(sent(3, START + 32 * DAY, **BAD_DATE))


Out = Callable[..., Published]


# ---- refused --------------------------------------------------------------------------------


def test_what_nobody_has_judged_is_refused(out: Out, folder: Path) -> None:
    published = out()
    assert outcomes(published) == ["refused", "refused"]
    assert reading.manifest(folder)["files"] == []
    assert not on_disk(folder)
    with pytest.raises(QualityRefused, match="not judged yet"):
        published.require_all()


def test_what_fails_is_refused_and_the_rest_is_published(
    house: House, out: Out, folder: Path
) -> None:
    worsen(house)
    house.judge()
    published = out()
    assert outcomes(published) == ["written", "refused"]
    assert standing(folder) == {JANUARY: ("passed", False)}
    assert [row["id"] for row in reading.rows(folder)] == [1]
    (refused,) = published.as_dict()["windows_refused"]
    assert refused == {
        "chat": str(CHANNEL), "period": FEBRUARY, "verdict": "failed", "rules": ["plausible_dates"],
    }  # fmt: skip
    with pytest.raises(QualityRefused, match=r"refused 1 of.*period=2024-02-01 \(plausible_dates"):
        published.require_all()


def test_what_has_changed_since_it_was_judged_is_refused(
    house: House, out: Out, folder: Path
) -> None:
    house.judge()
    assert outcomes(out()) == ["written", "written"]
    before, files = reading.manifest(folder), on_disk(folder)
    house.take_in(sent(3, START + 32 * DAY))
    published = out()
    assert outcomes(published) == ["unchanged", "refused"]
    assert not published.manifest_replaced
    assert (reading.manifest(folder), on_disk(folder)) == (before, files)
    house.judge()
    assert outcomes(out()) == ["unchanged", "written"]
    assert [row["id"] for row in reading.rows(folder)] == [1, 2, 3]


def test_a_refused_window_keeps_the_files_it_had(house: House, out: Out, folder: Path) -> None:
    house.judge()
    out()
    before, files = reading.manifest(folder), on_disk(folder)
    worsen(house)
    house.judge()
    for _ in range(2):
        published = out()
        assert outcomes(published) == ["unchanged", "refused"]
        assert len(published.refused[0].files) == 2
        assert (reading.manifest(folder), on_disk(folder)) == (before, files)


def test_what_was_published_and_fails_since_is_told_to_have_failed(
    house: House, out: Out, folder: Path
) -> None:
    """The same data: its batch was damaged on disk, so it can no longer be proved."""
    house.judge()
    out()
    (batch,) = house.zone.folder.rglob("*.zst")
    batch.unlink()
    house.judge()
    assert outcomes(out()) == ["refused", "refused"]
    assert standing(folder) == {JANUARY: ("failed", False), FEBRUARY: ("failed", False)}


def test_warnings_close_nothing_and_are_told(house: House, out: Out, folder: Path) -> None:
    house.take_in(sent(3, START + 32 * DAY, reply_to_id=77))
    house.judge()
    assert outcomes(out()) == ["written", "written"]
    assert standing(folder) == {JANUARY: ("passed", False), FEBRUARY: ("warning", False)}


def test_a_window_that_has_lost_its_rows_keeps_its_files(
    house: House, out: Out, folder: Path
) -> None:
    """Regression: while tables were being filled anew, whatever was empty was withdrawn."""
    house.judge()
    out()
    house.run("DELETE FROM messages WHERE id = 2")
    house.run("UPDATE chat_days SET rows = 0, digest = 0 WHERE day = '2024-02-01'")
    assert outcomes(out()) == ["unchanged", "refused"]
    house.judge()
    assert outcomes(out()) == ["unchanged", "refused"]
    assert set(standing(folder)) == {JANUARY, FEBRUARY}


# ---- forced ---------------------------------------------------------------------------------


def recorded(house: House) -> list[tuple[Any, ...]]:
    return house.rows("SELECT DISTINCT period::text, verdict, forced FROM exports ORDER BY 1")


def test_force_is_said_in_the_manifest_and_in_the_record(
    house: House, out: Out, folder: Path
) -> None:
    worsen(house)
    house.judge([MONTHS[0]])
    published = out(force=True)
    assert outcomes(published) == ["written", "written"]
    assert standing(folder) == {JANUARY: ("passed", False), FEBRUARY: ("missing", True)}
    assert recorded(house) == [(JANUARY, "passed", False), (FEBRUARY, "missing", True)]
    house.judge()
    again = out(force=True)
    assert outcomes(again) == ["unchanged", "unchanged"]
    assert standing(folder) == {JANUARY: ("passed", False), FEBRUARY: ("failed", True)}
    assert recorded(house) == [(JANUARY, "passed", False), (FEBRUARY, "failed", True)]


def test_a_forced_window_that_is_refused_later_stays_forced(
    house: House, out: Out, folder: Path
) -> None:
    worsen(house)
    house.judge()
    out(force=True)
    before = reading.manifest(folder)
    assert outcomes(out()) == ["unchanged", "refused"]
    assert reading.manifest(folder) == before


def test_an_honest_publication_of_the_same_data_clears_force_without_writing(
    house: House, out: Out, folder: Path
) -> None:
    out(force=True)
    written, before = on_disk(folder), listed(folder)
    times = {path: path.stat().st_mtime_ns for path in written}
    house.judge()
    published = out()
    assert outcomes(published) == ["unchanged", "unchanged"]
    assert published.manifest_replaced
    assert standing(folder) == {JANUARY: ("passed", False), FEBRUARY: ("passed", False)}
    assert recorded(house) == [(JANUARY, "passed", False), (FEBRUARY, "passed", False)]
    assert [one[2] for one in listed(folder).values()] == [one[2] for one in before.values()]
    assert {path: path.stat().st_mtime_ns for path in on_disk(folder)} == times
    assert not out().manifest_replaced


# ---- while others write ---------------------------------------------------------------------


def test_data_that_changes_after_the_gate_was_asked_is_asked_about_again(
    house: House, folder: Path
) -> None:
    """February was open when publishing began; it has bad data by the time it is its turn.

    Some windows are written at once, so others come before it.
    """
    house.judge()
    earlier = [Window(CHANNEL, date(2023, month, 1), "month") for month in (9, 10, 11, 12)]
    windows = [*earlier, *MONTHS]
    published = publish(house.database, folder, windows, progress=once(lambda: worsen(house)))
    assert outcomes(published)[-2:] == ["written", "refused"]
    assert [row["id"] for row in reading.rows(folder)] == [1]


def once(act: Callable[[], None]) -> Callable[[object], None]:
    waiting = [act]
    return lambda _: waiting.pop()() if waiting else None


def test_rows_are_never_published_under_the_verdict_of_other_rows(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good rows are open; bad ones come and are being read; before the gate is asked again, good
    ones take their place and pass."""
    calls = itertools.count(1)

    def rulings_later(*asked: Any, **options: Any) -> Any:
        call = next(calls)
        if call == 1:
            found = rulings(*asked, **options)
            worsen(house)
            vouched(house)
            return found
        if call == 2:
            house.run("UPDATE messages SET date = date - interval '32 days' WHERE id = 3")
            house.run("UPDATE chat_days SET rows = 0, digest = 0 WHERE day = '2024-02-02'")
            house.run("UPDATE chat_days SET rows = 2, digest = 7 WHERE day = '2024-01-01'")
            vouched(house)
            with house.database.snapshot() as connection:
                return rulings(connection, asked[1])
        return rulings(*asked, **options)

    vouched(house)
    monkeypatch.setattr("tg_pipeline.exports.publication.rulings", rulings_later)
    (february,) = publish(house.database, folder, MONTHS[1:]).windows
    assert (february.outcome, february.rows) == (Outcome.REFUSED, 0)
    assert february.ruling.outcome.value == "missing"
    assert not on_disk(folder)
    assert house.outcomes()[FEBRUARY] == "passed", "of the rows that are there now"


def vouched(house: House) -> None:
    """Let all days pass as they are."""
    house.judge()
    house.run("UPDATE quality_results SET outcome = 'passed', findings = 0")


def test_a_verdict_on_newer_data_comes_with_the_next_publication(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.judge()
    calls = itertools.count(1)

    def rulings_later(*asked: Any, **options: Any) -> Any:
        call = next(calls)
        if call == 1:
            found = rulings(*asked, **options)
            house.take_in(sent(4, START + 33 * DAY), seen=SEEN + DAY)
            return found
        if call == 2:
            house.take_in(sent(3, START + 32 * DAY), seen=SEEN + DAY)
            house.judge()
            with house.database.snapshot() as connection:
                return rulings(connection, asked[1])
        return rulings(*asked, **options)

    with monkeypatch.context() as patch:
        patch.setattr("tg_pipeline.exports.publication.rulings", rulings_later)
        assert outcomes(publish(house.database, folder, MONTHS[1:])) == ["refused"]
    assert outcomes(publish(house.database, folder, MONTHS[1:])) == ["written"]
    assert [row["id"] for row in reading.rows(folder)] == [2, 3, 4]


def test_two_publications_leave_what_the_last_verdict_says(
    house: House, out: Out, folder: Path
) -> None:
    house.judge()
    assert outcomes(out()) == ["written", "written"]
    worsen(house)
    assert outcomes(out()) == ["unchanged", "refused"]
    house.judge()
    assert outcomes(out()) == ["unchanged", "refused"]
    assert outcomes(out(force=True)) == ["unchanged", "written"]
    assert outcomes(out()) == ["unchanged", "refused"]
    assert standing(folder) == {JANUARY: ("passed", False), FEBRUARY: ("failed", True)}
