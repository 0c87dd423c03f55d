"""Verdicts of the quality rules, what exports were published under, and who wrote a row last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WRITTEN = ("batches", "chat_days", "exports")


def _written_by() -> sa.Column[int]:
    return sa.Column(
        "written_by",
        sa.BigInteger,
        nullable=False,
        server_default=sa.text("(pg_current_xact_id())::text::bigint"),
        comment="transaction that last wrote the row",
    )


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def upgrade() -> None:
    for table in _WRITTEN:
        op.add_column(table, _written_by())
    op.create_index("chat_days_by_writer", "chat_days", ["written_by"])
    _quality_results()
    _verdicts_of_exports()


def _quality_results() -> None:
    op.create_table(
        "quality_results",
        _key("entity_id"),
        _key("account_id"),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("rule_set", sa.Text, nullable=False, comment="version of the rules"),
        sa.Column(
            "rows", sa.BigInteger, nullable=False, comment="with digest: the data version judged"
        ),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False, comment="passed, warning or failed"),
        sa.Column("findings", sa.BigInteger, nullable=False),
        sa.Column("examples", JSONB, nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        _written_by(),
    )
    op.create_index("quality_results_by_writer", "quality_results", ["written_by"])


def _verdicts_of_exports() -> None:
    """What was published before there were verdicts was published without one."""
    op.add_column(
        "exports",
        sa.Column(
            "verdict",
            sa.Text,
            nullable=False,
            server_default="missing",
            comment="of the quality gate",
        ),
    )
    op.add_column(
        "exports",
        sa.Column(
            "forced",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="published against the verdict",
        ),
    )
    op.alter_column("exports", "verdict", server_default=None)
    op.alter_column("exports", "forced", server_default=None)


def downgrade() -> None:
    op.drop_table("quality_results")
    op.drop_column("exports", "forced")
    op.drop_column("exports", "verdict")
    op.drop_index("chat_days_by_writer", "chat_days")
    for table in _WRITTEN:
        op.drop_column(table, "written_by")
