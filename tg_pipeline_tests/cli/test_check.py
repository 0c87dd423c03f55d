"""The quality gate from the command line: `check`, what `import` and `export` refuse, `--force`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline_tests.cli.running import Program
from tg_pipeline_tests.cli.test_commands import CHAT, done
from tg_pipeline_tests.cli.test_refusals import refused
from tg_pipeline_tests.flows.making import Json, chat, message, written

FEBRUARY_3 = "1706961600"
IN_2100 = "4102444800"
GOOD = [message(1), message(2), message(3, date_unixtime=FEBRUARY_3)]
FROM_THE_FUTURE = message(4, date_unixtime=IN_2100)
"""Nothing is later than tomorrow when a file is read, so this is after it was last seen."""
WHAT = "dated 2100-01-01 00:00:00+00, after it was last seen at 2024-02-03 12:00:00+00"
RULES = [
    "unique_keys", "plausible_dates", "reproducible_content_hash", "loaded_is_landed",
    "true_day_counts", "reply_targets", "rising_ids",
]  # fmt: skip


def export_of(tmp_path: Path, *messages: Json) -> Path:
    return written(tmp_path / "result.json", chat(*messages))


@pytest.fixture
def good(program: Program, tmp_path: Path) -> Program:
    """Two months, stored and neither judged nor published."""
    done(program("import", export_of(tmp_path, *GOOD), "--no-export"))
    return program


@pytest.fixture
def bad(program: Program, tmp_path: Path) -> Program:
    """The same and a message from the future, imported as people do."""
    outcome = program("import", export_of(tmp_path, *GOOD, FROM_THE_FUTURE))
    refused(outcome, 4, "quality.refused", "refused 1 of", "period=2100-01-01 (plausible_dates)")
    assert "4 read, 4 new" in outcome.out
    assert "4 files written" in outcome.out
    return program


def manifest(tmp_path: Path) -> Json:
    path = tmp_path / "home" / "exports" / "messages" / "_manifest.json"
    document: Json = json.loads(path.read_bytes())
    return document


def published(tmp_path: Path) -> dict[str, tuple[str, bool]]:
    """Verdict and force of each period."""
    files = manifest(tmp_path)["files"]
    return {file["period"]: (file["verdict"], file["forced"]) for file in files}


def table(out: str) -> dict[str, list[str]]:
    """The counts behind each rule's name."""
    words = [line.split() for line in out.splitlines()]
    return {
        first: rest for first, *rest in filter(None, words) if first in RULES and len(rest) == 4
    }


# ---- check ----------------------------------------------------------------------------------


def test_check_counts_windows_and_findings_by_rule(good: Program) -> None:
    outcome = done(good("check"))
    assert outcome.out.splitlines()[0].split() == [
        "rule", "passed", "warning", "failed", "findings",
    ]  # fmt: skip
    assert table(outcome.out) == {rule: ["2", "0", "0", "0"] for rule in RULES}
    assert outcome.out.splitlines()[-1] == ("3 messages in 2 windows judged: all may be published")
    assert "Database: " in outcome.err
    assert done(good("check", "-q")).err == ""


def test_check_shows_what_failed_and_where(bad: Program) -> None:
    outcome = bad("check", "-q")
    assert (outcome.code, outcome.err) == (4, "")
    assert table(outcome.out)["plausible_dates"] == ["2", "0", "1", "1"]
    lines = outcome.out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("plausible_dates failed: "))
    assert lines[start + 1 : start + 3] == [
        f"  chat={CHAT}/period=2100-01-01, findings: 1",
        f"    2100-01-01 message 4: {WHAT}",
    ]
    assert lines[-1] == "4 messages in 3 windows judged: 1 may not be published"
    assert max(len(line) for line in lines[: 1 + len(RULES)]) <= 80, "for the table of counts"


def test_many_failing_windows_are_told_in_a_few_lines(program: Program, tmp_path: Path) -> None:
    late = [message(n, date_unixtime=str(int(IN_2100) + n * 32 * 86_400)) for n in range(5, 25)]
    program("import", export_of(tmp_path, *GOOD, *late), "--no-export")
    outcome = program("check", "-q")
    assert outcome.code == 4
    assert outcome.out.count("period=") == 3
    assert "and 17 windows more; --json lists them" in outcome.out


