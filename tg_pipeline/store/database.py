"""The database: a given PostgreSQL or the embedded one, opened, checked and migrated.

Connections run in UTC with the search_path set to our schema. psycopg's errors leave here as
ours, so that callers see what happened and what to do.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self, TypeAlias

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import Connection, Engine

from tg_pipeline.errors import (
    DatabaseAccessDenied,
    DatabaseLost,
    DatabaseTooOld,
    DatabaseUnreachable,
    DiskFull,
    EmbeddedUnavailable,
    SettingInvalid,
    TgPipelineError,
)
from tg_pipeline.logs import MASK, get_logger, mask
from tg_pipeline.settings import Settings
from tg_pipeline.store import schema
from tg_pipeline.store.embedded import EmbeddedServer, acquire

OLDEST_VERSION = 15
EMBEDDED_DATABASE = "tg_pipeline"
LOCK = "tg_pipeline "
"""With this begin the names of all our locks."""
_CONNECT_SECONDS = 10
_LOCK_KEEPALIVE = (
    "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
    " -c idle_session_timeout=0"  # it has nothing to say for as long as the work takes
)
_NOT_CONNECTED = re.compile(
    r"connection failed|connection is bad|timeout expired|failed to resolve host"
)
_HINT = "Is the server running"
_DENIED = re.compile(r"authentication failed|no password supplied|FATAL:.*does not exist")

_Plain: TypeAlias = psycopg.Connection[Any]


def _tells_more(record: logging.LogRecord) -> bool:
    """A cursor that cannot be closed belongs to a lost connection, of which our error tells."""
    return record.getMessage() != "Error closing cursor"


logging.getLogger("sqlalchemy.pool.impl.QueuePool").addFilter(_tells_more)


class Database:
    """An open database. Close it, or use it as a context manager."""

    def __init__(self, url: str, schema_name: str, server: EmbeddedServer | None = None) -> None:
        self.url = url
        self.schema = schema_name
        self.server = server
        self._engine = _engine(url, schema_name)

    @property
    def described(self) -> str:
        """Which database this is, in one line, without secrets."""
        if self.server is not None:
            return f"embedded PostgreSQL in {self.server.folder}, schema {self.schema}"
        return f"{mask(self.url)}, schema {self.schema}"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on any error."""
        with self.surroundings(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read-only transaction that sees one state of the database throughout."""
        engine = self._engine.execution_options(isolation_level="REPEATABLE READ")
        with self.surroundings(), engine.begin() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield connection

    @contextmanager
    def alone(self, what: str) -> Iterator[Callable[[], None]]:
        """Let one process at a time, on any machine, do what is named, and wait for one's turn.

        The lock belongs to a connection of its own, so a crash frees it, and so does, after two
        minutes, a machine that has vanished. What is yielded makes sure that it still holds, and
        is to be called before anything that must not be done by two.

        Raises:
            DatabaseLost: the connection is gone, and the lock with it.
        """
        with (
            self._lock("pg_advisory_lock", what) as (connection, _),
            self._held(connection) as still,
        ):
            yield still

    @contextmanager
    def alone_at_once(self, what: str) -> Iterator[Callable[[], None] | None]:
        """The same without waiting: None where another process does it now."""
        with self._lock("pg_try_advisory_lock", what) as (connection, taken):
            if not taken:
                yield None
                return
            with self._held(connection) as still:
                yield still

    @contextmanager
    def _lock(self, function: LiteralString, what: str) -> Iterator[tuple[_Plain, object]]:
        with self.surroundings(), _connect(self.url, self.schema, _LOCK_KEEPALIVE) as connection:
            connection.autocommit = True
            query = sql.SQL("SELECT {}(hashtextextended(%s, 0))").format(sql.SQL(function))
            row = connection.execute(query, (f"{LOCK}{what}",)).fetchone()
            yield connection, row and row[0]

    @contextmanager
    def _held(self, connection: _Plain) -> Iterator[Callable[[], None]]:
        def still() -> None:
            with self.surroundings():
                connection.execute("SELECT 1")

        try:
            yield still
        except BaseException:
            with suppress(psycopg.Error):
                _free_locks(connection)
            raise
        with self.surroundings():
            _free_locks(connection)

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """Our own server, lost on a full disk, was lost to it: no process survives without WAL."""
        try:
            with database_errors(self.url):
                yield
        except (DatabaseLost, DatabaseUnreachable) as error:
            if self.server is not None and self.server.is_nearly_full():
                raise DiskFull(self.server.folder) from error
            raise

    def close(self) -> None:
        """Close all connections; the embedded server stops with its last user."""
        self._engine.dispose()
        if self.server is not None:
            self.server.close()
            self.server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _free_locks(connection: _Plain) -> None:
    """Now: once a connection is closed, the server takes its time to notice."""
    connection.execute("SELECT pg_advisory_unlock_all()")


def open_database(settings: Settings, *, migrate: bool = True) -> Database:
    """Open the configured database, starting the embedded one where none is given.

    Raises:
        DatabaseUnreachable, DatabaseAccessDenied, DatabaseTooOld, SchemaTooNew,
        EmbeddedUnavailable, EmbeddedStartFailed, SettingInvalid
    """
    database = _open(settings)
    try:
        _check_version(database)
        if migrate:
            with database.transaction() as connection:
                schema.upgrade(connection, database.schema)
    except BaseException:
        database.close()
        raise
    get_logger().info("database.opened", database=database.described)
    return database


def _open(settings: Settings) -> Database:
    if settings.database_url is not None:
        _refuse_unreadable(settings.database_url)
        return Database(settings.database_url, settings.database_schema)
    if not settings.embedded:
        raise EmbeddedUnavailable(
            "it is switched off by TG_PIPELINE_EMBEDDED and no server is named",
            remedy="Set TG_PIPELINE_DATABASE_URL.",
        )
    server = acquire(embedded_folder(settings))
    return Database(server.url(EMBEDDED_DATABASE), settings.database_schema, server)


def _refuse_unreadable(url: str) -> None:
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:  # its text may hold the password
        reason = "PostgreSQL cannot read this URL; write special characters of a password as %XX"
        raise SettingInvalid("database_url", MASK, "the settings", reason) from None


def embedded_folder(settings: Settings) -> Path:
    """Where the embedded server keeps its data."""
    return settings.home / "postgres"


def _engine(url: str, schema_name: str) -> Engine:
    def connect() -> _Plain:
        return _connect(url, schema_name)

    return sa.create_engine("postgresql+psycopg://", creator=connect, pool_pre_ping=False)


def _connect(url: str, schema_name: str, options: str = "") -> _Plain:
    return psycopg.connect(
        re.sub(r"^postgres(ql)?://", "postgresql://", url),
        connect_timeout=_CONNECT_SECONDS,
        options=f"-c search_path={schema_name} -c timezone=UTC {options}",
        application_name="tg_pipeline",
    )


def _check_version(database: Database) -> None:
    with database.transaction() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        if int(str(version).split(".")[0]) < OLDEST_VERSION:
            raise DatabaseTooOld(mask(database.url), str(version))


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Turn psycopg's and SQLAlchemy's errors into ours where the cause is the surroundings."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _translated(error.orig, url) or error from error
    except psycopg.Error as error:
        raise _translated(error, url) or error from error


def _translated(error: BaseException | None, url: str) -> TgPipelineError | None:
    if not isinstance(error, psycopg.Error):
        return None
    state, reason = error.sqlstate or "", _first_line(error)
    if isinstance(error, psycopg.errors.DiskFull) or "No space left" in reason:
        return DiskFull("the PostgreSQL data")
    if state.startswith("28") or state in {"3D000", "42501"} or _DENIED.search(str(error)):
        return DatabaseAccessDenied(mask(url), _reason(str(error)))
    if not isinstance(error, psycopg.OperationalError):
        return None
    if _NOT_CONNECTED.search(reason):
        return DatabaseUnreachable(mask(url), _reason(str(error)))
    return DatabaseLost(reason)


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error) or type(error).__name__).split("\n")[0]


def _reason(text: str) -> str:
    """The last telling line of a connection error, without its prefixes."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = [line for line in lines if not line.startswith(_HINT)][-1]
    return mask(line.split("FATAL:")[-1].strip())
