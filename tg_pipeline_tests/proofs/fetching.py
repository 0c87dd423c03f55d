"""`tg-pipeline fetch` against a loopback Telegram, and what may be said of what it leaves.

Two archives that were fetched at different times are the same but for those times. So the tables
are compared without them, and with ranges of ids joined: how many batches a run made is its affair.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from tg_pipeline.contracts.identity import CHANNEL_MARK
from tg_pipeline.flows import Archive
from tg_pipeline.generator import ACCOUNT, ChatPlan, History, history
from tg_pipeline.sources.telegram.convert import MIGRATION_SHIFT
from tg_pipeline.sources.telegram.convert.raw import as_raw
from tg_pipeline.store.database import Database
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.flows.live import Live, peer_of
from tg_pipeline_tests.proofs.running import Home
from tg_pipeline_tests.telegram_server import Account, TelegramServer, World
from tg_pipeline_tests.telegram_server.filling.chats import add_account, fill
from tg_pipeline_tests.telegram_server.peers import Channel, Peer
from tg_pipeline_tests.telegram_server.records import marked
from tg_pipeline_tests.telegram_server.tl import read

HISTORY = "messages.getHistory"
START, END = datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 12, 20, tzinfo=UTC)
AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
TRY_LATER = 75

Key = tuple[int, int, int]
"""Chat, whose numbering, message."""
Page = tuple[int, int]
"""A request for history: whose, and before which id."""

_TIMES = {
    "observed_at", "first_seen", "last_seen", "version_first_seen", "version_last_seen", "rank",
    "engagement_rank", "carried", "digest", "written_by", "fetched_at", "reread_at", "added_at",
}  # fmt: skip
_TABLES = (
    "messages", "superseded_versions", "chats", "participant_names", "chat_days", "fetched_ranges",
    "followed_chats", "checkpoints", "chat_snapshots", "chat_access",
)  # fmt: skip
_ROWS = "SELECT (to_jsonb(t) - CAST(:left_out AS text[]))::text FROM {table} t ORDER BY 1"
_QUARANTINE = """
SELECT chat_entity_id, account_id, id, reason, detail, place, encode(raw, 'hex')
FROM quarantine ORDER BY 1, 2, 3, 5, 7
"""
_COMPLETE = """
SELECT entity_id, account_id,
       range_agg(int8range(low, high, '[]') ORDER BY low)::text
FROM complete_ranges GROUP BY 1, 2 ORDER BY 1, 2
"""
_CARRIED = "SELECT entity_id, account_id, sum(messages), sum(rejected) FROM batches GROUP BY 1, 2"

# ---- what the server has


@dataclass(frozen=True, slots=True)
class Sea:
    """A world of generated chats."""

    world: World
    account: Account
    histories: tuple[History, ...]
    others: tuple[Peer, ...] = ()
    """Chats that are there beside those of the generator."""

    @property
    def chats(self) -> list[Peer]:
        """All of them."""
        return [*(peer_of(self.world, one.entity_id) for one in self.histories), *self.others]

    @property
    def size(self) -> int:
        """How many messages can be fetched."""
        return len(self.truth())

    def truth(self, as_of: datetime = AS_OF) -> dict[Key, bytes | None]:
        """The content of every message that is there, as the generator knows it."""
        return {
            (one.entity_id, true.account_id, true.id): true.content_hash
            for one in self.histories
            for true in one.as_of(as_of)
        }


def plans_of(messages: int) -> list[ChatPlan]:
    """Six chats of all kinds with about so many messages together, one of them with a past."""
    share = messages // 6
    return [
        ChatPlan("channel", 1_700_000_001, "Lantern", share, START, END, public=True),
        ChatPlan(
            "supergroup", 1_700_000_002, "Teahouse", 2 * share, START, END, people=30,
            before_migration=share // 2,
        ),
        ChatPlan("supergroup", 1_700_000_003, "Atlas", share, START, END, people=9),
        ChatPlan("private", 700_400_017, "Elowen", share, START, END, first_id=200_001),
        ChatPlan("group", 900_003, "Mill", share // 2, START, END, people=6, first_id=400_001),
        ChatPlan("saved", ACCOUNT.id, "Saved", share // 2, START, END, first_id=600_001),
    ]  # fmt: skip


def sea_of(plans: Iterable[ChatPlan], *, seed: int = 1, forums: Iterable[int] = ()) -> Sea:
    """A world in which the generator's account reads these chats."""
    world = World()
    account = add_account(world)
    histories = tuple(history(plan, seed) for plan in plans)
    for one in histories:
        fill(world, account, one, as_of=AS_OF, forum=one.plan.peer_id in forums)
    return Sea(world, account, histories)


@dataclass(frozen=True, slots=True)
class Told:
    """A message as far as this file understands TL by itself."""

    date: datetime
    text: str
    sender: int | None
    raw: dict[str, Any]
    """All of it as JSON, but whether it is the reader's own: that is told to who asks."""