def test_check_as_json(bad: Program) -> None:
    outcome = bad("check", "--json")
    assert outcome.code == 4
    found: list[dict[str, Any]] = outcome.json
    assert [(one["period"], one["verdict"], one["messages"]) for one in found] == [
        ("2024-01-01", "passed", 2), ("2024-02-01", "passed", 1), ("2100-01-01", "failed", 1),
    ]  # fmt: skip
    failed = found[-1]
    assert (failed["chat"], failed["grain"]) == (CHAT, "month")
    assert failed["data_version"].startswith("1-")
    assert [one["rule"] for one in failed["rules"]] == RULES
    (dates,) = (one for one in failed["rules"] if one["rule"] == "plausible_dates")
    assert dates.pop("judged_at").endswith("Z")
    example = {"day": "2100-01-01", "id": 4, "what": WHAT}
    assert dates == {
        "rule": "plausible_dates", "outcome": "failed", "findings": 1, "examples": [example],
    }  # fmt: skip


def test_check_of_some_chats_and_days(bad: Program) -> None:
    chosen = done(bad("check", "--json", "--until", "2024-02-01", "--", CHAT)).json
    assert [one["period"] for one in chosen] == ["2024-01-01", "2024-02-01"]
    assert bad("check", "--since", "2100-01-01").code == 4
    refused(bad("check", "--", "-1005"), 1, "chat.unknown", "-1005")


def test_check_of_an_empty_archive(program: Program) -> None:
    assert done(program("check")).out == "There are no messages to judge.\n"
    assert done(program("check", "--json")).json == []


def test_check_loads_what_an_import_left_landed(good: Program, tmp_path: Path) -> None:
    done(good("db", "migrate", "base", "--yes"))
    assert "3 messages in 2 windows" in done(good("check")).out


def test_check_names_a_damaged_batch(good: Program, tmp_path: Path) -> None:
    (batch,) = (tmp_path / "home" / "landing").rglob("*.zst")
    batch.write_bytes(batch.read_bytes()[:-1])
    outcome = good("check")
    assert outcome.code == 4
    assert table(outcome.out)["loaded_is_landed"] == ["0", "0", "2", "2"]
    assert f"batch {batch.name} is damaged" in outcome.out


# ---- import and export ----------------------------------------------------------------------


def test_what_cannot_be_published_is_stored_and_refused_again(bad: Program, tmp_path: Path) -> None:
    (status,) = done(bad("status", "--json")).json["chats"]
    assert status["messages"] == 4
    assert published(tmp_path) == {
        "2024-01-01": ("passed", False), "2024-02-01": ("passed", False),
    }  # fmt: skip
    again = bad("import", tmp_path / "result.json")
    refused(again, 4, "quality.refused", "period=2100-01-01")
    assert "unchanged" in again.out
    outcome = bad("export", "--json")
    refused(outcome, 4, "quality.refused", "period=2100-01-01")
    assert (outcome.json["files_unchanged"], outcome.json["files_written"]) == (4, 0)
    assert outcome.json["windows_refused"] == [
        {"chat": CHAT, "period": "2100-01-01", "verdict": "failed", "rules": ["plausible_dates"]}
    ]
    done(bad("export", "--until", "2024-12-31"))


def test_export_refuses_what_nobody_has_judged(good: Program, tmp_path: Path) -> None:
    outcome = good("export")
    refused(outcome, 4, "quality.refused", "refused 2 of", "not judged yet", "tg-pipeline check")
    assert manifest(tmp_path)["files"] == []
    done(good("check"))
    assert done(good("export", "--json")).json["files_written"] == 4


def test_force_publishes_against_the_verdict_and_the_manifest_says_so(
    bad: Program, tmp_path: Path
) -> None:
    found = done(bad("export", "--force", "--json")).json
    assert (found["files_written"], found["windows_refused"]) == (2, [])
    assert published(tmp_path) == {
        "2024-01-01": ("passed", False),
        "2024-02-01": ("passed", False),
        "2100-01-01": ("failed", True),
    }
    assert manifest(tmp_path)["totals"]["parquet"]["rows"] == 4


def test_rebuilt_tables_are_judged_before_they_are_published(good: Program, tmp_path: Path) -> None:
    done(good("check"))
    done(good("export"))
    before = manifest(tmp_path)
    done(good("db", "rebuild"))
    refused(good("export"), 4, "quality.refused", "refused 2 of", "not judged yet")
    assert manifest(tmp_path) == before
    done(good("check"))
    assert done(good("export", "--json")).json["files_unchanged"] == 4
    assert manifest(tmp_path) == before
