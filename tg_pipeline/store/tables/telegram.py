"""Reading from Telegram: accounts, the chats they read, and how far each has been read."""

from sqlalchemy import BigInteger, Column, Date, Integer, Table, Text

from tg_pipeline.store.tables.base import UtcTime, id_key, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True, doc="name the user gave it, such as main"),
    Column("user_id", BigInteger, doc="Telegram user id; null until the first log in"),
    Column("name", Text, doc="display name, for people"),
    Column("state", Text, nullable=False, doc="active, logged_out, revoked, duplicated or banned"),
    Column("state_since", UtcTime, nullable=False, doc="since when"),
    Column("holder", Text, doc="who took the lease last: program, process and machine"),
    Column("held_since", UtcTime, doc="since when; whether it still holds is the lock's to say"),
    Column("takeout_id", BigInteger, doc="takeout session that goes on; null: there is none"),
    info={"doc": "Accounts that read from Telegram. Sessions and phone numbers are not here."},
)

chat_access = Table(
    "chat_access",
    metadata,
    Column("account", Text, primary_key=True, doc="account that may use it"),
    id_key("entity_id", "marked peer id of a user, channel or supergroup"),
    Column("access_hash", BigInteger, nullable=False, doc="what Telegram wants to see beside it"),
    info={"doc": "Access hashes: each account has its own for every chat."},
)

followed_chats = Table(
    "followed_chats",
    metadata,
    id_key("entity_id", "marked peer id of the chat"),
    id_key("account_id", "account that numbers its messages, or 0"),
    Column("account", Text, nullable=False, doc="account that reads it"),
    Column("type", Text, nullable=False, doc="as in chats"),
    Column("username", Text, doc="public name, without the @"),
    Column("title", Text, doc="its name"),
    Column("comments_of", BigInteger, doc="channel whose comments it holds; null: added by itself"),
    Column("migrated_from", BigInteger, doc="basic group that it was before, marked peer id"),
    Column("added_at", UtcTime, nullable=False, doc="when"),
    Column("inaccessible", Text, doc="why it could not be read; null: it can"),
    Column("inaccessible_since", UtcTime, doc="since when"),
    Column("past_shut_since", UtcTime, doc="since when the group it was cannot be read; null: can"),
    info={"doc": "Chats that fetch reads, as chats.yaml names them."},
)

chat_snapshots = Table(
    "chat_snapshots",
    metadata,
    id_key("entity_id", "marked peer id of the chat"),
    id_key("account_id", "account that numbers its messages, or 0"),
    Column("observed_at", UtcTime, primary_key=True, doc="when this was first seen"),
    Column("title", Text, doc="its name then"),
    Column("username", Text, doc="its public name then"),
    Column("members", Integer, doc="how many; null: not told"),
    info={"doc": "Title, public name and members of chats over time: a row for each change."},
)

checkpoints = Table(
    "checkpoints",
    metadata,
    id_key("entity_id", "marked peer id of the chat"),
    id_key("account_id", "account that numbers its messages, or 0"),
    Column("top_id", BigInteger, nullable=False, doc="newest message id Telegram has told of"),
    Column("total", Integer, doc="messages Telegram says the chat has; null: not told"),
    Column("fetched_at", UtcTime, nullable=False, doc="when the chat was last asked for news"),
    Column("reread_at", UtcTime, doc="when its newest days were last read again"),
    info={"doc": "How far each chat is known at Telegram; with fetched_ranges: what is missing."},
)

fetched_ranges = Table(
    "fetched_ranges",
    metadata,
    id_key("entity_id", "marked peer id of the chat"),
    id_key("account_id", "whose numbering the ids are; 0 where the chat's own"),
    id_key("low", "first id, included"),
    Column("high", BigInteger, nullable=False, doc="last id, included"),
    info={"doc": "Ids that Telegram has been asked for, and whose answers are loaded."},
)

account_limits = Table(
    "account_limits",
    metadata,
    Column("account", Text, primary_key=True, doc="account that was told to wait"),
    Column("method", Text, primary_key=True, doc="method that waits; * is all, after failures"),
    Column("seconds", Integer, nullable=False, doc="how long Telegram said"),
    Column("until", UtcTime, nullable=False, doc="when it may be called again"),
    info={"doc": "Flood waits, so that every process honours them."},
)

account_requests = Table(
    "account_requests",
    metadata,
    Column("account", Text, primary_key=True, doc="account that asked"),
    Column("day", Date, primary_key=True, doc="UTC"),
    Column("requests", Integer, nullable=False, doc="how many were sent"),
    info={"doc": "Requests sent to Telegram, by day."},
)
