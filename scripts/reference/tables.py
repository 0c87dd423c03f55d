"""Every table and view."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from reference import markdown
from reference.markdown import code, table, words
from tg_pipeline.store.tables import metadata
from tg_pipeline.store.views import views

_DIALECT = PGDialect()
_ABOUT = """All of them are in one schema, `tg_pipeline` unless `TG_PIPELINE_DATABASE_SCHEMA` names
another. Times are UTC. `tg-pipeline sql` reads them as a role that can do nothing else; `raw` and
other `jsonb` columns are asked with `->` and `->>`. Columns called `rank` order sightings and say
nothing to people."""


def page() -> str:
    """Tables and views with their columns, keys and indexes."""
    parts = [part for one in metadata.tables.values() for part in _described(one)]
    seen = [part for one in views.tables.values() for part in _described(one)]
    return markdown.page("Tables", _ABOUT, *parts, "## Views", *seen)


def _described(one: sa.Table) -> Iterator[str]:
    level = "##" if one.metadata is metadata else "###"
    yield f"{level} {one.name}"
    yield str(one.info["doc"])
    yield table(("column", "type", "null", "meaning"), map(_row, one.columns))
    if keys := [column.name for column in one.primary_key]:
        yield f"Primary key: {_names(keys)}."
    for index in sorted(one.indexes, key=lambda index: str(index.name)):
        yield f"Index {code(index.name)}: {_names([column.name for column in index.columns])}."


def _row(column: "sa.Column[object]") -> list[str]:
    kind = column.type.compile(dialect=_DIALECT).lower()
    meaning = column.doc or column.comment or ""
    return [code(column.name), kind, "yes" if column.nullable else "", words(meaning)]


def _names(names: list[str]) -> str:
    return ", ".join(map(code, names))
