"""The views that the migrations define over the tables, for people who ask the archive.

They stand here to be described; nothing is made from them.
"""

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from tg_pipeline.store.tables import UtcTime

views = MetaData()

message_versions = Table(
    "message_versions",
    views,
    Column("entity_id", BigInteger, doc="marked peer id of the chat"),
    Column("account_id", BigInteger, doc="whose numbering id is; 0 where the chat's own"),
    Column("id", BigInteger, doc="message id"),
    Column("content_hash", LargeBinary, doc="SHA-256 of this version's content"),
    Column("current", Boolean, doc="whether it is the version that messages shows"),
    Column("kind", Text, doc="message or service"),
    Column("text", Text, doc="plain text of this version"),
    Column("entities", JSONB, doc="its formatted stretches"),
    Column("action", JSONB, doc="its service action"),
    Column("media_meta", JSONB, doc="its attachment"),
    Column("source", Text, doc="source of its best sighting"),
    Column("observed_at", UtcTime, doc="when its best sighting was made"),
    Column("first_seen", UtcTime, doc="earliest sighting of this version"),
    Column("last_seen", UtcTime, doc="latest sighting of this version"),
    Column("raw", JSONB, doc="the source's own record"),
    info={"doc": "Every version of every message, the current ones and the superseded."},
)

participants = Table(
    "participants",
    views,
    Column("participant_id", BigInteger, doc="marked peer id of whoever bears the name"),
    Column("name", Text, doc="the name that was shown last"),
    Column("source", Text, doc="source that showed it"),
    Column("first_seen", UtcTime, doc="earliest sighting of this name"),
    Column("last_seen", UtcTime, doc="latest sighting of this name"),
    info={"doc": "Everybody once, by the newest name."},
)
