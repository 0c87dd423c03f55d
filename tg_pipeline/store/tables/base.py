"""What all tables share: one metadata, the key of an id, and who wrote a row last.

They carry no schema: every connection sets its search_path to the schema of the user's choice. Each
column says what it means in `doc`, or in `comment` where the database keeps that too.
"""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, text

metadata = MetaData()
HEAD = "0004"
"""The newest migration; a test holds it equal to Alembic's own answer."""
UtcTime = DateTime(timezone=True)


def id_key(name: str, doc: str) -> Column[int]:
    """A Telegram id that belongs to the primary key."""
    return Column(name, BigInteger, primary_key=True, autoincrement=False, doc=doc)


def written_by() -> Column[int]:
    """The transaction that last wrote the row: a view of the tables reads on from there."""
    return Column(
        "written_by",
        BigInteger,
        nullable=False,
        server_default=text("(pg_current_xact_id())::text::bigint"),
        comment="transaction that last wrote the row",
    )
