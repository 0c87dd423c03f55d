"""Reading a window: Arrow record batches straight from PostgreSQL's binary COPY.

One connection of its own, and for each window one repeatable-read transaction, so that the rows,
their count and the data version they are published under belong to the same state. The driver is
used below its DB-API face, which would load pandas and polars: 70 MB and seconds for nothing.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import adbc_driver_manager
import adbc_driver_postgresql
import psycopg.conninfo
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tg_pipeline.contracts.identity import numbers_its_own_messages
from tg_pipeline.errors import (
    DatabaseAccessDenied,
    DatabaseLost,
    DatabaseUnreachable,
    DiskFull,
    TgPipelineError,
)
from tg_pipeline.exports.columns import SELECT_LIST
from tg_pipeline.logs import mask
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Content, Window, content, days_of_window

BATCH_BYTES: Final = 4 * 1024 * 1024
_CONNECT_SECONDS = 10
_OPTIONS = {"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
_ROWS = "SELECT\n    {columns}\nFROM messages m\nWHERE {window}\nORDER BY m.id, m.account_id"
_COUNT = "SELECT count(*) AS rows FROM messages m WHERE {window}"


class Snapshot:
    """One state of the database, read window by window."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def content(self, window: Window) -> Content:
        """Rows and data version that `chat_days` tells."""
        return content(
            (row[0], row[1], row[2]) for row in self._all(_literal(days_of_window(window)))
        )

    def count(self, window: Window) -> int:
        """How many rows the table itself has."""
        return int(self._all(_COUNT.format(window=_condition(window)))[0][0])

    def batches(self, window: Window) -> Generator[pa.RecordBatch, None, None]:
        """The rows by id, as the select list types them; nested columns are still JSON text."""
        query = _ROWS.format(columns=SELECT_LIST, window=_condition(window))
        with _statement(self._connection, query) as statement:
            statement.set_options(**_OPTIONS)
            with adbc_errors():
                stream = _executed(statement)
            while (batch := _next(stream)) is not None:
                yield batch

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        with adbc_errors(), _statement(self._connection, query) as statement:
            columns = _executed(statement).read_all().to_pydict().values()
            return list(zip(*columns, strict=True))


class Reader:
    """A connection that hands out snapshots, one after another."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """A read-only transaction that sees one state throughout."""
        self._run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield Snapshot(self._connection)
        self._run("COMMIT")

    def _run(self, statement: str) -> None:
        with adbc_errors(), _statement(self._connection, statement) as prepared:
            prepared.execute_update()


@contextmanager
def open_reader(database: Database) -> Iterator[Reader]:
    """Connect to the same place as `database`.

    Raises:
        DatabaseUnreachable, DatabaseAccessDenied
    """
    conninfo = psycopg.conninfo.make_conninfo(
        database.url,
        connect_timeout=_CONNECT_SECONDS,
        options=f"-c search_path={database.schema} -c timezone=UTC",
        application_name="tg_pipeline export",
    )
    with adbc_errors(database.url):
        opened = adbc_driver_postgresql.connect(conninfo)
    with closing(opened):
        with adbc_errors(database.url):
            connection = adbc_driver_manager.AdbcConnection(opened)
        with closing(connection):
            yield Reader(connection)


@contextmanager
def _statement(connection: Any, query: str) -> Iterator[Any]:
    with closing(adbc_driver_manager.AdbcStatement(connection)) as statement:
        statement.set_sql_query(query)
        yield statement


def _executed(statement: Any) -> pa.RecordBatchReader:
    handle, _rows = statement.execute_query()
    return pa.RecordBatchReader.from_stream(handle)


@contextmanager
def adbc_errors(connecting_to: str | None = None) -> Iterator[None]:
    """Turn the driver's errors into ours where the cause is the surroundings."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        raise _translated(error, connecting_to) or error from error
    except (pa.ArrowException, OSError) as error:  # how a broken stream ends
        raise DatabaseLost(_first_line(error)) from error


def _translated(error: adbc_driver_manager.Error, url: str | None) -> TgPipelineError | None:
    state, reason = error.sqlstate or "", _first_line(error)
    if state == "53100" or "No space left" in reason:
        return DiskFull("the PostgreSQL data")
    if url is not None:
        denied = state.startswith("28") or "authentication failed" in reason
        return (DatabaseAccessDenied if denied else DatabaseUnreachable)(mask(url), reason)
    lost = state.startswith(("08", "57P")) or "connection" in reason
    return DatabaseLost(reason) if lost else None


def _first_line(error: BaseException) -> str:
    return mask(str(error).split("\n")[0])


def _next(stream: Any) -> pa.RecordBatch | None:
    with adbc_errors():
        try:
            batch: pa.RecordBatch = stream.read_next_batch()
        except StopIteration:
            return None
        return batch


def _literal(query: sa.Select[Any]) -> str:
    """A query of dates and numbers as text: COPY takes no parameters."""
    dialect: Any = postgresql.dialect
    named = dialect(paramstyle="named")  # as the default style doubles percent signs
    return str(query.compile(dialect=named, compile_kwargs={"literal_binds": True}))


def _condition(window: Window) -> str:
    """Which messages belong to a window, over `messages m`."""
    chat = window.chat
    own = numbers_its_own_messages(chat.entity_id)
    return " AND ".join(
        [
            f"m.entity_id = {chat.entity_id:d}",
            *([] if own else [f"m.account_id = {chat.account_id:d}"]),
            f"m.date >= '{window.start.isoformat()}'",
            f"m.date < '{window.end.isoformat()}'",
        ]
    )
