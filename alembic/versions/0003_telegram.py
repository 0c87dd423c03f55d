"""Reading from Telegram: accounts, followed chats, what has been fetched, and waits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    "account_requests",
    "account_limits",
    "fetched_ranges",
    "checkpoints",
    "chat_snapshots",
    "followed_chats",
    "chat_access",
    "accounts",
)
_TIME = sa.DateTime(timezone=True)


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _account() -> sa.Column[str]:
    return sa.Column("account", sa.Text, primary_key=True)


def upgrade() -> None:
    _accounts()
    _chats()
    _progress()
    _limits()
    op.create_index(
        "quality_results_failed",
        "quality_results",
        ["entity_id", "account_id"],
        postgresql_where=sa.text("outcome = 'failed'"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        _account(),
        sa.Column("user_id", sa.BigInteger),
        sa.Column("name", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_since", _TIME, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("held_since", _TIME),
        sa.Column("takeout_id", sa.BigInteger),
    )


def _chats() -> None:
    op.create_table(
        "chat_access",
        _account(),
        _id("entity_id"),
        sa.Column("access_hash", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "followed_chats",
        _id("entity_id"),
        _id("account_id"),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("username", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("comments_of", sa.BigInteger),
        sa.Column("migrated_from", sa.BigInteger),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("inaccessible", sa.Text),
        sa.Column("inaccessible_since", _TIME),
    )
    op.create_table(
        "chat_snapshots",
        _id("entity_id"),
        _id("account_id"),
        sa.Column("observed_at", _TIME, primary_key=True),
        sa.Column("title", sa.Text),
        sa.Column("username", sa.Text),
        sa.Column("members", sa.Integer),
    )


def _progress() -> None:
    op.create_table(
        "checkpoints",
        _id("entity_id"),
        _id("account_id"),
        sa.Column("top_id", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Integer),
        sa.Column("fetched_at", _TIME, nullable=False),
        sa.Column("reread_at", _TIME),
    )
    op.create_table(
        "fetched_ranges",
        _id("entity_id"),
        _id("account_id"),
        _id("low"),
        sa.Column("high", sa.BigInteger, nullable=False),
    )


def _limits() -> None:
    op.create_table(
        "account_limits",
        _account(),
        sa.Column("method", sa.Text, primary_key=True),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("until", _TIME, nullable=False),
    )
    op.create_table(
        "account_requests",
        _account(),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("requests", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_index("quality_results_failed")
    for table in _TABLES:
        op.drop_table(table)
