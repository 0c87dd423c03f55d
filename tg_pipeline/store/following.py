"""How accounts stand and how far the followed chats are read: one query each, however many."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.store.database import LOCK
from tg_pipeline.store.leases import lock_name
from tg_pipeline.store.reading import REREAD_EVERY, TRY_AGAIN

ALL_METHODS = "*"
"""Under this name stands the wait after Telegram could not be reached at all."""
_FETCHING: Final = {
    ALL_METHODS,
    "initConnection",
    "users.getUsers",
    "messages.getPeerDialogs",
    "messages.getHistory",
}
"""What fetching calls: it need not wait for what is wanted of others, such as usernames."""

# An advisory lock of one 64-bit key is shown as two halves.
_HELD = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_ACCOUNTS = f"""
WITH named AS (
    SELECT account FROM accounts
    UNION SELECT account FROM followed_chats
    UNION SELECT account FROM account_limits
)
SELECT n.account, a.user_id, a.name, coalesce(a.state, 'logged_out') AS state, a.state_since,
       hashtextextended(:prefix || n.account, 0) IN ({_HELD}) AS held, a.holder, a.held_since,
       coalesce(r.requests, 0) AS requests,
       (SELECT count(*) FROM followed_chats f WHERE f.account = n.account) AS chats
FROM named n
LEFT JOIN accounts a USING (account)
LEFT JOIN account_requests r ON r.account = n.account AND r.day = :today
ORDER BY n.account
"""  # noqa: S608 - our own words
_WAITS = """
SELECT account, method, seconds, until FROM account_limits WHERE until > :now
ORDER BY account, until DESC, method
"""
# Ids of the time before a group became a supergroup are negative, and numbered by the account.
_CHATS = """
SELECT f.entity_id, f.account_id, f.account, f.type, f.username, f.title, f.comments_of,
       f.inaccessible, f.inaccessible_since, f.migrated_from, f.past_shut_since,
       c.top_id, c.total, c.fetched_at, c.reread_at,
       r.newest, r.ids, r.stretches, r.lowest, p.lowest AS past
