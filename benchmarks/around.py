"""What lies around the work: the first pass of a file, Dagster beside the flows, start-up."""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection

from benchmarks.stage import Stage, Told, Watch
from tg_pipeline import flows
from tg_pipeline.settings import Settings
from tg_pipeline.sources import desktop_json

WINDOWS: Final = 5
MANY_CHATS: Final = 1_000
_MANY = "many"
_COMMANDS: Final = (
    ("--help",),
    ("import", "--help"),
    ("config", "show"),
    ("status",),
    ("check", "--help"),
    ("sql", "SELECT 1"),
)


def sha256(stage: Stage) -> Told:
    """The file read once and hashed, and nothing else: the limit of a first pass."""
    watch = Watch()
    with watch.running(), stage.export.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return Told(watch.seconds, stage.export.stat().st_size)


def scan(stage: Stage) -> Told:
    """Our first pass: hash, newest time, count, encoding, kind of file."""
    watch = Watch()
    with watch.running():
        desktop_json.scan(desktop_json.Input(stage.export))
    return Told(watch.seconds, stage.export.stat().st_size)


def in_flows(stage: Stage) -> Told:
    """The chain of a month, month by month: verify, load, judge, publish."""
    settings = _own_exports(stage)
    watch = Watch()
    with flows.open_archive(settings) as archive:
        for window in flows.find_windows(archive)[: WINDOWS + 1]:
            began = watch.seconds
            with watch.running():
                flows.verify_windows(archive, [window])
                flows.load_windows(archive, [window])
                flows.check_windows(archive, [window])
                flows.publish_windows(archive, [window])
            if not began:
                watch.seconds = 0.000_001  # the first one loads libraries
    shutil.rmtree(str(settings.exports))
    return Told(watch.seconds, WINDOWS)


def in_dagster(stage: Stage) -> Told:
    """The same as runs of Dagster in one process, its events kept in PostgreSQL."""
    import dagster as dg

    from tg_pipeline.orchestration import build_definitions, partitions
    from tg_pipeline.orchestration.instance import prepare
    from tg_pipeline.orchestration.names import Names

    settings = _own_exports(stage)
    os.environ["TG_PIPELINE_HOME"] = str(settings.home)
    logging.disable(logging.WARNING)  # its debug lines would cost more than they tell
    watch = Watch()
    with (
        warnings.catch_warnings(action="ignore"),
        flows.open_archive(settings) as archive,
        dg.DagsterInstance.from_config(str(prepare(settings))) as instance,
    ):
        partitions.register(instance, Names(), flows.known_chats(archive))
        job = build_definitions(settings).resolve_implicit_global_asset_job_def()
        for number, window in enumerate(flows.find_windows(archive)[: WINDOWS + 1]):
            key = f"{window.chat}|{window.period}"
            with watch.running():
                job.execute_in_process(instance=instance, partition_key=key)
            if not number:
                watch.seconds = 0.0  # the first one loads libraries
    shutil.rmtree(str(settings.exports))
    return Told(watch.seconds, WINDOWS)


def _own_exports(stage: Stage) -> Settings:
    return stage.settings.model_copy(update={"exports": stage.folder / f"exports_{stage.turn}"})


def make_many_chats(stage: Stage) -> Settings:
    """An archive of a thousand followed chats of three years each, as rows only."""
    settings = Settings(home=stage.home, database_schema=_MANY, landing=stage.folder / _MANY)
    now = datetime.now(UTC)
    with flows.open_archive(settings) as archive, archive.database.transaction() as connection:
        connection.exec_driver_sql(
            """INSERT INTO chats (entity_id, account_id, type, title, first_seen, last_seen, rank)
            SELECT -1000000000000 - n, 0, 'supergroup', 'Chat ' || n, %(now)s, %(now)s, ''
            FROM generate_series(1, %(chats)s) n""",
            {"now": now, "chats": MANY_CHATS},
        )
        connection.exec_driver_sql(
            """INSERT INTO chat_days (entity_id, account_id, day, rows, service, hashed, digest)
            SELECT -1000000000000 - n, 0, date '2023-01-01' + d, 10, 0, 10, n + d
            FROM generate_series(1, %(chats)s) n, generate_series(0, 1094) d""",
            {"chats": MANY_CHATS},
        )
        _follow_them(connection, now)
        connection.exec_driver_sql("ANALYZE")
    return settings


def _follow_them(connection: Connection, now: datetime) -> None:
    """All of them are read by one account, and every tenth has a hole and a verdict against it."""
    known = {"now": now, "chats": MANY_CHATS}
    for statement in (
        """INSERT INTO accounts (account, user_id, state, state_since)
        VALUES ('main', 1, 'active', %(now)s)""",
        """INSERT INTO followed_chats (entity_id, account_id, account, type, title, added_at)
        SELECT -1000000000000 - n, 0, 'main', 'supergroup', 'Chat ' || n, %(now)s
        FROM generate_series(1, %(chats)s) n""",
        """INSERT INTO checkpoints (entity_id, account_id, top_id, fetched_at)
        SELECT -1000000000000 - n, 0, 12000, %(now)s FROM generate_series(1, %(chats)s) n""",
        """INSERT INTO fetched_ranges (entity_id, account_id, low, high)
        SELECT -1000000000000 - n, 0, low, low + 5999 - (n %% 10 = 0)::int
        FROM generate_series(1, %(chats)s) n, unnest(ARRAY[1, 6001]) low""",
        """INSERT INTO quality_results
            (entity_id, account_id, day, rule, rule_set, rows, digest, outcome, findings,
             examples, judged_at)
        SELECT entity_id, account_id, day, 'rising_ids', '1', rows, digest,
               CASE WHEN entity_id %% 10 = 0 AND extract(day FROM day) = 1
                    THEN 'failed' ELSE 'passed' END, 1, '[]', %(now)s
        FROM chat_days""",
    ):
        connection.exec_driver_sql(statement, known)


def starts(settings: Settings) -> Iterator[tuple[str, Callable[[], Told]]]:
    """Whole commands, from `exec` to their end; the server runs already."""
    with _environment(settings):
        yield "python -c pass", partial(_command, [sys.executable, "-c", "pass"])
        program = Path(sys.executable).with_name("tg-pipeline")
        for words in _COMMANDS:
            name = f"tg-pipeline {' '.join(words)}"
            yield name, partial(_command, [str(program), *words])


def _command(words: list[str]) -> Told:
    watch = Watch()
    with watch.running():
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words
    return Told(watch.seconds, 1)


@contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    os.environ |= {
        "TG_PIPELINE_HOME": str(settings.home),
        "TG_PIPELINE_DATABASE_SCHEMA": settings.database_schema,
        "TG_PIPELINE_LANDING": str(settings.landing_folder),
    }
    yield


CONTESTANTS: Final[dict[str, Callable[[Stage], Told]]] = {
    one.__name__: one for one in (sha256, scan, in_flows, in_dagster)
}
