"""Every real export file we have, imported alone and together: what the archive holds of it."""

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows import Archive, FileReport, ImportOptions, import_files, refresh
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database, open_database
from tg_pipeline_tests.cli.running import Program, ended
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.state import archived

ZONE = ImportOptions(timezone="Europe/Berlin")


@dataclass(frozen=True)
class Expected:
    """What becomes of a file; `old` ones have local times only."""

    chats: str
    stored: int
    quarantined: dict[str, int] = field(default_factory=dict)
    old: bool = False


MANAGER = "frozenspider__chat-history-manager__telegram_"
PARSER = "innerdvations__telegram-chat-parser__"
CONVERTER = "leonaffi-byte__telegram-conversation-exporter__"
NEWS = "Trafalgardi__game-news-aggregator__"
HYPER_NEWS = NEWS + "hyper_news_result.json"
SUPERGROUP = "-1000123123123"
PRIVATE = "11111111_123123123"
GROUP = "11111111_-123123123"
SAVED = "5705032703_5705032703"
WITHOUT_DATE = {"unsupported_without_date": 1}
EXPECTED = {
    "Loganavter__Tkonverter__example-group.json": Expected("-20001", 44, WITHOUT_DATE),
    "Loganavter__Tkonverter__example-personal.json": Expected("777000_10001", 86, WITHOUT_DATE),
    NEWS + "fixture.json": Expected("-8144546451793598", 1, old=True),
    HYPER_NEWS: Expected("-1001613744721", 373),
    "c137req__ptv__full-account.json": Expected("-5221937177976312 -8348176671896661", 3, old=True),
    MANAGER + "2020-01.json": Expected(
        "11111111_-8123123123 11111111_5482810481 11111111_26045049 11111111_5038366037",
        50,
        old=True,
    ),
    MANAGER + "2021-05.json": Expected(GROUP, 3, old=True),
    MANAGER + "2021-06_supergroup.json": Expected("-1001234567890", 4, old=True),
    MANAGER + "2021-07.json": Expected(GROUP, 2, old=True),
    MANAGER + "2023-01.json": Expected(GROUP, 6),
    MANAGER + "2023-08.json": Expected(SUPERGROUP, 2),
    MANAGER + "2023-10_audio-video.json": Expected(SUPERGROUP, 4),
    MANAGER + "2023-11.json": Expected(PRIVATE, 1),
    MANAGER + "2024-01.json": Expected(PRIVATE, 2),
    MANAGER + "2024-01_inline-bot-buttons.json": Expected(PRIVATE, 5),
    MANAGER + "2024-02_create-channel_saved-from.json": Expected(SUPERGROUP, 2),
    MANAGER + "2024-05_boosts_file-name_etc.json": Expected(SUPERGROUP, 3),
    MANAGER + "2024-06_blockquote-collapsed.json": Expected(SUPERGROUP, 1),
    MANAGER + "2024-08.json": Expected(SUPERGROUP, 4),
    MANAGER + "2025-02_joined_file-size.json": Expected(PRIVATE, 2),
    MANAGER + "2025-03_service-photo-size.json": Expected(PRIVATE, 2),
    MANAGER + "2025-12.json": Expected(f"{GROUP} -1000123456789", 6),
    PARSER + "bot.json": Expected("4593921592_5705032703", 2, old=True),
    PARSER + "error-unexpected.json": Expected(
        SAVED, 13, {"unknown_type": 1, "invalid_record": 1, "missing_id": 1}, old=True
    ),
    PARSER + "personal.json": Expected("5555555555", 0),
    PARSER + "private_channel.json": Expected("-1001447061072", 7, old=True),
    PARSER + "private_group.json": Expected("-1410065407", 2, old=True),
    PARSER + "public_channel.json": Expected("-1035854509852", 7, old=True),
    PARSER + "public_supergroup.json": Expected("-1001298954296", 4, old=True),
    PARSER + "saved.json": Expected(SAVED, 21, old=True),
    PARSER + "users_test.json": Expected("1_1", 9, old=True),
    "joweich__chat-miner__full-account-batch.json": Expected(
        "-8581648747023247", 0, {"missing_id": 2}
    ),
    "joweich__chat-miner__single.json": Expected("-7846574083590821", 0, {"missing_id": 2}),
    "la-ninpre__tg2md__result.json": Expected("-1001292077344", 19, old=True),
    CONVERTER + "full-account.json": Expected("-7349920808389199 -5607710270197177", 2),
    CONVERTER + "media_chat.json": Expected("-8668447575783574", 6),
    CONVERTER + "replies.json": Expected("-8248134169126899", 3),
    "vorot93__telegram-export-sqlite__json_export.json": Expected("-123456", 4),
    "vorot93__telegram-export-sqlite__voice_export.json": Expected("12345_42", 1),
}
REFUSED = {PARSER + "error.json": "input.invalid_json"}


def alone(archive: Archive, path: Path, options: ImportOptions = ZONE) -> FileReport:
    (report,) = import_files(archive, [path], options)
    return report


def stored(database: Database) -> tuple[int, dict[str, int]]:
    """Messages, and records in quarantine by reason."""
    with database.snapshot() as connection:
        messages = connection.scalar(sa.text("SELECT count(*) FROM messages"))
        rows = connection.execute(
            sa.text("SELECT reason, count(*) FROM quarantine GROUP BY reason")
        )
        return int(messages or 0), dict(map(tuple, rows))


