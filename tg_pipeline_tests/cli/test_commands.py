"""What each command prints and does, through the command line itself."""

import csv
import io
import json
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline_tests.cli.running import PROGRAM, Outcome, Program
from tg_pipeline_tests.cli.test_refusals import refused
from tg_pipeline_tests.flows.making import chat, message, written
from tg_pipeline_tests.sources.zips import zipped

CHAT = "-1000000000077"
MESSAGES = [message(number) for number in range(1, 6)]
UNREADABLE = [{"id": 6, "type": "unsupported"}, {"type": "message", "date_unixtime": "1704106899"}]


@pytest.fixture
def filled(program: Program, tmp_path: Path) -> Program:
    """An archive with five messages and two records in quarantine."""
    written(tmp_path / "result.json", chat(*MESSAGES, *UNREADABLE, name="=1+1"))
    assert program("import", "result.json", "--no-export").code == 3
    return program


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome.err
    assert "Traceback" not in outcome.err
    return outcome


def test_import_tells_what_became_of_each_file(program: Program, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", chat(*MESSAGES, *UNREADABLE))
    expected: dict[str, Any] = {
        "path": str(path),
        "outcome": "imported",
        "reason": None,
        "code": None,
        "remedy": None,
        "chats": [CHAT],
        "read": 7,
        "new": 5,
        "updated": 0,
        "unchanged": 0,
        "quarantined": 2,
        "repaired": 0,
        "notes": [],
        "withdrawn": [],
    }
    assert done(program("import", "--json", path), 3).json == [expected]
    reason = "imported before with the same options"
    again = expected | {"outcome": "unchanged", "reason": reason, "new": 0, "unchanged": 5}
    assert done(program("import", "--json", path), 3).json == [again]
    missing = done(program("import", "--json", "nowhere.json"), 1).json[0]
    assert (missing["outcome"], missing["code"]) == ("refused", "input.missing")


def test_a_file_that_is_cut_ends_in_exit_code_3(program: Program, tmp_path: Path) -> None:
    content = json.dumps(chat(*MESSAGES)).encode()
    path = written(tmp_path / "result.json", content[: len(content) // 2])
    outcome = done(program("import", path), 3)
    assert "partial" in outcome.out
    assert "after byte" in outcome.out


def test_a_folder_full_of_exports(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "Downloads"
    for number in range(1, 4):
        written(folder / f"Chat{number}" / "result.json", chat(message(number), id=80 + number))
    for number in range(5):
        written(folder / f"foreign{number}.json", {"name": "left-pad"})
    zipped(folder / "chat.zip", {"Chat/result.json": chat(*MESSAGES, *UNREADABLE)})
    written(folder / "note.txt", b"")
    (folder / "circle").symlink_to(folder)
    outcome = done(program("import", "Downloads", "--no-export"), 1)
    *_, totals, refusals = outcome.out.splitlines()
    assert totals == (
        "9 files: 5 refused, 4 imported; 10 read, 8 new, 0 updated, 0 unchanged, 2 quarantined"
    )
    assert refusals == "Refused: 5 input.foreign_format"
    lines = outcome.err.splitlines()
    assert sum(line.startswith("   do: ") for line in lines) == 3
    assert sum(line.endswith("(input.foreign_format)") for line in lines) == 2
    assert "1 other files not looked at" in lines
    assert "warning: Downloads/circle is a link to a folder and was not followed" in lines
    assert "chat.zip/Chat/result.json at byte" in done(program("quarantine", "list")).out
    again = done(program("import", folder / "Chat1", folder / "chat.zip", "--no-export"), 3)
    assert "2 files: 2 unchanged; 8 read, 0 new, 0 updated, 6 unchanged" in again.out


def test_options_that_differ(program: Program, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", chat(*MESSAGES))
    done(program("import", path, "--no-export"))
    outcome = program("import", path, "--supplier", "Ada", "--no-export")
    refused(outcome, 1, "input.options_differ", "supplier Ada", "--replace")
    done(program("import", path, "--supplier", "Ada", "--replace", "--no-export"))


def test_status(filled: Program) -> None:
    document = done(filled("status", "--json")).json
    assert (document["accounts"], document["next"]) == ([], [])
    (found,) = document["chats"]
    assert found == {
        "chat": CHAT,
        "entity_id": int(CHAT),
        "account_id": 0,
        "title": "=1+1",
        "type": "supergroup",
        "messages": 5,
        "service_messages": 0,
        "versions": 5,
        "first_date": "2024-01-01T11:00:01Z",
        "last_date": "2024-01-01T11:00:05Z",
        "quarantined": 2,
        "landed": 7,
        "loaded": 7,
        "refused": None,
        "following": None,
    }
    table = done(filled("status"))
    assert CHAT in table.out
    assert "Database: " in table.err
    assert done(filled("status", "-q")).err == ""


def test_status_of_an_empty_archive_says_how_to_fill_it(program: Program) -> None:
    assert "tg-pipeline import" in done(program("status")).out
    assert done(program("status", "--json")).json == {"accounts": [], "chats": [], "next": []}


def test_status_makes_no_archive(tmp_path: Path) -> None:
    nowhere = Program(tmp_path, {})
    assert "tg-pipeline import" in done(nowhere("status")).out
    assert done(nowhere("status", "--json")).json["chats"] == []
    assert list(tmp_path.iterdir()) == []


def test_status_of_some_chats(filled: Program, tmp_path: Path) -> None:
    written(tmp_path / "other.json", chat(message(1), id=78))
    done(filled("import", "other.json", "--no-export"))
    (found,) = done(filled("status", CHAT, "--json")).json["chats"]
    assert found["chat"] == CHAT
    assert "-1000000000078" not in done(filled("status", CHAT)).out
    refused(filled("status", "-1001"), 1, "chat.unknown", "-1001")


def test_status_tells_what_may_not_be_published(program: Program, tmp_path: Path) -> None:
    far = message(2) | {"date": "2090-01-01T11:00:02", "date_unixtime": "3786951602"}
    written(tmp_path / "result.json", chat(message(1), far))
    done(program("import", "result.json"), 4)
    document = done(program("status", "--json")).json
    (found,) = document["chats"]
    assert found["refused"] == {"windows": 1, "rules": ["plausible_dates"]}
    assert [step["command"] for step in document["next"]] == ["tg-pipeline check"]
    assert (
        "1 window kept back by the quality gate: `tg-pipeline check`" in done(program("status")).out
    )


def test_export(filled: Program, tmp_path: Path) -> None:
    done(filled("check"))
    assert done(filled("export", "--json")).json["files_written"] == 2
    found = done(filled("export", "--json")).json
    assert (found["messages"], found["files_written"], found["files_unchanged"]) == (5, 0, 2)
    assert not found["manifest_replaced"]
    chosen = done(filled("export", "--json", "--since", "2024-02-01", "--", CHAT)).json
    assert chosen["messages"] == 0
    (parquet,) = (tmp_path / "home" / "exports").rglob("*.parquet")
    parquet.unlink()
    assert done(filled("export", "--json", "--", CHAT)).json["files_written"] == 2
    assert parquet.exists()


def test_quarantine(filled: Program) -> None:
    found = done(filled("quarantine", "list", "--json")).json
    reasons = [one["reason"] for one in found]
    assert reasons == ["unsupported_without_date", "missing_id"]
    assert json.loads(found[0]["raw"]) == UNREADABLE[0]
    listed = done(filled("quarantine", "list", "--chat", CHAT, "--reason", "missing_id"))
    assert listed.out.count("missing_id") == 1
    assert "unsupported" not in listed.out
    place = (found[0]["batch"], found[0]["line"])
    assert done(filled("quarantine", "show", *place, "--json")).json == found[0]
    assert "unsupported_without_date" in done(filled("quarantine", "show", *place)).out
    refused(filled("quarantine", "show", place[0], 99), 1, "quarantine.unknown")
    assert "Nothing" in done(filled("quarantine", "list", "--chat", "-1001")).out


def test_a_reason_that_nothing_is_in_quarantine_for(filled: Program) -> None:
    """Regression: it said that nothing was in quarantine at all."""
    expected = (
        "Nothing is in quarantine for foo; "
        "reasons there are: missing_id, unsupported_without_date.\n"
    )
    assert done(filled("quarantine", "list", "--reason", "foo")).out == expected


def test_lines_are_whole_in_pipes(filled: Program, tmp_path: Path) -> None:
    """Regression: they were folded at 160 columns, so that grep found halves."""
    path = written(tmp_path / "-".join(["long"] * 40) / "result.json", chat(*MESSAGES))
    told = done(filled("import", path, "--no-export")).out
    assert told.startswith(f"{path}: imported: 5 read,")
    assert told.count("\n") == 1
    listed = done(filled("quarantine", "list")).out.splitlines()
    assert len(listed) == 3
    elsewhere = done(filled("doctor", "--home", path.parent / "home")).out
    assert f"ok    home folder: {path.parent / 'home'} can be written\n" in elsewhere


def test_what_comes_next_can_be_typed_as_it_is(program: Program, tmp_path: Path) -> None:
    """Regression: outside a checkout it named a program of the checkout."""
    other = replace(program, folder=tmp_path / "other", environment={})
    other.folder.mkdir()
    told = done(other("init", "--yes")).out
    (command,) = (line for line in told.splitlines() if line.endswith(" doctor"))
    assert shlex.split(command) == [str(PROGRAM), "doctor"]


def test_replacing_withdraws_what_was_published(program: Program, tmp_path: Path) -> None:
    """Regression: a chat that lost all its batches kept its files, and their messages twice."""
    private = chat(*MESSAGES, type="private_group", id=900003)
    path = written(tmp_path / "result.json", private)
    done(program("import", path))
    assert _published(tmp_path) == {"-900003": 5}
    outcome = done(program("import", path, "--account", "700000001", "--replace"))
    assert "withdrawn, and with it all that it brought to -900003\n" in outcome.out
    assert _published(tmp_path) == {"700000001_-900003": 5}
    (left,) = done(program("status", "--json")).json["chats"]
    assert (left["messages"], left["account_id"]) == (5, 700000001)


def _published(tmp_path: Path) -> dict[str, int]:
    """Rows of each chat in the manifest."""
    manifest = json.loads(
        (tmp_path / "home" / "exports" / "messages" / "_manifest.json").read_bytes()
    )
    found: Counter[str] = Counter()
    for file in manifest["files"]:
        if file["path"].endswith(".parquet"):
            found[file["chat"]] += file["rows"]
    return dict(found)


def test_an_account_that_the_archive_may_know(program: Program, tmp_path: Path) -> None:
    private = chat(*MESSAGES, type="private_group", id=900003)
    known = written(tmp_path / "known.json", private)
    done(program("import", known, "--account", "700000001", "--no-export"))
    later = written(tmp_path / "later.json", {**private, "name": "Later"})
    told = done(program("import", later, "--no-export")).err
    assert "import it with --account 700000001 --replace" in told


def test_sql_formats(filled: Program) -> None:
    query = "SELECT title, -1 AS number, NULL AS nothing, first_seen FROM chats"
    (row,) = done(filled("sql", query, "--format", "json")).json
    assert row == {
        "title": "=1+1", "number": -1, "nothing": None, "first_seen": "2024-01-01T11:01:39Z"
    }  # fmt: skip
    lines = list(csv.reader(io.StringIO(done(filled("sql", query, "--format", "csv")).out)))
    assert lines[0] == ["title", "number", "nothing", "first_seen"]
    assert lines[1][:3] == ["'=1+1", "-1", ""], "a spreadsheet would run it"
    table = done(filled("sql", query)).out.splitlines()
    assert "title" in table[0]
    assert "=1+1" in table[1]
    nothing = done(filled("sql", "SELECT id FROM messages WHERE false", "--format", "json"))
    assert nothing.json == []


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_never_holds_a_formula(start: str) -> None:
    from tg_pipeline.cli.console import _csv_cell  # noqa: PLC0415 - the rule itself

    assert str(_csv_cell(f"{start}cmd")) == f"'{start}cmd"
    assert _csv_cell(f"cmd{start}") == f"cmd{start}"
    assert _csv_cell(-5) == -5


@pytest.mark.parametrize(
    "query", ["UPDATE messages SET text = 'gone'", "COPY (SELECT 1) TO PROGRAM 'true'", "SELEC 1"]
)
def test_sql_can_only_read(filled: Program, query: str) -> None:
    refused(filled("sql", query), 1, "sql.failed", "PostgreSQL refused the query")


def test_tables_come_back_from_landing(filled: Program) -> None:
    before = done(filled("status", "--json")).json
    aborted = filled("db", "migrate", "base")
    assert aborted.code != 0
    assert "base" in done(filled("db", "migrate", "base", "--yes")).out
    assert "revision 0" in done(filled("db", "migrate")).out
    assert "5 messages in 1 chats" in done(filled("db", "load")).out
    assert done(filled("status", "--json")).json == before
    rebuilt = done(filled("db", "rebuild"))
    assert "5 messages in 1 chats" in rebuilt.out
    assert rebuilt.err.splitlines()[-1].endswith("tg-pipeline check")


def test_db_start_needs_the_embedded_server(program: Program) -> None:
    for words in ("start", "stop"):
        refused(program("db", words), 2, "usage", "TG_PIPELINE_DATABASE_URL")


def test_config_show_masks_secrets(program: Program) -> None:
    url = "postgresql://me:hunter2@localhost/x?password=hunter2"
    secret = {**program.environment, "TG_PIPELINE_DATABASE_URL": url, "TG_PIPELINE_PERIOD": "day"}
    told = replace(program, environment=secret)
    outcome = done(told("config", "show"))
    assert "hunter2" not in outcome.out + outcome.err
    shown = {one["name"]: one for one in done(told("config", "show", "--json")).json}
    assert "hunter2" not in json.dumps(shown)
    assert (shown["period"]["value"], shown["period"]["origin"]) == ("day", "environment")
    assert shown["log_level"]["origin"] == "default"


def test_doctor(filled: Program, tmp_path: Path) -> None:
    findings = done(filled("doctor", "--json")).json
    assert [one["what"] for one in findings if not one["well"]] == []
    (batch,) = (tmp_path / "home" / "landing").rglob("*.zst")
    batch.write_bytes(batch.read_bytes()[:-1])
    outcome = filled("doctor")
    assert outcome.code == 1
    failed = [line for line in outcome.out.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 1
    assert batch.name in failed[0]
    assert outcome.out.count("      do: ") == 1


def test_demo_twice(program: Program, schema: str, server_url: str) -> None:
    own = replace(
        program, environment={**program.environment, "TG_PIPELINE_DATABASE_SCHEMA": schema[:58]}
    )
    try:
        first = done(own("demo", "--json")).json
        again = done(own("demo", "--json")).json
    finally:
        _drop_demo(server_url, f"{schema[:58]}_demo")
    assert first["file"]["new"] > 2000
    assert again["file"]["outcome"] == "unchanged"
    assert first["exports"]["files_written"] > 100
    assert again["exports"]["files_written"] == 0
    assert again["exports"]["manifest_replaced"] is False


def _drop_demo(server_url: str, name: str) -> None:
    import psycopg  # noqa: PLC0415 - only here

    with psycopg.connect(server_url) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'.encode())
