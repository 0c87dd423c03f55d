"""The tables, as the migrations make them (a check in CI holds the two equal).

They carry no schema: every connection sets its search_path to the schema of the user's choice. Each
column says what it means in `doc`, or in `comment` where the database keeps that too.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
HEAD = "0002"
"""The newest migration; a test holds it equal to Alembic's own answer."""
UtcTime = DateTime(timezone=True)


def _id_key(name: str, doc: str) -> Column[int]:
    """A Telegram id that belongs to the primary key."""
    return Column(name, BigInteger, primary_key=True, autoincrement=False, doc=doc)


def _written_by() -> Column[int]:
    """The transaction that last wrote the row: a view of the tables reads on from there."""
    return Column(
        "written_by",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id())::text::bigint"),
        comment="transaction that last wrote the row",
    )


chats = Table(
    "chats",
    metadata,
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "whose account numbers its messages; 0 where the chat does"),
    Column(
        "type",
        Text,
        nullable=False,
        doc="private, bot, saved, group, supergroup, channel or unknown",
    ),
    Column("is_public", Boolean, doc="whether it has a public link; null: not told"),
    Column("title", Text, doc="its name, which is never its identity"),
    Column("first_seen", UtcTime, nullable=False, doc="earliest sighting"),
    Column("last_seen", UtcTime, nullable=False, doc="latest sighting"),
    Column("rank", LargeBinary, nullable=False, comment="order of the sighting these facts are of"),
    info={"doc": "Every chat with its own facts, as its best sighting shows them."},
)

participant_names = Table(
    "participant_names",
    metadata,
    _id_key("participant_id", "marked peer id of whoever bears the name"),
    Column("name", Text, primary_key=True, doc="the name as shown"),
    Column("source", Text, primary_key=True, doc="source that showed it"),
    Column(
        "entity_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        doc="chat it was shown in",
        comment="shown in",
    ),
    _id_key("account_id", "account that numbers that chat's messages, or 0"),
    Column("first_seen", UtcTime, nullable=False, doc="earliest sighting of this name"),
    Column("last_seen", UtcTime, nullable=False, doc="latest sighting of this name"),
    Index("participant_names_by_chat", "entity_id", "account_id"),
    info={"doc": "Names of people and chats, each with the time and the source that showed it."},
)

messages = Table(
    "messages",
    metadata,
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "whose numbering id is; 0 where the chat's own"),
    _id_key("id", "message id; negative for history from before a group became a supergroup"),
    Column("date", UtcTime, nullable=False, doc="when it was sent"),
    Column("date_precision", Text, nullable=False, doc="exact, zone_given or ambiguous"),
    Column("kind", Text, nullable=False, doc="message, service or unsupported"),
    Column("sender_id", BigInteger, doc="marked peer id of the sender"),
    Column("post_author", Text, doc="signature of a channel post"),
    Column("via_bot_id", BigInteger, doc="bot that made the message"),
    Column("text", Text, nullable=False, doc="plain text; empty where there is none"),
    Column("entities", JSONB, doc="formatted stretches; offset and length in Unicode code points"),
    Column("reply_to_id", BigInteger, doc="message this one answers"),
    Column("reply_to_entity_id", BigInteger, doc="its chat, where that is another one"),
    Column("thread_id", BigInteger, doc="forum topic or root of the comments"),
    Column("grouped_id", BigInteger, doc="album"),
    Column("forward", JSONB, doc="origin: from_id, from_name, message_id, date"),
    Column("edited_at", UtcTime, doc="last known edit of the content"),
    Column("deleted_at", UtcTime, doc="first complete observation without this message"),
    Column("action", JSONB, doc="what a service message announces: type, title, fields"),
    Column("media_meta", JSONB, doc="attachment: type, size, file name and more; null: none"),
    Column("poll", JSONB, doc="question, answers and votes"),
    Column("reactions", JSONB, doc="list of reactions; null: not observed"),
    Column("views", Integer, doc="how often it was seen; null: not observed"),
    Column("forwards", Integer, doc="times forwarded; null: not observed"),
    Column("replies", Integer, doc="replies or comments; null: not observed"),
    Column(
        "content_hash",
        LargeBinary,
        doc="SHA-256 of the content; null where the message is unsupported",
        comment="null where the message is unsupported",
    ),
    Column(
        "source",
        Text,
        nullable=False,
        doc="source of the current version",
        comment="of the current version",
    ),
    Column(
        "observed_at",
        UtcTime,
        nullable=False,
        doc="when the current version's best sighting was made",
        comment="of the current version's best sighting",
    ),
    Column(
        "first_seen",
        UtcTime,
        nullable=False,
        doc="earliest sighting of the message",
        comment="over all sightings",
    ),
    Column("last_seen", UtcTime, nullable=False, doc="latest sighting of the message"),
    Column(
        "version_first_seen",
        UtcTime,
        nullable=False,
        doc="earliest sighting of the current version",
        comment="of the current version",
    ),
    Column(
        "version_last_seen", UtcTime, nullable=False, doc="latest sighting of the current version"
    ),
    Column("raw", JSONB, nullable=False, doc="the source's own record"),
    Column("rank", LargeBinary, nullable=False, comment="order of the best sighting"),
    Column(
        "engagement_rank",
        LargeBinary,
        nullable=False,
        doc="order of the sighting that gave votes, reactions and counts",
    ),
    Column("date_source", SmallInteger, nullable=False, comment="source rank of the date"),
    Column("carried", JSONB, comment="ranks of fields that a lower sighting supplied"),
    Index("messages_by_date", "entity_id", "date"),
    Index("messages_by_reply", "entity_id", "reply_to_id"),
    info={"doc": "One row for each message: its current version."},
)

