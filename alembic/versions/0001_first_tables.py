"""The first tables: messages with their versions, batches, quarantine, days, exports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UtcTime = sa.DateTime(timezone=True)


def _key(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False) for name in names]


def upgrade() -> None:
    _chats()
    _messages()
    _versions()
    _batches()
    _exports()


def _chats() -> None:
    op.create_table(
        "chats",
        *_key("entity_id", "account_id"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("is_public", sa.Boolean),
        sa.Column("title", sa.Text),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.Column(
            "rank",
            sa.LargeBinary,
            nullable=False,
            comment="order of the sighting these facts are of",
        ),
    )
    op.create_table(
        "participant_names",
        *_key("participant_id"),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column(
            "entity_id",
            sa.BigInteger,
            primary_key=True,
            autoincrement=False,
            comment="shown in",
        ),
        *_key("account_id"),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
    )
    op.create_index("participant_names_by_chat", "participant_names", ["entity_id", "account_id"])


def _messages() -> None:
    op.create_table(
        "messages",
        *_key("entity_id", "account_id", "id"),
        sa.Column("date", UtcTime, nullable=False),
        sa.Column("date_precision", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sender_id", sa.BigInteger),
        sa.Column("post_author", sa.Text),
        sa.Column("via_bot_id", sa.BigInteger),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("entities", JSONB),
        sa.Column("reply_to_id", sa.BigInteger),
        sa.Column("reply_to_entity_id", sa.BigInteger),
        sa.Column("thread_id", sa.BigInteger),
        sa.Column("grouped_id", sa.BigInteger),
        sa.Column("forward", JSONB),
        sa.Column("edited_at", UtcTime),
        sa.Column("deleted_at", UtcTime),
        sa.Column("action", JSONB),
        sa.Column("media_meta", JSONB),
        sa.Column("poll", JSONB),
        sa.Column("reactions", JSONB),
        sa.Column("views", sa.Integer),
        sa.Column("forwards", sa.Integer),
        sa.Column("replies", sa.Integer),
        sa.Column("content_hash", sa.LargeBinary, comment="null where the message is unsupported"),
        sa.Column("source", sa.Text, nullable=False, comment="of the current version"),
        sa.Column(
            "observed_at",
            UtcTime,
            nullable=False,
            comment="of the current version's best sighting",
        ),
        sa.Column("first_seen", UtcTime, nullable=False, comment="over all sightings"),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.Column("version_first_seen", UtcTime, nullable=False, comment="of the current version"),
        sa.Column("version_last_seen", UtcTime, nullable=False),
        sa.Column("raw", JSONB, nullable=False),
        sa.Column("rank", sa.LargeBinary, nullable=False, comment="order of the best sighting"),
        sa.Column("engagement_rank", sa.LargeBinary, nullable=False),
        sa.Column(
            "date_source", sa.SmallInteger, nullable=False, comment="source rank of the date"
        ),
        sa.Column("carried", JSONB, comment="ranks of fields that a lower sighting supplied"),
    )
    op.create_index("messages_by_date", "messages", ["entity_id", "date"])
    op.create_index("messages_by_reply", "messages", ["entity_id", "reply_to_id"])


def _versions() -> None:
    op.create_table(
        "superseded_versions",
        *_key("entity_id", "account_id", "id"),
        sa.Column("content_hash", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("entities", JSONB),
        sa.Column("action", JSONB),
        sa.Column("media_meta", JSONB),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("observed_at", UtcTime, nullable=False),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.Column("raw", JSONB, nullable=False),
        sa.Column("rank", sa.LargeBinary, nullable=False),
    )
    op.execute(
        """
        CREATE VIEW message_versions AS
        SELECT entity_id, account_id, id, content_hash, true AS current, kind, text, entities,
               action, media_meta, source, observed_at,
               version_first_seen AS first_seen, version_last_seen AS last_seen, raw
        FROM messages
        WHERE content_hash IS NOT NULL
        UNION ALL
        SELECT entity_id, account_id, id, content_hash, false, kind, text, entities,
               action, media_meta, source, observed_at, first_seen, last_seen, raw
        FROM superseded_versions
        """
    )
    op.execute(
        """
        CREATE VIEW participants AS
        SELECT DISTINCT ON (participant_id) participant_id, name, source, first_seen, last_seen
        FROM participant_names
        ORDER BY participant_id, last_seen DESC, source DESC, name, first_seen
        """
    )


def _batches() -> None:
    op.create_table(
        "quarantine",
        sa.Column("batch", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True, comment="in the batch, from 1"),
        sa.Column("chat_entity_id", sa.BigInteger, nullable=False),
        sa.Column("chat_account_id", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False, comment="of the message"),
        sa.Column("id", sa.BigInteger),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("observed_at", UtcTime, nullable=False),
    )
    op.create_index("quarantine_by_chat", "quarantine", ["chat_entity_id", "chat_account_id", "id"])
    op.create_table(
        "batches",
        sa.Column("batch", sa.Text, primary_key=True),
        *_key("entity_id", "account_id"),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("file_sha256", sa.Text, nullable=False),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("first_id", sa.BigInteger),
        sa.Column("last_id", sa.BigInteger),
        sa.Column("first_date", UtcTime),
        sa.Column("last_date", UtcTime),
        sa.Column("observed_at", UtcTime, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("loaded_at", UtcTime, nullable=False),
    )
    op.create_index("batches_by_chat", "batches", ["entity_id", "account_id"])
    op.create_table(
        "complete_ranges",
        *_key("entity_id", "account_id", "low", "high"),
        sa.Column("observed_at", UtcTime, primary_key=True),
    )
    op.create_table(
        "chat_days",
        *_key("entity_id", "account_id"),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column(
            "service",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="service messages",
        ),
        sa.Column(
            "hashed",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="rows with content",
        ),
        sa.Column("digest", sa.BigInteger, nullable=False, comment="XOR of the rows' hashes"),
    )


def _exports() -> None:
    op.create_table(
        "exports",
        sa.Column("dataset", sa.Text, primary_key=True),
        sa.Column("format", sa.Text, primary_key=True),
        *_key("entity_id", "account_id"),
        sa.Column("period", sa.Date, primary_key=True),
        sa.Column("grain", sa.Text, primary_key=True, comment="month or day"),
        sa.Column("path", sa.Text, nullable=False, comment="below the dataset's folder"),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("schema_version", sa.Text, nullable=False),
        sa.Column("data_version", sa.Text, nullable=False),
        sa.Column("exporter_version", sa.Text, nullable=False),
        sa.Column("published_at", UtcTime, nullable=False),
    )


def downgrade() -> None:
    op.execute("DROP VIEW participants")
    op.execute("DROP VIEW message_versions")
    for table in (
        "exports",
        "chat_days",
        "complete_ranges",
        "batches",
        "quarantine",
        "superseded_versions",
        "messages",
        "participant_names",
        "chats",
    ):
        op.drop_table(table)
