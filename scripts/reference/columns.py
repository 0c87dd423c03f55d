"""Every published column."""

from collections.abc import Iterator

import pyarrow as pa

from reference import markdown
from reference.markdown import code, table, words
from tg_pipeline.exports.columns import COLUMNS, Column

_ABOUT = """The same in Parquet and in JSONL. Null means *not observed*; 0 and an empty list mean
*none*. All times are UTC."""


def page() -> str:
    """Columns, then what lists and structures are made of."""
    rows = ((code(one.name), _kind(one), words(one.doc)) for one in COLUMNS)
    nested = [part for one in COLUMNS if one.nested for part in _described(one)]
    columns = table(("column", "type", "meaning"), rows)
    return markdown.page("Published columns", _ABOUT, columns, *nested)


def _described(column: Column) -> Iterator[str]:
    yield f"## {column.name}"
    yield table(("field", "type"), _fields(column.type))


def _fields(kind: pa.DataType, above: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(kind, pa.ListType):
        yield from _fields(kind.value_type, above)
    elif isinstance(kind, pa.StructType):
        for field in kind:
            yield code(above + field.name), _name(field.type)
            yield from _fields(field.type, f"{above}{field.name}[].")


def _kind(column: Column) -> str:
    name = _name(column.type)
    if column.nested:
        return f"[{name}](#{column.name})"
    return f"{name}; in JSONL the value itself" if column.json else name


def _name(kind: pa.DataType) -> str:
    if isinstance(kind, pa.ListType):
        return f"list of {_name(kind.value_type)}"
    return "struct" if isinstance(kind, pa.StructType) else str(kind)
