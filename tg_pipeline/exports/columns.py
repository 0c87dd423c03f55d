"""What a published row is: every column once, with its type, its meaning and where it comes from.

Flat columns wherever a value is one value; nested only for true lists. The names never equal the
hive keys `chat` and `period`, which pyarrow and pandas would refuse.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from tg_pipeline.contracts import SCHEMA_VERSION
from tg_pipeline.store.windows import Window

DATASET: Final = "messages"
EXPORTER_VERSION: Final = "1"
"""Raise it whenever the same rows would give other files: everything is then written anew."""

Type = pa.DataType
INT64: Type = pa.int64()
INT32: Type = pa.int32()
TEXT: Type = pa.string()
FLAG: Type = pa.bool_()
TIME: Type = pa.timestamp("us", "UTC")


def _struct(**fields: Type) -> Type:
    return pa.struct([pa.field(name, kind) for name, kind in fields.items()])


ENTITY = _struct(
    type=TEXT,
    offset=INT64,
    length=INT64,
    url=TEXT,
    user_id=INT64,
    language=TEXT,
    document_id=TEXT,
    collapsed=FLAG,
)
ANSWER = _struct(text=TEXT, voters=INT64, chosen=FLAG)
POLL = _struct(question=TEXT, closed=FLAG, total_voters=INT64, answers=pa.list_(ANSWER))
REACTION = _struct(type=TEXT, emoji=TEXT, document_id=TEXT, count=INT64)


@dataclass(frozen=True, slots=True)
class Column:
    """A published column.

    `sql` is its expression over `messages m`, by default the column of that name; None where the
    exporter makes it. `repeats`: worth a Parquet dictionary. `json`: text that is a JSON value,
    written into JSONL as that value.
    """

    name: str
    type: Type
    doc: str
    sql: str | None = ""
    repeats: bool = False
    json: bool = False

    @property
    def nested(self) -> bool:
        """Whether the database sends JSON text that becomes a nested value."""
        return bool(pa.types.is_nested(self.type))

    @property
    def selected(self) -> str | None:
        """Its place in the select list."""
        return None if self.sql is None else f"{self.sql or f'm.{self.name}'} AS {self.name}"

    @property
    def field(self) -> "pa.Field[pa.DataType]":
        """Its Arrow field, with its meaning as metadata."""
        return pa.field(self.name, self.type, metadata={b"description": self.doc.encode()})


def _text(name: str, doc: str, sql: str = "") -> Column:
    return Column(name, TEXT, doc, sql)


def _label(name: str, doc: str, sql: str = "") -> Column:
    return Column(name, TEXT, doc, sql, repeats=True)


def _id(name: str, doc: str, sql: str = "") -> Column:
    return Column(name, INT64, doc, sql)


def _time(name: str, doc: str, sql: str = "") -> Column:
    return Column(name, TIME, doc, sql)


def _count(name: str, doc: str) -> Column:
    return Column(name, INT32, f"{doc}; null: not observed")


COLUMNS: Final[tuple[Column, ...]] = (
    Column("message_key", TEXT, "idempotency key: chat, UTC day and message id", sql=None),
    Column("entity_id", INT64, "marked peer id of the chat", repeats=True),
    Column("account_id", INT64, "whose numbering id is; 0 where the chat's own", repeats=True),
    _id("id", "message id; negative for history from before a group became a supergroup"),
    _time("date", "when it was sent"),
    _label("date_precision", "exact, zone_given (local time read with a given zone) or ambiguous"),
    _label("kind", "message, service or unsupported"),
    Column("sender_id", INT64, "marked peer id of the sender", repeats=True),
    _label("post_author", "signature of a channel post"),
    Column("via_bot_id", INT64, "bot that made the message", repeats=True),
    _text("text", "plain text; empty where there is none"),
    Column(
        "entities",
        pa.list_(ENTITY),
        "formatted stretches of text; offset and length count Unicode code points",
        "m.entities::text",
    ),
    _id("reply_to_id", "message this one answers"),
    _id("reply_to_entity_id", "its chat, where that is another one"),
    Column("thread_id", INT64, "forum topic or root of the comments", repeats=True),
    _id("grouped_id", "album"),
    Column(
        "forward_from_id",
        INT64,
        "marked peer id of the origin",
        "(m.forward->>'from_id')::bigint",
        repeats=True,
    ),
    _label("forward_from_name", "name of the origin, as shown", "m.forward->>'from_name'"),
    _id("forward_message_id", "id at the origin", "(m.forward->>'message_id')::bigint"),
    _time("forward_date", "when the origin was sent", "(m.forward->>'date')::timestamptz"),
    _time("edited_at", "last known edit of the content"),
    _time("deleted_at", "first complete observation without this message"),
    _label("action_type", "what a service message announces", "m.action->>'type'"),
    _text("action_title", "its title", "m.action->>'title'"),
    Column("action_fields", TEXT, "its own fields, JSON", "(m.action->'fields')::text", json=True),
    _label(
        "media_type", "kind of attachment, as Telegram Desktop names it", "m.media_meta->>'type'"
    ),
    _label("media_mime_type", "MIME type", "m.media_meta->>'mime_type'"),
    _text("media_file_name", "file name", "m.media_meta->>'file_name'"),
    _id("media_size", "bytes", "(m.media_meta->>'size')::bigint"),
    Column("media_width", INT32, "pixels", "(m.media_meta->>'width')::integer"),
    Column("media_height", INT32, "pixels", "(m.media_meta->>'height')::integer"),
    Column("media_duration", INT32, "seconds", "(m.media_meta->>'duration')::integer"),
    _text("media_remote_id", "the source's id of the file", "m.media_meta->>'remote_id'"),
    _text("media_path", "path in the export folder it came from", "m.media_meta->>'path'"),
    _label("media_missing_reason", "why there is no file", "m.media_meta->>'missing_reason'"),
    Column("poll", POLL, "poll with its answers; votes where known", "m.poll::text"),
    Column("reactions", pa.list_(REACTION), "reactions; null: not observed", "m.reactions::text"),
    _count("views", "views"),
    _count("forwards", "times forwarded"),
    _count("replies", "replies or comments"),
    _text(
        "content_hash",
        "SHA-256 of the content, 64 hex digits; null for unsupported messages",
        "encode(m.content_hash, 'hex')",
    ),
    _label("source", "source of the current version"),
    _time("observed_at", "best sighting of the current version"),
    _time("first_seen", "first sighting of the message"),
    _time("last_seen", "last sighting of the message"),
    Column("raw", TEXT, "the source's own record, JSON", "m.raw::text", json=True),
)
SELECT_LIST: Final = ",\n    ".join(column.selected for column in COLUMNS if column.selected)
SCHEMA: Final = pa.schema([column.field for column in COLUMNS])


def schema_of(window: Window, data_version: str) -> pa.Schema:
    """The schema with what a file says about itself."""
    facts = {
        "dataset": DATASET,
        "schema_version": SCHEMA_VERSION,
        "chat": str(window.chat),
        "period": f"{window.period}",
        "grain": window.grain,
        "data_version": data_version,
        "exporter_version": EXPORTER_VERSION,
    }
    return SCHEMA.with_metadata({f"tg_pipeline.{name}": value for name, value in facts.items()})


def field_docs() -> list[dict[str, str]]:
    """Name, type and meaning of every column, for the manifest."""
    return [{"name": c.name, "type": str(c.type), "description": c.doc} for c in COLUMNS]
