"""Queries by people, run as a role that may only SELECT.

A read-only transaction would not do: whoever may write can end it, and a superuser's COPY TO
PROGRAM ignores it. So the connection itself belongs to a role without rights.
"""

import os
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import Connection

from tg_pipeline.errors import DatabaseAccessDenied, QueryFailed, ReaderUnavailable
from tg_pipeline.files import make_folder, storage_errors
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import EMBEDDED_DATABASE, Database, database_errors

_MAY_READ_ALL = sa.text("""
SELECT coalesce(bool_and(has_table_privilege(:role, c.oid, 'SELECT')), true)
       AND has_schema_privilege(:role, :schema, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'v')
""")


@contextmanager
def reader(database: Database, settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection that can read our schema and change nothing.

    Raises:
        ReaderUnavailable: the configured user may not make the role.
    """
    url = _reader_url(database, settings)
    options = f"-c search_path={database.schema} -c timezone=UTC"
    with (
        database_errors(url),
        psycopg.connect(url, options=options, application_name="tg_pipeline sql") as connection,
    ):
        connection.read_only = True
        yield connection


def rows(connection: psycopg.Connection[Any], query: str) -> Generator[tuple[Any, ...], None, None]:
    """The column names, then every row, streamed. Close it before the connection.

    Raises:
        QueryFailed: PostgreSQL refused the query.
    """
    with connection.cursor() as cursor:
        try:
            stream = cursor.stream(query.encode())
            first = next(stream, None)
            if first is None:  # a stream without rows does not tell its columns either
                cursor.execute(query.encode())
                stream = iter(cursor) if cursor.description else iter(())
            yield tuple(column.name for column in cursor.description or ())
            if first is not None:
                yield first
            yield from stream
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise QueryFailed(error.diag.message_primary or str(error)) from error


def _reader_url(database: Database, settings: Settings) -> str:
    if settings.database_reader_url is not None:
        return settings.database_reader_url
    role = f"{database.schema}_reader"[:63]
    if database.server is not None:
        _ensure_role(database, role, password=None)
        return database.server.url(EMBEDDED_DATABASE, user=role)
    return _given_server_url(database, role, settings.home / "reader_password")


def _given_server_url(database: Database, role: str, file: Path) -> str:
    """A URL with the reader's password, which is kept in a file only its owner can read."""
    if not file.is_file():
        _write_password(file)
    password = file.read_text("ascii")
    url = psycopg.conninfo.make_conninfo(database.url, user=role, password=password)
    _ensure_role(database, role, password=None)
    try:
        with database_errors(url), psycopg.connect(url):
            return url
    except DatabaseAccessDenied:
        _ensure_role(database, role, password=password)
        return url


def _write_password(file: Path) -> None:
    make_folder(file.parent)
    with storage_errors(file.parent):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(32))


def _ensure_role(database: Database, role: str, password: str | None) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"tg_pipeline role {role}",)
        )
        _make_role(connection, role, password)
        schema = database.schema
        if not connection.scalar(_MAY_READ_ALL, {"role": role, "schema": schema}):
            for statement in (
                "GRANT USAGE ON SCHEMA {schema} TO {role}",
                "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
            ):
                _run(connection, statement, role=role, schema=schema)


def _make_role(connection: Connection, role: str, password: str | None) -> None:
    exists = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    try:
        with connection.begin_nested():
            if connection.scalar(exists, {"role": role}) is None:
                _run(connection, "CREATE ROLE {role} LOGIN", role=role)
            if password is not None:
                _run(connection, "ALTER ROLE {role} PASSWORD {password}", role=role, word=password)
    except sa.exc.ProgrammingError as error:
        user = connection.exec_driver_sql("SELECT current_user").scalar_one()
        raise ReaderUnavailable(str(user), role.removesuffix("_reader")) from error


def _run(
    connection: Connection, statement: str, *, role: str, schema: str = "", word: str = ""
) -> None:
    driver: Any = connection.connection.driver_connection
    composed = sql.SQL(statement).format(
        role=sql.Identifier(role), schema=sql.Identifier(schema or role), password=sql.Literal(word)
    )
    connection.exec_driver_sql(composed.as_string(driver).replace("%", "%%"))
