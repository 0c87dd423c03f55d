"""What a database holds, comparable with what another one holds."""

import sqlalchemy as sa

from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import exports, metadata

Contents = dict[str, list[str]]
_ROWS = "SELECT (to_jsonb(t) - 'loaded_at')::text FROM {table} t ORDER BY 1"


def contents(database: Database) -> Contents:
    """Every row of every table, but when it was loaded and what has been published."""
    with database.snapshot() as connection:
        return {
            table.name: list(connection.scalars(sa.text(_ROWS.format(table=table.name))))
            for table in metadata.sorted_tables
            if table is not exports
        }
