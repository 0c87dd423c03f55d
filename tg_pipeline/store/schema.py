"""Our tables' migrations: Alembic, run on a connection of ours, in the schema of the user's choice.

Concurrent processes migrate one after another; a database that a newer version has migrated is
refused, never touched. Alembic is loaded only where there is something to migrate: it takes
longer than a whole `status`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.errors import SchemaTooNew, UsageError
from tg_pipeline.store.tables import HEAD, metadata

if TYPE_CHECKING:
    from alembic.config import Config

_PACKAGED = Path(__file__).parent / "migrations"
_CHECKOUT = Path(__file__).parents[2] / "alembic"


def upgrade(connection: Connection, schema: str, revision: str = "head") -> None:
    """Bring the tables up to `revision`, making the schema if it is missing.

    Raises:
        SchemaTooNew: a newer version of tg_pipeline has been here.
        UsageError: there is no such revision.
    """
    _lock(connection, schema)
    current = current_revision(connection, schema)
    if revision == "head" and current == HEAD:
        return
    from alembic import command

    config = _config(connection, schema)
    _check_revisions(config, current, revision)
    exists = sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :schema")
    if connection.execute(exists, {"schema": schema}).first() is None:
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    command.upgrade(config, revision)


def downgrade(connection: Connection, schema: str, revision: str = "base") -> None:
    """Take the tables down to `revision`; `base` removes them all.

    Raises:
        SchemaTooNew: a newer version of tg_pipeline has been here.
        UsageError: there is no such revision.
    """
    from alembic import command

    _lock(connection, schema)
    config = _config(connection, schema)
    _check_revisions(config, current_revision(connection, schema), revision)
    command.downgrade(config, revision)


def current_revision(connection: Connection, schema: str) -> str | None:
    """The revision the tables are at; None for an empty schema."""
    if not sa.inspect(connection).has_table("alembic_version", schema=schema):
        return None
    query = f'SELECT version_num FROM "{schema}".alembic_version'  # noqa: S608 - validated name
    found: str | None = connection.exec_driver_sql(query).scalar_one_or_none()
    return found


def differences(connection: Connection) -> list[object]:
    """What separates the migrated tables from `tables.py`; empty when they are equal."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "include_name": lambda name, kind, _parents: (
                not (kind == "table" and name == "alembic_version")
            ),
        },
    )
    return list(compare_metadata(context, metadata))


def _check_revisions(config: "Config", current: str | None, wanted: str) -> None:
    """Refuse revisions that we do not know."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNew(current)
    if wanted not in {"head", "base", *known}:
        raise UsageError(
            f"there is no revision {wanted} of the tables",
            remedy=f"Name head, base or one of {', '.join(sorted(known))}.",
        )


def _config(connection: Connection, schema: str) -> "Config":
    from alembic.config import Config

    config = Config()
    folder = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes.update(connection=connection, schema=schema)
    return config


def _lock(connection: Connection, schema: str) -> None:
    """Hold all other migrations of this schema back until the transaction ends."""
    connection.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"tg_pipeline migrate {schema}"},
    )