def held_by_server(sea: Sea) -> dict[Key, Told]:
    """Every message of the chats, read from the server's own bytes."""
    found = {}
    account = sea.account
    for chat in sea.chats:
        entity = chat.peer_id
        numbering = 0 if entity < -CHANNEL_MARK else account.id
        for record in sea.world.box(chat, account):
            found[entity, numbering, record.id] = _told(record.data)
        if isinstance(chat, Channel) and chat.migrated_from is not None:
            for record in account.box(chat.migrated_from.peer_id):
                found[entity, account.id, record.id + MIGRATION_SHIFT] = _told(record.data)
    return found


def _told(data: bytes) -> Told:
    message = read(data)
    return Told(
        message.date,
        getattr(message, "message", None) or "",
        marked(message.from_id) if message.from_id else None,
        _shared(orjson.loads(as_raw(message))),
    )


def _shared(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name != "out"}


# ---- the archive


@dataclass(frozen=True, slots=True)
class Shore:
    """An archive, and commands that fetch into it."""

    live: Live
    home: Home

    @classmethod
    def new(cls, server: TelegramServer, sea: Sea, new_archive: NewArchive) -> "Shore":
        """An empty archive that follows all chats."""
        live = Live.over(new_archive(), server, sea.account)
        live.follow(*sea.chats)
        settings = live.archive.settings
        return cls(live, Home(settings.home, _environment(settings)))

    @property
    def archive(self) -> Archive:
        return self.live.archive

    @property
    def spools(self) -> Path:
        """Where pages wait for landing."""
        return self.home.folder / "spool" / "main"


def _environment(settings: Any) -> dict[str, str]:
    names = [
        "database_url", "database_schema",
        *(name for name in type(settings).model_fields if name.startswith("telegram_")),
    ]  # fmt: skip
    found = {name: getattr(settings, name) for name in names}
    return {
        f"TG_PIPELINE_{name.upper()}": str(value)
        for name, value in found.items()
        if value is not None
    }


def state(database: Database) -> dict[str, Any]:
    """All tables that a fetch fills, but for when it was, and for how it was cut into batches."""
    with database.snapshot() as connection:

        def rows(query: str, **values: object) -> list[Any]:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

        left_out = sorted(_TIMES)
        tables = {name: rows(_ROWS.format(table=name), left_out=left_out) for name in _TABLES}
        return {
            **tables,
            "quarantine": rows(_QUARANTINE),
            "complete": rows(_COMPLETE),
            "carried": sorted(rows(_CARRIED)),
        }


def found_hashes(archive: Archive) -> dict[Key, bytes | None]:
    """The content of every message in the tables."""
    query = "SELECT entity_id, account_id, id, content_hash FROM messages"
    with archive.database.snapshot() as connection:
        rows = connection.exec_driver_sql(query)
        return {(e, a, n): digest and bytes(digest) for e, a, n, digest in rows}


def found_told(archive: Archive) -> dict[Key, Told]:
    """What the tables say of every message, as far as `held_by_server` says it."""
    query = "SELECT entity_id, account_id, id, date, text, sender_id, raw FROM messages"
    with archive.database.snapshot() as connection:
        rows = connection.exec_driver_sql(query)
        return {
            (e, a, n): Told(date, text, sender, _shared(raw))
            for e, a, n, date, text, sender, raw in rows
        }


def assert_as_the_server_holds(archive: Archive, sea: Sea) -> None:
    """Record for record: nothing missing, nothing made up, and each with its content."""
    hashes, truth = found_hashes(archive), sea.truth()
    assert_equal_maps({key: hashes.get(key) for key in truth}, truth)
    held, found = held_by_server(sea), found_told(archive)
    assert_equal_maps(
        {key: (one.date, one.text, one.raw) for key, one in found.items()},
        {key: (one.date, one.text, one.raw) for key, one in held.items()},
    )
    senders = {key: one.sender for key, one in held.items() if one.sender is not None}
    assert_equal_maps({key: found[key].sender for key in senders}, senders)


def assert_equal_maps(found: dict[Any, Any], expected: dict[Any, Any]) -> None:
    """Say in a line what differs; all of it could be thousands of lines."""
    missing, more = expected.keys() - found.keys(), found.keys() - expected.keys()
    other = [key for key in expected.keys() & found.keys() if found[key] != expected[key]]
    differ = len(missing) + len(more) + len(other)
    assert not differ, (
        f"{len(missing)} missing, {len(more)} too many, {len(other)} different: "
        f"{sorted(missing)[:3]} {sorted(more)[:3]} "
        f"{[(key, found[key], expected[key]) for key in other[:2]]}"
    )


# ---- what was asked


def pages_asked(server: TelegramServer, since: int = 0) -> Counter[Page]:
    """Requests for history, by whose and before which id."""
    asked: Counter[Page] = Counter()
    for one in server.requests.since(since, HISTORY):
        asked[_peer(one.arguments.peer), one.arguments.offset_id] += 1
    return asked


def _peer(peer: Any) -> int:
    for name in ("channel_id", "chat_id", "user_id"):
        if hasattr(peer, name):
            return int(getattr(peer, name))
    return 0
