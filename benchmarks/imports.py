"""Import end to end, and what it is measured against: the same rows by other ways."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import psycopg
import psycopg.conninfo
import sqlalchemy as sa

from benchmarks.stage import Stage, Told, Watch
from tg_pipeline import flows
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import messages

PEER_MESSAGES: Final = 30_000
"""The slow peers get a part of the rows; their speed hardly depends on how many there are."""
_CHUNK = 1 << 17
_STATEMENT_ROWS = 1_000


def prepare(stage: Stage) -> None:
    """Fill the archive that stays, and keep its rows as a file for raw COPY."""
    with flows.open_archive(stage.settings) as archive:
        _import(archive, stage.export)
        with (
            stage.finished_rows.open("wb") as file,
            _psycopg(archive.database) as connection,
            connection.cursor().copy("COPY messages TO STDOUT (FORMAT binary)") as copy,
        ):
            for block in copy:
                file.write(block)


def raw_copy(stage: Stage) -> Told:
    """PostgreSQL's own bulk load of finished rows into an identical empty table: the limit."""
    watch = Watch()
    with _empty_table(stage) as database, _psycopg(database) as connection:
        cursor = connection.cursor()
        with watch.running(), stage.finished_rows.open("rb") as file:
            with cursor.copy("COPY messages FROM STDIN (FORMAT binary)") as copy:
                while block := file.read(_CHUNK):
                    copy.write(block)
            connection.commit()
        return Told(watch.seconds, cursor.rowcount)


def ours(stage: Stage) -> Told:
    """A file into an empty archive: scanned, parsed, validated, landed, loaded, merged."""
    with _dropped_afterwards(stage.fresh), flows.open_archive(stage.fresh) as archive:
        return _timed(archive, stage.export)


def again(stage: Stage) -> Told:
    """The very same file again."""
    with flows.open_archive(stage.settings) as archive:
        return _timed(archive, stage.export)


def known(stage: Stage) -> Told:
    """The same records in a file of other bytes: read, landed and merged, to no effect."""
    return _into_filled(stage, stage.respaced)


def later(stage: Stage) -> Told:
    """A later export of the same records: each message's `last_seen` moves."""
    return _into_filled(stage, stage.later)


def sqlalchemy(stage: Stage) -> Told:
    """The finished rows, 1,000 a statement, `on conflict do nothing`."""
    from sqlalchemy.dialects.postgresql import insert

    rows = _rows(stage)
    watch = Watch()
    with _empty_table(stage) as database, watch.running(), database.transaction() as connection:
        for at in range(0, len(rows), _STATEMENT_ROWS):
            chunk = rows[at : at + _STATEMENT_ROWS]
            connection.execute(insert(messages).on_conflict_do_nothing(), chunk)
    return Told(watch.seconds, len(rows))


def dlt(stage: Stage) -> Told:
    """The finished rows through dlt, merged by primary key; JSON stays JSON."""
    import dlt

    keys = ["entity_id", "account_id", "id"]
    rows = _rows(stage)
    with flows.open_archive(stage.settings) as archive:
        pipeline = dlt.pipeline(
            "benchmark",
            pipelines_dir=str(stage.folder / f"dlt_{stage.turn}"),
            destination=dlt.destinations.postgres(_credentials(archive.database)),
            dataset_name=f"dlt_{stage.turn}",
        )
        resource = dlt.resource(
            rows,
            name="messages",
            write_disposition="merge",
            primary_key=keys,
            max_table_nesting=0,
        )
        watch = Watch()
        with watch.running():
            pipeline.run(resource)
        return Told(watch.seconds, len(rows))


def _credentials(database: Database) -> str:
    """The server's address as dlt wants it: with a host and a password, used or not."""
    known = psycopg.conninfo.conninfo_to_dict(database.url)
    return (
        f"postgresql://{known['user']}:{known.get('password', 'none')}@localhost"
        f"/{known['dbname']}?host={known['host']}&port={known.get('port', 5432)}"
    )


def _timed(archive: flows.Archive, path: Path) -> Told:
    watch = Watch()
    with watch.running():
        read = _import(archive, path)
    return Told(watch.seconds, read)


def _import(archive: flows.Archive, path: Path) -> int:
    (report,) = flows.import_files(archive, [path])
    if report.error is not None:
        raise report.error
    return report.counts.read


def _into_filled(stage: Stage, path: Path) -> Told:
    """Import into an archive that holds the first export, and only that."""
    with _dropped_afterwards(stage.fresh), flows.open_archive(stage.fresh) as archive:
        _import(archive, stage.export)
        return _timed(archive, path)


def _rows(stage: Stage) -> list[dict[str, Any]]:
    with flows.open_archive(stage.settings) as archive, archive.database.snapshot() as connection:
        found = connection.execute(sa.select(messages).limit(PEER_MESSAGES))
        return [cast("dict[str, Any]", dict(row)) for row in found.mappings()]


@contextmanager
def _empty_table(stage: Stage) -> Iterator[Database]:
    with _dropped_afterwards(stage.fresh), flows.open_archive(stage.fresh) as archive:
        yield archive.database


@contextmanager
def _dropped_afterwards(settings: Settings) -> Iterator[None]:
    yield
    with flows.open_archive(settings) as archive, archive.database.transaction() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {settings.database_schema} CASCADE")
    shutil.rmtree(str(settings.landing_folder), ignore_errors=True)


@contextmanager
def _psycopg(database: Database) -> Iterator[psycopg.Connection[Any]]:
    options = f"-c search_path={database.schema} -c timezone=UTC"
    with psycopg.connect(database.url, options=options) as connection:
        yield connection


CONTESTANTS: Final[dict[str, Callable[[Stage], Told]]] = {
    one.__name__: one for one in (raw_copy, ours, again, known, later, sqlalchemy, dlt)
}
