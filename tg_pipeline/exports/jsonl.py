"""Arrow columns as JSON lines, column by column instead of row by row.

Each column becomes a column of JSON texts by Arrow's vector functions; the lines are those
columns joined. It is some twenty times as fast as making Python objects of every row.
"""

from typing import Any

import pyarrow as pa

from tg_pipeline.exports.chunks import Array, nulls, pc, text_bytes
from tg_pipeline.exports.columns import COLUMNS, TEXT

_NAIVE = pa.timestamp("us")
_SPECIAL = '["\\\\\x00-\x1f]'
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_RARE = {chr(code): f"\\u{code:04x}" for code in range(32) if chr(code) not in _ESCAPES}


def encode(rows: pa.Table) -> pa.Buffer:
    """One JSON object per line, columns in their order, nulls included, times in UTC with Z."""
    pieces: list[Any] = []
    constant = "{"  # joining costs by the piece, so what is the same in all rows is one
    for number, column in enumerate(COLUMNS):
        values = rows[column.name].combine_chunks()
        constant += f'{"," if number else ""}"{column.name}":'
        if values.null_count == len(values):
            constant += "null"
        else:
            pieces += [constant, values if column.json else _json(values)]
            constant = ""
    return text_bytes(_joined(*pieces, f"{constant}}}\n", missing="replace"))


def _json(values: Array) -> Array:
    """Each value as JSON text; null stays null."""
    kind = values.type
    if values.null_count == len(values):
        return nulls(len(values), TEXT)
    if pa.types.is_string(kind):
        return _joined('"', _escaped(values), '"')
    if pa.types.is_timestamp(kind):
        return _joined('"', _iso(values), '"')
    if pa.types.is_list(kind):
        return _array(values)
    if pa.types.is_struct(kind):
        return _object(values)
    texts: Array = pc.cast(values, TEXT)
    return texts


def _escaped(texts: Array) -> Array:
    if not pc.any(pc.match_substring_regex(texts, _SPECIAL)).as_py():
        return texts
    for plain, escape in _ESCAPES.items():
        texts = pc.replace_substring(texts, plain, escape)
    if pc.any(pc.match_substring_regex(texts, "[\x00-\x1f]")).as_py():
        for plain, escape in _RARE.items():
            texts = pc.replace_substring(texts, plain, escape)
    return texts


def _iso(times: Array) -> Array:
    """ISO 8601 with Z. Times repeat, so only distinct ones are written out."""
    distinct: Any = times.dictionary_encode()
    texts = pc.cast(pc.cast(distinct.dictionary, _NAIVE), TEXT)
    texts = pc.replace_substring(texts, " ", "T")
    texts = pc.replace_substring(texts, ".000000", "")
    written: Array = pc.take(_joined(texts, "Z"), distinct.indices)
    return written


def _array(lists: Any) -> Array:
    items = pc.fill_null(_json(lists.flatten()), "null")
    ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(lists), 0))
    offsets: Any = pa.concat_arrays([pa.array([0], ends.type), ends])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, items), ",")
    return _unless_null(lists, _joined("[", joined, "]"))


def _object(structs: Any) -> Array:
    pieces: list[Any] = []
    for field, values in zip(structs.type, structs.flatten(), strict=True):
        pieces += [f'{"," if pieces else "{"}"{field.name}":', _json(values)]
    return _unless_null(structs, _joined(*pieces, "}", missing="replace"))


def _unless_null(values: Array, texts: Array) -> Array:
    chosen: Array = pc.if_else(pc.is_null(values), pa.scalar(None, TEXT), texts)
    return chosen


def _joined(*pieces: Any, missing: str = "emit_null") -> Array:
    texts: Array = pc.binary_join_element_wise(
        *pieces, "", null_handling=missing, null_replacement="null"
    )
    return texts