superseded_versions = Table(
    "superseded_versions",
    metadata,
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "whose numbering id is; 0 where the chat's own"),
    _id_key("id", "message id"),
    Column("content_hash", LargeBinary, primary_key=True, doc="SHA-256 of this version's content"),
    Column("kind", Text, nullable=False, doc="message, service or unsupported"),
    Column("text", Text, nullable=False, doc="plain text of this version"),
    Column("entities", JSONB, doc="its formatted stretches"),
    Column("action", JSONB, doc="its service action"),
    Column("media_meta", JSONB, doc="its attachment"),
    Column("source", Text, nullable=False, doc="source of its best sighting"),
    Column("observed_at", UtcTime, nullable=False, doc="when its best sighting was made"),
    Column("first_seen", UtcTime, nullable=False, doc="earliest sighting of this version"),
    Column("last_seen", UtcTime, nullable=False, doc="latest sighting of this version"),
    Column("raw", JSONB, nullable=False, doc="the source's own record"),
    Column("rank", LargeBinary, nullable=False, doc="order of its best sighting"),
    info={"doc": "Versions of messages that are not the current one."},
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("batch", Text, primary_key=True, doc="landed batch that holds it"),
    Column(
        "line",
        Integer,
        primary_key=True,
        doc="its line in the batch, from 1",
        comment="in the batch, from 1",
    ),
    Column("chat_entity_id", BigInteger, nullable=False, doc="marked peer id of the chat"),
    Column(
        "chat_account_id",
        BigInteger,
        nullable=False,
        doc="account that numbers the chat's messages, or 0",
    ),
    Column(
        "account_id",
        BigInteger,
        nullable=False,
        doc="whose numbering id is; 0 where the chat's own",
        comment="of the message",
    ),
    Column("id", BigInteger, doc="message id, where it could be read"),
    Column("source", Text, nullable=False, doc="source it came from"),
    Column("reason", Text, nullable=False, doc="stable code, such as missing_date"),
    Column("detail", Text, nullable=False, doc="the reason in words"),
    Column("place", Text, nullable=False, doc="file name and byte, or batch and line"),
    Column("raw", LargeBinary, nullable=False, doc="the record's own bytes"),
    Column("observed_at", UtcTime, nullable=False, doc="time of the sighting"),
    Index("quarantine_by_chat", "chat_entity_id", "chat_account_id", "id"),
    info={
        "doc": "Records that are set aside: not understood, or contradicted by a better sighting."
    },
)

