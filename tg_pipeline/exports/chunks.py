"""From the driver's batches to published rows, in chunks of a fixed number of rows.

The chunk is the row group of Parquet and the unit of compression in JSONL. Because its size
depends on nothing but the rows, the same rows always give the same bytes.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute
import pyarrow.json

from tg_pipeline.contracts import ChatKey
from tg_pipeline.exports.columns import COLUMNS, SCHEMA, TEXT, Column

CHUNK_ROWS: Final = 5_000
Array: TypeAlias = "pa.Array[Any]"
pc: Any = pyarrow.compute  # its stubs know fewer combinations than it takes


def chunks(
    batches: Iterable[pa.RecordBatch], chat: ChatKey, rows: int = CHUNK_ROWS
) -> Iterator[pa.Table]:
    """Published rows, `rows` at a time."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        while held >= rows:
            table = pa.Table.from_batches(waiting)
            yield published(table.slice(0, rows), chat)
            waiting = table.slice(rows).to_batches()
            held -= rows
    if held:
        yield published(pa.Table.from_batches(waiting), chat)


def published(rows: pa.Table, chat: ChatKey) -> pa.Table:
    """Rows as the select list gives them, turned into rows of our schema."""
    columns = [
        _message_key(rows, chat) if column.sql is None else _value(rows, column)
        for column in COLUMNS
    ]
    return pa.table(columns, schema=SCHEMA)


def _value(rows: pa.Table, column: Column) -> Array:
    values = rows[column.name].combine_chunks()
    return _nested(values, column.type) if column.nested else values.cast(column.type)


def _message_key(rows: pa.Table, chat: ChatKey) -> Array:
    day = pc.cast(pc.cast(rows["date"].combine_chunks(), pa.date32()), TEXT)
    number = pc.cast(rows["id"].combine_chunks(), TEXT)
    keys: Array = pc.binary_join_element_wise(f"{chat}", day, number, ":")
    return keys


def _nested(texts: Array, kind: pa.DataType) -> Array:
    """Parse a column of JSON texts in one go: as lines, by Arrow's own reader."""
    if texts.null_count == len(texts):
        return nulls(len(texts), kind)
    lines = pc.binary_join_element_wise(
        '{"value":', texts, "}\n", "", null_handling="replace", null_replacement="null"
    )
    data = text_bytes(lines)
    stream: Any = pa.BufferReader(data)
    table = pyarrow.json.read_json(
        stream,
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=data.size + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema([pa.field("value", kind)]),
            unexpected_field_behavior="ignore",
        ),
    )
    return table["value"].combine_chunks()


def nulls(count: int, kind: pa.DataType) -> Array:
    """A column of nothing but nulls."""
    make: Any = pa.nulls
    column: Array = make(count, kind)
    return column


def text_bytes(texts: Array) -> pa.Buffer:
    """All texts of a column that has no nulls, one after another, without a copy."""
    _, offsets, data = texts.buffers()
    if not len(texts) or offsets is None or data is None:
        return pa.py_buffer(b"")
    bounds = memoryview(offsets).cast("i")
    first, last = bounds[texts.offset], bounds[texts.offset + len(texts)]
    return data.slice(first, last - first)
