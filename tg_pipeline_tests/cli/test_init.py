"""`tg-pipeline init`: at a terminal as people meet it, and without one as scripts do."""

import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tg_pipeline.flows.project import keep_api
from tg_pipeline.settings import load
from tg_pipeline_tests.cli.running import Program
from tg_pipeline_tests.cli.terminal import CTRL_C, CTRL_D, terminal
from tg_pipeline_tests.cli.test_refusals import SYSTEM, guarded, refused

__all__ = ["guarded"]
FOLDER = "Folder of the archive"
SERVER = "PostgreSQL server"
PASSWORD = "Its password"
ZONE = "Time zone"
WRITE = "Write this?"
BERLIN = {"TZ": "Europe/Berlin"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "project"
    found.mkdir()
    return found


@pytest.fixture
def init(folder: Path) -> Program:
    return Program(folder, {})


def tree(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses: it is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# ---- at a terminal --------------------------------------------------------------------------


def test_enter_to_all_questions_makes_a_project_that_works(folder: Path) -> None:
    with terminal(folder, "init", **BERLIN) as at:
        at.answer(f"{FOLDER} [.tg_pipeline]")
        at.answer(SERVER)
        at.answer(f"{ZONE} [Europe/Berlin]")
        at.expect("timezone: Europe/Berlin")
        assert tree(folder) == []
        at.answer(f"{WRITE} [Y/n]")
        at.expect("Written: tg_pipeline.yaml")
        at.expect("tg-pipeline import")
        assert at.end() == 0, at.seen
    assert tree(folder) == [".tg_pipeline", "tg_pipeline.yaml"]
    loaded = load(environ={}, folder=folder)
    assert loaded.settings.home == folder / ".tg_pipeline"
    assert loaded.settings.timezone == "Europe/Berlin"
    assert loaded.origins["home"] == str(folder / "tg_pipeline.yaml")


def test_the_zone_is_a_guess_and_may_be_left_open(folder: Path) -> None:
    with terminal(folder, "init", **BERLIN) as at:
        at.answer(FOLDER, "archive")
        at.answer(SERVER)
        at.answer(ZONE, "Europe/Berlim")
        at.expect("no time zone is called 'Europe/Berlim'")
        at.answer(ZONE, "none")
        at.answer(WRITE)
        assert at.end() == 0, at.seen
    assert load(environ={}, folder=folder).settings.timezone is None
    assert "# timezone: Europe/Berlin" in (folder / "tg_pipeline.yaml").read_text()


def test_a_computer_in_utc_tells_no_zone(folder: Path) -> None:
    with terminal(folder, "init", TZ="Etc/UTC") as at:
        at.answer(FOLDER)
        at.answer(SERVER)
        at.expect(f"{ZONE} [none]")


def test_a_server_is_tried_until_one_answers(folder: Path, guarded: str, closed_port: int) -> None:
    """Its password is asked for unseen, and is in no file but the one for it."""
    with terminal(folder, "init") as at:
        at.answer(FOLDER)
        at.answer(SERVER, "mysql://owner@db/x")
        at.answer_unseen(PASSWORD)
        at.expect("must begin with postgresql://")
        at.answer(SERVER, "postgresql://owner:x@nowhere.invalid/postgres")
        at.expect("failed to resolve host 'nowhere.invalid'")
        at.answer(SERVER, f"postgresql://owner:x@127.0.0.1:{closed_port}/postgres")
        at.expect("Connection refused")
        at.answer(SERVER, f"postgresql://owner@{guarded}/postgres")
        at.answer_unseen(PASSWORD, "wr/ong")
        at.expect("password authentication failed")
        at.answer(SERVER, f"postgresql://owner@{guarded}/postgres")
        at.answer_unseen(PASSWORD, "right")
        at.expect("PostgreSQL 15")
        at.answer(ZONE)
        at.expect("TG_PIPELINE_DATABASE_URL=postgresql://owner:********@")
        at.answer(WRITE)
        assert at.end() == 0, at.seen
    assert "right" not in at.seen
    assert "wr/ong" not in at.seen
    assert "right" not in (folder / "tg_pipeline.yaml").read_text()
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    settings = load(environ={}, folder=folder).settings
    assert settings.database_url == f"postgresql://owner:right@{guarded}/postgres"
    assert not settings.embedded


def test_git_is_told_what_not_to_commit(folder: Path, server_url: str) -> None:
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("*.log")
    with terminal(folder, "init", "--database-url", _with_secret(server_url)) as at:
        at.answer(FOLDER)
        at.answer(ZONE)
        at.expect("added to .gitignore:\n  .env\n  .tg_pipeline/")
        at.answer(WRITE)
        assert at.end() == 0, at.seen
    assert (folder / ".gitignore").read_text() == "*.log\n.env\n.tg_pipeline/\n"
    assert git(folder, "status", "--porcelain", "--untracked-files=all").split() == [
        "??", ".gitignore", "??", "tg_pipeline.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
@pytest.mark.parametrize("question", [FOLDER, ZONE, WRITE])
def test_who_leaves_leaves_nothing(folder: Path, key: str, question: str) -> None:
    with terminal(folder, "init") as at:
        for asked in (FOLDER, SERVER, ZONE, WRITE):
            if asked == question:
                break
            at.answer(asked)
        at.expect(question)
        at.press(key)
        at.expect("Nothing was written.")
        assert at.end() == 130
    assert "Traceback" not in at.seen
    assert tree(folder) == []


def test_nothing_is_replaced_unasked(folder: Path) -> None:
    (folder / "tg_pipeline.yaml").write_text("period: day\nhome: elsewhere\n")
    with terminal(folder, "init") as at:
        at.answer("Replace it? [y/N]")
        at.expect("Nothing was written.")
        assert at.end() == 130
    assert (folder / "tg_pipeline.yaml").read_text() == "period: day\nhome: elsewhere\n"
    with terminal(folder, "init") as at:
        at.answer("Replace it?", "y")
        for question in (FOLDER, SERVER, ZONE, WRITE):
            at.answer(question)
        assert at.end() == 0
    settings = load(environ={}, folder=folder).settings
    assert (settings.home, settings.period) == (folder / ".tg_pipeline", "day")


def test_a_folder_that_cannot_be_made_is_asked_for_again(folder: Path) -> None:
    (folder / "file").touch()
    with terminal(folder, "init") as at:
        at.answer(FOLDER, "file/below")
        at.expect("is not a folder")
        at.expect(FOLDER)


# ---- without a terminal ---------------------------------------------------------------------


def test_defaults_for_scripts(init: Program, folder: Path) -> None:
    """A zone is never assumed: taken wrongly, it spoils every hour."""
    outcome = Program(folder, BERLIN)("init", "--yes")
    assert outcome.code == 0, outcome.err
    assert "Written: tg_pipeline.yaml" in outcome.out
    settings = load(environ={}, folder=folder).settings
    assert (settings.home, settings.timezone) == (folder / ".tg_pipeline", None)
    shown = {one["name"]: one["origin"] for one in init("config", "show", "--json").json}
    assert shown["home"] == str(folder / "tg_pipeline.yaml")


def test_options_for_scripts(init: Program, folder: Path, server_url: str) -> None:
    words = ("--home", "ärchive: one", "--timezone", "Asia/Kolkata", "--database-url", server_url)
    outcome = init("init", "--yes", *words)
    assert outcome.code == 0, outcome.err
    settings = load(environ={}, folder=folder).settings
    assert settings.home == folder / "ärchive: one"
    assert settings.timezone == "Asia/Kolkata"
    assert settings.database_url == server_url
    assert not settings.embedded


def test_scripts_replace_only_with_force(init: Program, folder: Path) -> None:
    assert init("init", "--yes").code == 0
    before = (folder / "tg_pipeline.yaml").read_text()
    refused(
        init("init", "--yes", "--home", "b"), 1, "project.exists", "tg_pipeline.yaml", "--force"
    )
    assert (folder / "tg_pipeline.yaml").read_text() == before
    assert init("init", "--yes", "--home", "b", "--force").code == 0
    assert load(environ={}, folder=folder).settings.home == folder / "b"


def test_what_login_has_written_is_not_in_the_way_and_stays(init: Program, folder: Path) -> None:
    keep_api(folder, 12345, "0123456789abcdef0123456789abcdef")
    assert init("init", "--yes").code == 0
    assert init("init", "--yes", "--home", "b", "--force").code == 0
    settings = load(environ={}, folder=folder).settings
    assert (settings.home, settings.telegram_api_id) == (folder / "b", 12345)
    assert settings.telegram_api_hash is not None


def test_a_secret_keeps_what_else_is_in_its_file(
    init: Program, folder: Path, server_url: str
) -> None:
    (folder / ".env").write_text("OTHER=x  # kept\nTG_PIPELINE_DATABASE_URL=postgresql://old/x")
    url = _with_secret(server_url)
    refused(init("init", "--yes", "--database-url", url), 1, "project.exists", ".env")
    assert init("init", "--yes", "--force", "--database-url", url).code == 0
    text = (folder / ".env").read_text()
    assert text.startswith("OTHER=x  # kept\n")
    assert "old" not in text
    with psycopg.connect(load(environ={}, folder=folder).settings.database_url or ""):
        pass


def test_without_a_terminal_there_is_nobody_to_ask(init: Program, folder: Path) -> None:
    refused(init("init"), 2, "usage", "--yes")
    assert tree(folder) == []


def test_a_server_that_does_not_answer(init: Program, folder: Path, closed_port: int) -> None:
    url = f"postgresql://me:secret@127.0.0.1:{closed_port}/x"
    outcome = init("init", "--yes", "--database-url", url)
    refused(outcome, 75, "database.unreachable", "Connection refused")
    assert "secret" not in outcome.err
    url = "postgresql://me:s3cr%zz@127.0.0.1/x"
    outcome = init("init", "--yes", "--database-url", url)
    refused(outcome, 2, "setting.invalid", "%XX")
    assert "s3cr" not in outcome.err
    assert tree(folder) == []


@pytest.mark.skipif(not SYSTEM.is_dir(), reason=f"there is no {SYSTEM} to be refused by")
def test_a_place_that_may_not_be_written(init: Program, folder: Path) -> None:
    outcome = init("init", "--yes", "--home", SYSTEM / "archive")
    refused(outcome, 1, "folder.not_writable", str(SYSTEM))
    assert tree(folder) == []
    outcome = Program(SYSTEM, {})("init", "--yes", "--home", folder / "archive")
    refused(outcome, 1, "folder.not_writable", str(SYSTEM))


def test_what_outranks_the_file_is_told(folder: Path) -> None:
    outcome = Program(folder, {"TG_PIPELINE_HOME": "elsewhere"})("init", "--yes")
    assert outcome.code == 0
    assert "warning: home is set in environment too" in outcome.err


def _with_secret(url: str) -> str:
    """A server that asks for no password takes any, also one that files and shells would spoil."""
    password = quote("a$b${HOME}#'x\" ", safe="$")
    return f"{url}{'&' if '?' in url else '?'}password={password}"