def test_the_table_speaks_of_every_file(real_files: Path) -> None:
    assert {path.name for path in real_files.glob("*.json")} == EXPECTED.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_alone(name: str, archive: Archive, real_files: Path) -> None:
    expected = EXPECTED[name]
    if expected.old:
        refused = alone(archive, real_files / name, ImportOptions())
        assert refused.error is not None
        assert refused.error.code == "input.timezone_required"
        assert archive.zone.chats() == []
    report = alone(archive, real_files / name, ZONE if expected.old else ImportOptions())
    assert (report.outcome.value, report.error, report.repaired) == ("imported", None, 0)
    assert " ".join(report.chats) == expected.chats
    assert stored(archive.database) == (expected.stored, expected.quarantined)
    counts = report.counts
    assert counts.read == expected.stored + sum(expected.quarantined.values())
    assert (counts.new, counts.updated, counts.unchanged) == (expected.stored, 0, 0)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_file_leaves_nothing(name: str, archive: Archive, real_files: Path) -> None:
    report = alone(archive, real_files / name)
    assert report.error is not None
    assert (report.outcome.value, report.error.code) == ("refused", REFUSED[name])
    assert report.counts.read == 0
    assert not any(archived(archive.database).values())
    assert not [path for path in archive.zone.folder.rglob("*") if path.suffix == ".json"]


def test_parquet_of_a_real_channel_is_what_its_file_says(
    archive: Archive, real_files: Path
) -> None:
    alone(archive, real_files / HYPER_NEWS)
    refresh(archive)
    source = json.loads((real_files / HYPER_NEWS).read_bytes())["messages"]
    expected = [
        (
            one["id"],
            int(one["date_unixtime"]),
            "".join(part["text"] for part in one["text_entities"]),
        )
        for one in source
    ]
    assert len(expected) == 373
    files = str(archive.exports / "messages" / "parquet" / "**" / "*.parquet")
    found = duckdb.execute(
        f"SELECT id, epoch(date)::bigint, text FROM read_parquet('{files}') ORDER BY id"
    ).fetchall()
    assert found == sorted(expected)


# ---- all of them together -------------------------------------------------------------------


def paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def test_together_twice_and_in_reversed_order(new_archive: NewArchive, real_files: Path) -> None:
    archive, other = new_archive(), new_archive()
    first = list(import_files(archive, paths(real_files), ZONE))
    assert {one.path.name: one.outcome.value for one in first} == {
        **dict.fromkeys(EXPECTED, "imported"),
        **dict.fromkeys(REFUSED, "refused"),
    }
    once = archived(archive.database)
    again = list(import_files(archive, paths(real_files), ZONE))
    for before, now in zip(first, again, strict=True):
        if now.error is None:
            assert now.outcome.value == "unchanged"
            assert (now.counts.new, now.counts.updated) == (0, 0)
            assert now.counts.read == before.counts.read
            assert now.chats == before.chats
    assert archived(archive.database) == once
    list(import_files(other, list(reversed(paths(real_files))), ZONE))
    assert archived(other.database) == once
    assert once["chat_days"]


@pytest.fixture
def together(new_archive: NewArchive, real_files: Path) -> object:
    """What the tables hold after one import of all files."""
    archive = new_archive()
    list(import_files(archive, paths(real_files), ZONE))
    return archived(archive.database)


@pytest.mark.parametrize("server", ["given", "embedded"])
def test_two_processes_at_once(
    server: str, together: object, server_url: str, real_files: Path, tmp_path: Path
) -> None:
    home, schema = tmp_path / "home", f"test_{uuid.uuid4().hex[:12]}"
    environment = {"TG_PIPELINE_HOME": str(home), "TG_PIPELINE_TIMEZONE": "Europe/Berlin"}
    if server == "given":
        environment |= {
            "TG_PIPELINE_DATABASE_URL": server_url,
            "TG_PIPELINE_DATABASE_SCHEMA": schema,
        }
    program = Program(tmp_path, environment)
    forwards, backwards = paths(real_files), list(reversed(paths(real_files)))
    running = [
        program.start("import", "--json", *files, "--no-export") for files in (forwards, backwards)
    ]
    for outcome in [ended(process) for process in running]:
        assert outcome.code == 1, outcome.err
        found = {Path(one["path"]).name: one["outcome"] for one in outcome.json}
        assert [name for name, what in found.items() if what == "refused"] == list(REFUSED)
    settings = Settings(
        home=home,
        database_url=server_url if server == "given" else None,
        database_schema=schema if server == "given" else "tg_pipeline",
    )
    with open_database(settings) as database:
        assert archived(database) == together
        if server == "given":
            with database.transaction() as connection:
                connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')
    assert any((home / "landing").iterdir())


def test_chats_that_are_fed_by_several_files_are_one(archive: Archive, real_files: Path) -> None:
    list(import_files(archive, paths(real_files), ZONE))
    with archive.database.snapshot() as connection:
        rows = connection.execute(sa.text("SELECT entity_id, account_id FROM chats")).all()
    named = {key for one in EXPECTED.values() for key in one.chats.split()}
    assert {str(ChatKey(entity, account)) for entity, account in rows} == named
