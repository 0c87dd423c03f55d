"""Runs migrations on the connection that `tg_pipeline.store.schema` hands over."""

from alembic import context

from tg_pipeline.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table="alembic_version",
    version_table_schema=context.config.attributes["schema"],
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
