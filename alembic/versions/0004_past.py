"""Pasts that are shut: a supergroup may have been a basic group that its reader was never in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("followed_chats", sa.Column("past_shut_since", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("followed_chats", "past_shut_since")