FROM followed_chats f
LEFT JOIN checkpoints c USING (entity_id, account_id)
LEFT JOIN (
    SELECT entity_id, account_id, max(high) AS newest, min(low) AS lowest,
           sum(high - low + 1) AS ids, count(*) AS stretches
    FROM fetched_ranges WHERE low > 0 GROUP BY entity_id, account_id
) r USING (entity_id, account_id)
LEFT JOIN (
    SELECT entity_id, min(low) AS lowest FROM fetched_ranges WHERE low < 0 GROUP BY entity_id
) p ON p.entity_id = f.entity_id AND f.migrated_from IS NOT NULL
ORDER BY f.entity_id, f.account_id
"""
_OLDEST_PAST: Final = 1 - 1_000_000_000
"""The first id of a basic group that has become a supergroup, as it is kept."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A method of Telegram's that an account may not call yet; UTC."""

    method: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """How an account stands; times are UTC.

    Attributes:
        state: active, logged_out, revoked, duplicated or banned.
        busy: whether a process uses it at this moment.
        holder: which process used it last, and does so now if it is busy.
        waits: what it may not call yet, and until when; the longest first.
        requests_today: sent since midnight UTC.
        chats: how many it reads.
    """

    account: str
    user_id: int | None
    name: str | None
    state: str
    state_since: datetime | None
    busy: bool
    holder: str | None
    held_since: datetime | None
    requests_today: int
    chats: int
    waits: tuple[Wait, ...] = ()

    @property
    def waits_until(self) -> datetime | None:
        """When it may call everything again; None: now."""
        return max((wait.until for wait in self.waits), default=None)

    @property
    def fetching_waits(self) -> list[Wait]:
        """What keeps it from fetching; the longest first."""
        return [wait for wait in self.waits if wait.method in _FETCHING]

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {**asdict(self), "waits_until": self.waits_until}


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a followed chat is read. Times are UTC, counts of ids are those not asked for yet.

    Attributes:
        top_id: newest id that Telegram has told of.
        newest_fetched: newest id that has been fetched.
        backlog: ids that are missing, about: not every id has a message, and in private chats and
            basic groups most ids are other chats'. None: Telegram was never asked.
        holes: in how many stretches they lie.
        fetched_at: when Telegram was last asked for news.
        rereads_at: from when on its newest days are read again, if anything was posted in them.
        inaccessible: why it cannot be read.
        retries_at: from when on it is tried again.
        past_shut_since: since when the basic group that it was cannot be read, which is no hole.
    """

    chat: ChatKey
    account: str
    type: str
    username: str | None
    title: str | None
    comments_of: int | None
    top_id: int | None
    newest_fetched: int | None
    backlog: int | None
    holes: int
    fetched_at: datetime | None
    rereads_at: datetime | None
    inaccessible: str | None
    inaccessible_since: datetime | None
    retries_at: datetime | None
    past_shut_since: datetime | None
    total: int | None = field(default=None)

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {name: value for name, value in asdict(self).items() if name not in _OF_CHAT}


_OF_CHAT = {"chat", "type", "title"}
"""What is told of the chat itself, followed or not."""


def account_statuses(connection: Connection, schema: str) -> list[AccountStatus]:
    """All accounts, by name: those that have ever logged in, and those that should read chats."""
    now = datetime.now(UTC)
    waits: dict[str, list[Wait]] = {}
    for row in connection.execute(sa.text(_WAITS), {"now": now}):
        waits.setdefault(row.account, []).append(Wait(row.method, row.until))
    known = {"prefix": f"{LOCK}{lock_name(schema, '')}", "today": now.date()}
    return [
        AccountStatus(
            account=row.account,
            user_id=row.user_id,
            name=row.name,
            state=row.state,
            state_since=row.state_since,
            busy=row.held,
            holder=row.holder,
            held_since=row.held_since,
            requests_today=row.requests,
            chats=row.chats,
            waits=tuple(waits.get(row.account, ())),
        )
        for row in connection.execute(sa.text(_ACCOUNTS), known)
    ]


def readings(connection: Connection) -> list[Reading]:
    """How far every followed chat is read, in key order."""
    return [_reading(row) for row in connection.exec_driver_sql(_CHATS)]


def _reading(row: sa.Row[Any]) -> Reading:
    backlog, holes = _missing(row)
    return Reading(
        chat=ChatKey(row.entity_id, row.account_id),
        account=row.account,
        type=row.type,
        username=row.username,
        title=row.title,
        comments_of=row.comments_of,
        top_id=row.top_id,
        newest_fetched=row.newest,
        backlog=backlog,
        holes=holes,
        fetched_at=row.fetched_at,
        rereads_at=row.reread_at and row.reread_at + REREAD_EVERY,
        inaccessible=row.inaccessible,
        inaccessible_since=row.inaccessible_since,
        retries_at=row.inaccessible_since and row.inaccessible_since + TRY_AGAIN,
        past_shut_since=row.past_shut_since,
        total=row.total,
    )


def _missing(row: sa.Row[Any]) -> tuple[int | None, int]:
    """How many ids up to the newest are not fetched, and in how many stretches."""
    if row.top_id is None:
        return None, 0
    past, unread = _past(row)
    if row.newest is None:
        return row.top_id + past, int(row.top_id > 0) + unread
    top = max(row.top_id, row.newest)
    between = row.stretches - 1 + int(row.lowest > 1) + int(row.newest < top)
    return top - int(row.ids) + past, between + unread


def _past(row: sa.Row[Any]) -> tuple[int, bool]:
    """How many ids of the basic group that it was are not fetched, and whether there are any."""
    if row.migrated_from is None or row.past_shut_since is not None:
        return 0, False
    if row.past is None:
        return 0, True
    left = row.past - _OLDEST_PAST
    return left, left > 0
