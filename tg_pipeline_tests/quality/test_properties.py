"""Whatever is loaded in whatever order, no rule fails; and how one asks changes no verdict."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows import Archive, ImportOptions, check_windows, import_files
from tg_pipeline.generator import DesktopStyle, demo_histories, write_desktop_json
from tg_pipeline.landing import LandingZone
from tg_pipeline.quality import Outcome
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database
from tg_pipeline.store.load import empty_all, load
from tg_pipeline_tests.quality.arrivals import Arrival, histories
from tg_pipeline_tests.quality.house import House
from tg_pipeline_tests.state import local_folder

History = tuple[ChatKey, list[Arrival], list[int]]
few = settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
many = settings(few, max_examples=500)


@contextmanager
def loaded(database: Database, history: History) -> Iterator[House]:
    """An archive that has just taken in this history, and nothing before."""
    chat, arrivals, order = history
    empty_all(database)
    with tempfile.TemporaryDirectory() as folder:
        house = House(database, LandingZone(Path(folder)), itertools.count(1))
        landed = [house.land(*one.records, chat=chat, seen=one.seen) for one in arrivals]
        for place in order:
            load(database, house.zone, landed[place])
        yield house


def no_rule_fails(house: House) -> None:
    house.judge()
    found = house.ruled()
    wrong = {
        rule.rule: (rule.outcome.value, rule.examples)
        for ruling in found.values()
        for rule in ruling.rules
        if rule.outcome not in {Outcome.PASSED, Outcome.WARNING}
    }
    assert found
    assert not wrong


DAMAGE = """
UPDATE messages SET text = 'other' WHERE id = 2;
UPDATE messages SET date = date + interval '1 hour' WHERE id = 1;
DELETE FROM messages WHERE id IN (-1, 3);
DELETE FROM quarantine WHERE mod(line, 2) = 0;
"""


def the_asking_does_not_matter(house: House) -> None:
    """Damaged, and judged all at once, again, and window by window from the last to the first."""
    with house.database.transaction() as connection:
        for statement in DAMAGE.strip().split("\n"):
            connection.exec_driver_sql(statement)
    sorted(local_folder(house.zone.folder).rglob("*.zst"))[0].write_bytes(b"")
    house.judge()
    once = house.verdicts()
    house.judge()
    assert house.verdicts() == once
    house.run("DELETE FROM quality_results")
    for window in reversed(house.windows("day")):
        house.judge([window])
    assert house.verdicts() == [row for row in once if row[5]]


@few
@given(histories())
def test_no_rule_fails_what_was_loaded_in_any_order(database: Database, history: History) -> None:
    with loaded(database, history) as house:
        no_rule_fails(house)


@few
@given(histories())
def test_verdicts_do_not_depend_on_the_asking(database: Database, history: History) -> None:
    with loaded(database, history) as house:
        the_asking_does_not_matter(house)


@pytest.mark.prove
@pytest.mark.timeout(3600)
@many
@given(histories())
def test_500_histories_in_any_order(database: Database, history: History) -> None:
    with loaded(database, history) as house:
        no_rule_fails(house)
        the_asking_does_not_matter(house)


# ---- exports of invented chats --------------------------------------------------------------

MOMENTS = [datetime(2024, 8, 1, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC)]
MOMENTS.append(MOMENTS[-1] + timedelta(days=400))


def exported(folder: Path) -> list[Path]:
    """The demo's chats at three moments, each with an account's own names and layout."""
    files = []
    for place, moment in enumerate(MOMENTS):
        path = folder / f"{place}" / "result.json"
        path.parent.mkdir()
        style = DesktopStyle(account_export=True, first_number=1 + 1000 * place)
        write_desktop_json(path, demo_histories(), as_of=moment, style=style)
        files.append(path)
    return files


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_exports_of_several_moments_pass_in_any_order(
    database: Database, zone: LandingZone, tmp_path: Path, order: Sequence[int]
) -> None:
    archive = Archive(Settings(home=tmp_path / "home"), database, zone)
    files = exported(tmp_path)
    for place in order:
        (report,) = import_files(archive, [files[place]], ImportOptions(complete=True))
        assert report.error is None
    rulings = check_windows(archive)
    assert len(rulings) > 80
    assert {ruling.outcome for ruling in rulings} == {Outcome.PASSED, Outcome.WARNING}
    warned = {
        rule.rule for ruling in rulings for rule in ruling.rules if rule.outcome is Outcome.WARNING
    }
    assert "reply_targets" in warned
