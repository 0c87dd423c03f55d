"""The database, and what is asked of it."""

from pathlib import Path

from tg_pipeline.errors.base import Fatal, Transient


class DatabaseUnreachable(Transient):
    """No PostgreSQL answers at the configured place."""

    code = "database.unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no PostgreSQL answers at {url}: {reason}",
            remedy="Check TG_PIPELINE_DATABASE_URL and that the server runs, then try again.",
        )


class DatabaseLost(Transient):
    """The connection broke in mid-work; everything committed before is kept."""

    code = "database.lost"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the connection to PostgreSQL broke: {reason}",
            remedy="Run the same command again: it continues where it stopped.",
        )


class LoaderLost(Transient):
    """The process that loads batches was ended from outside; what is landed is kept."""

    code = "import.loader_lost"

    def __init__(self, exit_code: int) -> None:
        how = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        super().__init__(
            f"the process that loads batches into PostgreSQL has ended: {how}",
            remedy="Run the same command again: it continues where it stopped. If it was the"
            " system for want of memory, give it more, or let less run beside it.",
        )


class DatabaseAccessDenied(Fatal):
    """Wrong password, unknown user or database, or missing rights."""

    code = "database.access_denied"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"PostgreSQL at {url} refused access: {reason}",
            remedy="Check user, password and database in TG_PIPELINE_DATABASE_URL.",
        )


class DatabaseTooOld(Fatal):
    """The server is older than PostgreSQL 15."""

    code = "database.too_old"

    def __init__(self, url: str, version: str) -> None:
        super().__init__(
            f"PostgreSQL at {url} is version {version}; 15 or newer is needed",
            remedy="Upgrade the server, or unset TG_PIPELINE_DATABASE_URL to use the embedded one.",
        )


class SchemaTooNew(Fatal):
    """The tables were made by a newer version of tg_pipeline."""

    code = "database.schema_too_new"

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision {revision}, which this version does not know",
            remedy="Upgrade tg-pipeline; an older version must not write to newer tables.",
        )
        self.revision = revision


class EmbeddedUnavailable(Fatal):
    """The embedded PostgreSQL cannot be used on this machine or is switched off."""

    code = "database.embedded_unavailable"

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(f"the embedded PostgreSQL cannot be used: {reason}", remedy=remedy)


class EmbeddedStartFailed(Fatal):
    """The embedded PostgreSQL did not start."""

    code = "database.embedded_start_failed"

    def __init__(self, folder: Path, reason: str, log: Path) -> None:
        super().__init__(
            f"the embedded PostgreSQL in {folder} did not start: {reason}",
            remedy=f"Its log is {log}.",
        )
        self.log = log


class DagsterDatabaseMissing(Fatal):
    """The archive lies on a given server, and nobody said where Dagster may keep its tables."""

    code = "database.dagster_missing"

    def __init__(self) -> None:
        super().__init__(
            "no database is named for Dagster's own tables",
            remedy="Create one, for example with `createdb dagster`, and set "
            "TG_PIPELINE_DAGSTER_DATABASE_URL to it.",
        )


class DagsterDatabaseUnreachable(Transient):
    """No connection to the database that Dagster's tables lie in."""

    code = "database.dagster_unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no connection to Dagster's database at {url}: {reason}",
            remedy="Check TG_PIPELINE_DAGSTER_DATABASE_URL and that the server runs, "
            "then try again.",
        )


class QueryFailed(Fatal):
    """A query given by the user was refused by PostgreSQL."""

    code = "sql.failed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL refused the query: {reason}",
            remedy="`tg-pipeline sql` may only read; \\d-like help: "
            "SELECT table_name FROM information_schema.tables.",
        )


class ReaderUnavailable(Fatal):
    """The read-only role cannot be made by the configured user."""

    code = "sql.reader_unavailable"

    def __init__(self, user: str, schema: str) -> None:
        super().__init__(
            f"database user {user} may not create the read-only role that `sql` needs",
            remedy="Let an administrator create a login role with USAGE on schema "
            f"{schema} and SELECT on its tables, and name it in TG_PIPELINE_DATABASE_READER_URL.",
        )
