"""The tables, as the migrations make them (a check in CI holds the two equal).

They carry no schema: every connection sets its search_path to the schema of the user's choice.
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
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("is_public", Boolean),
    Column("title", Text),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("rank", LargeBinary, nullable=False, comment="order of the sighting these facts are of"),
)

participant_names = Table(
    "participant_names",
    metadata,
    Column("participant_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False, comment="shown in"),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Index("participant_names_by_chat", "entity_id", "account_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("date", UtcTime, nullable=False),
    Column("date_precision", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sender_id", BigInteger),
    Column("post_author", Text),
    Column("via_bot_id", BigInteger),
    Column("text", Text, nullable=False),
    Column("entities", JSONB),
    Column("reply_to_id", BigInteger),
    Column("reply_to_entity_id", BigInteger),
    Column("thread_id", BigInteger),
    Column("grouped_id", BigInteger),
    Column("forward", JSONB),
    Column("edited_at", UtcTime),
    Column("deleted_at", UtcTime),
    Column("action", JSONB),
    Column("media_meta", JSONB),
    Column("poll", JSONB),
    Column("reactions", JSONB),
    Column("views", Integer),
    Column("forwards", Integer),
    Column("replies", Integer),
    Column("content_hash", LargeBinary, comment="null where the message is unsupported"),
    Column("source", Text, nullable=False, comment="of the current version"),
    Column(
        "observed_at", UtcTime, nullable=False, comment="of the current version's best sighting"
    ),
    Column("first_seen", UtcTime, nullable=False, comment="over all sightings"),
    Column("last_seen", UtcTime, nullable=False),
    Column("version_first_seen", UtcTime, nullable=False, comment="of the current version"),
    Column("version_last_seen", UtcTime, nullable=False),
    Column("raw", JSONB, nullable=False),
    Column("rank", LargeBinary, nullable=False, comment="order of the best sighting"),
    Column("engagement_rank", LargeBinary, nullable=False),
    Column("date_source", SmallInteger, nullable=False, comment="source rank of the date"),
    Column("carried", JSONB, comment="ranks of fields that a lower sighting supplied"),
    Index("messages_by_date", "entity_id", "date"),
    Index("messages_by_reply", "entity_id", "reply_to_id"),
)

superseded_versions = Table(
    "superseded_versions",
    metadata,
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("content_hash", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("entities", JSONB),
    Column("action", JSONB),
    Column("media_meta", JSONB),
    Column("source", Text, nullable=False),
    Column("observed_at", UtcTime, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("raw", JSONB, nullable=False),
    Column("rank", LargeBinary, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("batch", Text, primary_key=True),
    Column("line", Integer, primary_key=True, comment="in the batch, from 1"),
    Column("chat_entity_id", BigInteger, nullable=False),
    Column("chat_account_id", BigInteger, nullable=False),
    Column("account_id", BigInteger, nullable=False, comment="of the message"),
    Column("id", BigInteger),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("observed_at", UtcTime, nullable=False),
    Index("quarantine_by_chat", "chat_entity_id", "chat_account_id", "id"),
)

batches = Table(
    "batches",
    metadata,
    Column("batch", Text, primary_key=True),
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("supplier", Text),
    Column("file_name", Text, nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("first_id", BigInteger),
    Column("last_id", BigInteger),
    Column("first_date", UtcTime),
    Column("last_date", UtcTime),
    Column("observed_at", UtcTime, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("loaded_at", UtcTime, nullable=False),
    _written_by(),
    Index("batches_by_chat", "entity_id", "account_id"),
)

complete_ranges = Table(
    "complete_ranges",
    metadata,
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("low", BigInteger, primary_key=True, autoincrement=False),
    Column("high", BigInteger, primary_key=True, autoincrement=False),
    Column("observed_at", UtcTime, primary_key=True),
)

chat_days = Table(
    "chat_days",
    metadata,
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("service", BigInteger, nullable=False, server_default="0", comment="service messages"),
    Column("hashed", BigInteger, nullable=False, server_default="0", comment="rows with content"),
    Column("digest", BigInteger, nullable=False, comment="XOR of the rows' hashes"),
    _written_by(),
    Index("chat_days_by_writer", "written_by"),
)
"""A day that has lost its last message stays, with 0 rows, so that its change can be seen."""

quality_results = Table(
    "quality_results",
    metadata,
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("rule_set", Text, nullable=False, comment="version of the rules"),
    Column("rows", BigInteger, nullable=False, comment="with digest: the data version judged"),
    Column("digest", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False, comment="passed, warning or failed"),
    Column("findings", BigInteger, nullable=False),
    Column("examples", JSONB, nullable=False),
    Column("judged_at", UtcTime, nullable=False),
    _written_by(),
    Index("quality_results_by_writer", "written_by"),
)

exports = Table(
    "exports",
    metadata,
    Column("dataset", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    Column("entity_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("period", Date, primary_key=True),
    Column("grain", Text, primary_key=True, comment="month or day"),
    Column("path", Text, nullable=False, comment="below the dataset's folder"),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("schema_version", Text, nullable=False),
    Column("data_version", Text, nullable=False),
    Column("exporter_version", Text, nullable=False),
    Column("verdict", Text, nullable=False, comment="of the quality gate"),
    Column("forced", Boolean, nullable=False, comment="published against the verdict"),
    Column("published_at", UtcTime, nullable=False),
    _written_by(),
)