batches = Table(
    "batches",
    metadata,
    Column("batch", Text, primary_key=True, doc="its name"),
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "account that numbers the chat's messages, or 0"),
    Column("source", Text, nullable=False, doc="source of its records"),
    Column("supplier", Text, doc="label of whoever gave the file"),
    Column("file_name", Text, nullable=False, doc="file it was made from"),
    Column("file_sha256", Text, nullable=False, doc="SHA-256 of that file, in hex"),
    Column("messages", Integer, nullable=False, doc="how many it holds"),
    Column("rejected", Integer, nullable=False, doc="records in it that could not be understood"),
    Column("first_id", BigInteger, doc="least message id"),
    Column("last_id", BigInteger, doc="greatest message id"),
    Column("first_date", UtcTime, doc="earliest message"),
    Column("last_date", UtcTime, doc="latest message"),
    Column("observed_at", UtcTime, nullable=False, doc="time of its sightings"),
    Column("sha256", Text, nullable=False, doc="of the compressed batch, in hex"),
    Column("loaded_at", UtcTime, nullable=False, doc="when it was loaded"),
    _written_by(),
    Index("batches_by_chat", "entity_id", "account_id"),
    info={"doc": "Landed batches that are loaded."},
)

complete_ranges = Table(
    "complete_ranges",
    metadata,
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "whose numbering the ids are; 0 where the chat's own"),
    _id_key("low", "first id, included"),
    _id_key("high", "last id, included"),
    Column("observed_at", UtcTime, primary_key=True, doc="time of the observation"),
    info={
        "doc": "Id ranges that somebody has declared complete: what is missing there was deleted."
    },
)

chat_days = Table(
    "chat_days",
    metadata,
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "account that numbers the chat's messages, or 0"),
    Column("day", Date, primary_key=True, doc="UTC"),
    Column(
        "rows",
        BigInteger,
        nullable=False,
        doc="messages of that day; 0 where it has lost its last one",
    ),
    Column("service", BigInteger, nullable=False, server_default="0", comment="service messages"),
    Column("hashed", BigInteger, nullable=False, server_default="0", comment="rows with content"),
    Column("digest", BigInteger, nullable=False, comment="XOR of the rows' hashes"),
    _written_by(),
    Index("chat_days_by_writer", "written_by"),
    info={"doc": "Days of a chat (UTC), counted; a window's data version is made of them."},
)
"""A day that has lost its last message stays, with 0 rows, so that its change can be seen."""

quality_results = Table(
    "quality_results",
    metadata,
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "account that numbers the chat's messages, or 0"),
    Column("day", Date, primary_key=True, doc="UTC"),
    Column("rule", Text, primary_key=True, doc="name of the rule"),
    Column("rule_set", Text, nullable=False, comment="version of the rules"),
    Column(
        "rows",
        BigInteger,
        nullable=False,
        doc="messages of that day when it was judged",
        comment="with digest: the data version judged",
    ),
    Column("digest", BigInteger, nullable=False, doc="with rows: the data version that was judged"),
    Column("outcome", Text, nullable=False, comment="passed, warning or failed"),
    Column("findings", BigInteger, nullable=False, doc="how many"),
    Column("examples", JSONB, nullable=False, doc="the first of them: id and what was found"),
    Column("judged_at", UtcTime, nullable=False, doc="when"),
    _written_by(),
    Index("quality_results_by_writer", "written_by"),
    info={"doc": "The newest verdict of each rule on each day of a chat."},
)

exports = Table(
    "exports",
    metadata,
    Column("dataset", Text, primary_key=True, doc="always messages"),
    Column("format", Text, primary_key=True, doc="parquet or jsonl"),
    _id_key("entity_id", "marked peer id of the chat"),
    _id_key("account_id", "account that numbers the chat's messages, or 0"),
    Column("period", Date, primary_key=True, doc="first day of the window, UTC"),
    Column("grain", Text, primary_key=True, comment="month or day"),
    Column("path", Text, nullable=False, comment="below the dataset's folder"),
    Column("rows", BigInteger, nullable=False, doc="messages in the file"),
    Column("bytes", BigInteger, nullable=False, doc="its size"),
    Column("sha256", Text, nullable=False, doc="of the file, in hex"),
    Column("schema_version", Text, nullable=False, doc="of the records"),
    Column("data_version", Text, nullable=False, doc="of the rows it holds"),
    Column("exporter_version", Text, nullable=False, doc="of the code that wrote it"),
    Column(
        "verdict",
        Text,
        nullable=False,
        doc="of the quality gate: passed, warning or failed",
        comment="of the quality gate",
    ),
    Column("forced", Boolean, nullable=False, comment="published against the verdict"),
    Column("published_at", UtcTime, nullable=False, doc="when it was written"),
    _written_by(),
    info={"doc": "Published files; the manifest is rendered from it."},
)
