"""Bringing the tables to a revision, up or down."""

from tg_pipeline.settings import Settings
from tg_pipeline.store import schema
from tg_pipeline.store.database import open_database


def migrate(settings: Settings, revision: str = "head") -> str | None:
    """Bring the tables to `head`, `base` or a revision; the revision they are at then.

    Raises:
        SchemaTooNew: a newer version of tg_pipeline has been here.
    """
    with open_database(settings, migrate=False) as database, database.transaction() as connection:
        if revision == "base":
            schema.downgrade(connection, database.schema)
        else:
            schema.upgrade(connection, database.schema, revision)
        return schema.current_revision(connection, database.schema)
