"""What cannot work ends in one message, the remedy, the right exit code and no traceback."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tg_pipeline_tests.cli.running import Outcome, Program, minding_rights
from tg_pipeline_tests.flows.making import account, chat, message, written
from tg_pipeline_tests.sources.zips import zipped

SYSTEM = Path("/sys")
"""Even root cannot make a folder here."""
POSTGRES = Path("/usr/lib/postgresql/15/bin")
BOT_UPDATES = {
    "ok": True,
    "result": [{"update_id": 1, "message": {"message_id": 5, "date": 1704106800, "text": "x"}}],
}
TDLIB = {
    "@type": "messages",
    "total_count": 1,
    "messages": [
        {
            "@type": "message",
            "id": 5242880,
            "date": 1704106800,
            "content": {"@type": "messageText", "text": {"@type": "formattedText", "text": "x"}},
        }
    ],
}
LOCAL = {**message(1), "date_unixtime": None}
TRACEBACK = "Traceback"


def refused(outcome: Outcome, code: int, name: str, *told: str) -> None:
    """One error with its remedy and nothing else that looks like one."""
    assert outcome.code == code, outcome.err
    lines = outcome.err.splitlines()
    assert sum(line.startswith("error: ") for line in lines) == 1, outcome.err
    assert sum(line.startswith("   do: ") and len(line) > 12 for line in lines) == 1, outcome.err
    assert f" code: {name}" in lines
    assert TRACEBACK not in outcome.err + outcome.out
    assert "file.refused" not in outcome.err
    for words in told:
        assert words in outcome.err


FILES = {
    "invalid JSON": (b'{"name": "x", "messages": [{"id": 1,,]}', "input.invalid_json", "line 1"),
    "Bot API updates": (BOT_UPDATES, "input.foreign_format", "Bot API"),
    "a TDLib dump": (TDLIB, "input.foreign_format", "TDLib"),
    "an empty list": ([], "input.foreign_format", "Telegram Desktop"),
    "an empty file": (b"", "input.empty", "the file is empty"),
    "local times": (chat(LOCAL), "input.timezone_required", "--timezone"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_cannot_be_used(kind: str, program: Program, tmp_path: Path) -> None:
    content, code, told = FILES[kind]
    path = written(tmp_path / "in" / "result.json", content)
    refused(program("import", path), 1, code, str(path), told)


ARCHIVES: dict[str, tuple[Any, str, str]] = {
    "what is no archive": (b"<!DOCTYPE html>", "input.archive_damaged", "not a ZIP archive"),
    "an empty file": (b"", "input.archive_damaged", "the file is empty"),
    "a cut archive": (b"PK\x03\x04 and so on", "input.archive_damaged", "unzip -t"),
    "an HTML export": ({"messages.html": b""}, "input.empty", "HTML export"),
    "an empty archive": ({}, "input.empty", "it is empty"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_cannot_be_used(kind: str, program: Program, tmp_path: Path) -> None:
    content, code, told = ARCHIVES[kind]
    path = tmp_path / "chat.zip"
    if isinstance(content, bytes):
        written(path, content)
    else:
        zipped(path, content)
    refused(program("import", path), 1, code, str(path), told)


def test_a_file_that_is_not_there(program: Program, tmp_path: Path) -> None:
    refused(program("import", "nowhere.json"), 1, "input.missing", "nowhere.json")


def test_a_folder_without_an_export(program: Program, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(program("import", "empty"), 1, "input.empty", "empty", "export")


def test_one_bad_file_does_not_stop_the_others(program: Program, tmp_path: Path) -> None:
    good = written(tmp_path / "good.json", chat(message(1)))
    outcome = program("import", "nowhere.json", good, "--no-export")
    refused(outcome, 1, "input.missing")
    assert f"{good}: imported: 1 read, 1 new" in outcome.out


def test_one_unreadable_path_does_not_stop_the_others(program: Program, tmp_path: Path) -> None:
    """Regression: it was a wrong argument, at which nothing was imported."""
    good = written(tmp_path / "good.json", chat(message(1)))
    locked = written(tmp_path / "locked.json", chat(message(2)))
    locked.chmod(0)
    with minding_rights(program) as bound:
        outcome = bound("import", locked, good, "--no-export")
    refused(outcome, 1, "input.unreadable", str(locked))
    assert f"{good}: imported: 1 read, 1 new" in outcome.out


def test_a_home_without_rights(program: Program, tmp_path: Path) -> None:
    """Regression: doctor ended in a traceback, or called landing well; others told of usage."""
    home = tmp_path / "locked"
    home.mkdir(0)
    path = written(tmp_path / "good.json", chat(message(1)))
    with minding_rights(program) as bound:
        imported = bound("import", path, "--home", home)
        examined = [bound("doctor", "--home", place) for place in (home, home / "below")]
    refused(imported, 1, "folder.not_writable", str(home))
    for outcome in examined:
        assert outcome.code == 1
        assert TRACEBACK not in outcome.err
        failed = [line for line in outcome.out.splitlines() if line.startswith("FAIL")]
        for what in ("home folder", "landed batches"):
            assert any(line.startswith(f"FAIL  {what}: ") for line in failed), outcome.out


def test_an_unknown_zone(program: Program, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", chat(LOCAL))
    outcome = program("import", path, "--timezone", "Europe/Berlim")
    refused(outcome, 2, "setting.invalid", "Europe/Berlim", "command line", "Europe/Berlin")


def test_a_chat_id_for_an_account_export(program: Program, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", account(chat(message(1)), chat(message(1), id=78)))
    outcome = program("import", path, "--chat-id", "-100123")
    refused(outcome, 2, "input.chat_id_not_applicable", str(path))


def test_a_database_that_does_not_answer(program: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://me:secret@127.0.0.1:{taken.getsockname()[1]}/archive"
        elsewhere = replace(
            program, environment={**program.environment, "TG_PIPELINE_DATABASE_URL": url}
        )
        outcome = elsewhere("status")
        refused(outcome, 75, "database.unreachable", "127.0.0.1")
        assert "secret" not in outcome.err
        traced = elsewhere("status", "-v")
    assert traced.code == 75
    assert TRACEBACK in traced.err
    assert sum(line.startswith("error: ") for line in traced.err.splitlines()) == 1


def test_tables_of_a_newer_version(program: Program, server_url: str, schema: str) -> None:
    assert program("db", "migrate").code == 0
    with psycopg.connect(server_url) as connection:
        connection.execute(f"UPDATE {schema}.alembic_version SET version_num = '9999'".encode())
    for words in (["status"], ["db", "migrate"], ["db", "migrate", "base", "--yes"]):
        refused(program(*words), 1, "database.schema_too_new", "9999", "Upgrade")


def test_a_home_that_cannot_be_made(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = written(tmp_path / "result.json", chat(message(1)))
    outcome = program("import", path, "--home", tmp_path / "file" / "below")
    refused(outcome, 1, "folder.not_writable", "file/below", "--home")


@pytest.mark.skipif(not SYSTEM.is_dir(), reason=f"there is no {SYSTEM} to be refused by")
def test_a_home_that_may_not_be_written(program: Program, tmp_path: Path) -> None:
    path = written(tmp_path / "result.json", chat(message(1)))
    outcome = program("import", path, "--home", SYSTEM / "tg_pipeline")
    refused(outcome, 1, "folder.not_writable", str(SYSTEM), "--home")


def test_a_revision_that_does_not_exist(program: Program) -> None:
    refused(program("db", "migrate", "0815", "--yes"), 2, "usage", "0815", "head")


def test_an_unknown_setting_in_the_project_file(program: Program, tmp_path: Path) -> None:
    (tmp_path / "tg_pipeline.yaml").write_text("databse_url: postgresql://x/y\n")
    refused(program("status"), 2, "setting.unknown", "databse_url", "database_url", ".yaml")


@pytest.mark.parametrize("text", ["home: [unclosed", "- a list"])
def test_a_project_file_that_is_no_mapping(program: Program, tmp_path: Path, text: str) -> None:
    (tmp_path / "tg_pipeline.yaml").write_text(text)
    refused(program("status"), 2, "setting.invalid", "tg_pipeline.yaml")


def test_no_server_and_no_embedded_one(program: Program, tmp_path: Path) -> None:
    outcome = Program(tmp_path, {"TG_PIPELINE_EMBEDDED": "0"})("status")
    refused(outcome, 1, "database.embedded_unavailable", "TG_PIPELINE_DATABASE_URL")
    assert not (tmp_path / ".tg_pipeline").exists()


def test_an_unknown_chat(program: Program) -> None:
    """A key copied from `status` was taken for an option, because of its minus."""
    for words in (["--", "-1001"], ["-1001", "--since", "2024-01-01"]):
        refused(program("export", *words), 1, "chat.unknown", "-1001", "status")


def test_a_misspelt_option_of_export(program: Program) -> None:
    refused(program("export", "--sicne", "2024-01-01"), 2, "usage", "--sicne", "--help")


@pytest.mark.parametrize(
    "words",
    [
        ("fetch", "--sinc", "2024-01-01"),
        ("chats", "add", "--acount", "second", "@telegram"),
        ("chats", "remove", "-x"),
        ("status", "--jsn"),
    ],
)
def test_an_option_that_there_is_not_is_taken_for_no_chat(
    words: tuple[str, ...], program: Program
) -> None:
    refused(program(*words), 2, "usage", "there is no option -", f"{words[0]}", "--help")


def test_what_is_no_chat(program: Program) -> None:
    refused(program("export", "teahouse"), 2, "usage", "teahouse", "-1001613744721")


@pytest.mark.parametrize(
    "words", [["import"], ["status", "--jsn"], ["nope"], ["export", "--since", "June"]]
)
def test_wrong_arguments(program: Program, words: list[str]) -> None:
    refused(program(*words), 2, "usage", "--help")


def test_no_arguments_show_the_help(program: Program) -> None:
    outcome = program()
    assert outcome.code == 2
    assert "import" in outcome.out + outcome.err
    assert "error:" not in outcome.err


# ---- a server that asks for a password ------------------------------------------------------


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """The host and port of a PostgreSQL 15 that asks for passwords."""
    if not (POSTGRES / "postgres").exists():
        pytest.skip(f"PostgreSQL 15 is not at {POSTGRES}")
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(f"/tmp/tg_guarded_{secrets.token_hex(6)}")
    folder.mkdir()
    if user:
        shutil.chown(folder, user)
    word = folder / "word"
    word.write_text("right")
    word.chmod(0o644)
    subprocess.run(
        [POSTGRES / "initdb", "-D", folder / "data", "-U", "owner", "-A", "scram-sha-256",
         "--pwfile", word, "--no-sync", "--locale", "C", "-E", "UTF8"],
        check=True, capture_output=True, user=user, cwd="/",
    )  # fmt: skip
    port = _free_port()
    server = subprocess.Popen(
        [POSTGRES / "postgres", "-D", folder / "data", "-p", str(port), "-c", "fsync=off",
         "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd="/",
    )  # fmt: skip
    try:
        _wait_for(port)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def _free_port() -> int:
    for port in range(20_000 + os.getpid() % 10_000, 32_768):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://owner:right@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        else:
            return


def test_access_that_a_server_denies(guarded: str, tmp_path: Path) -> None:
    for who, database, told in (
        ("owner:wrong", "postgres", "password"),
        ("owner", "postgres", "password"),
        ("nobody:right", "postgres", "password"),
        ("owner:right", "missing", "missing"),
    ):
        url = f"postgresql://{who}@{guarded}/{database}"
        outcome = Program(tmp_path, {"TG_PIPELINE_DATABASE_URL": url})("status")
        refused(outcome, 1, "database.access_denied", told, guarded)
        assert "wrong@" not in outcome.err
        assert "right@" not in outcome.err
    right = {"TG_PIPELINE_DATABASE_URL": f"postgresql://owner:right@{guarded}/postgres"}
    assert Program(tmp_path, right)("status").code == 0
