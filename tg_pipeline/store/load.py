"""Loading: landed batches into the tables, each in one transaction with its mark of being loaded.

What a chat's tables hold is a function of the batches in its landing folder. A batch that has been
withdrawn from there makes its chat start over, so no step needs to remember what it interrupted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import SCHEMA_VERSION, BatchManifest, ChatKey
from tg_pipeline.contracts.codec import decode, encode
from tg_pipeline.errors import LandingIncomplete
from tg_pipeline.landing import LandingZone
from tg_pipeline.logs import get_logger
from tg_pipeline.store import facts, fetched, merge
from tg_pipeline.store.database import Database
from tg_pipeline.store.days import count_days, empty_days
from tg_pipeline.store.sightings import COLUMNS, Sightings
from tg_pipeline.store.tables import (
    account_limits,
    account_requests,
    accounts,
    batches,
    chat_access,
    chat_days,
    chat_snapshots,
    checkpoints,
    complete_ranges,
    exports,
    followed_chats,
    metadata,
    quarantine,
)

_NOT_FROM_LANDING = {
    exports,
    chat_days,
    accounts,
    account_limits,
    account_requests,
    chat_access,
    chat_snapshots,
    checkpoints,
    followed_chats,
}
_COPY = f"COPY staged ({', '.join(name for name, _ in COLUMNS)}) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records of a batch: read = new + updated + unchanged + quarantined."""

    read: int = 0
    new: int = 0
    updated: int = 0
    quarantined: int = 0

    @property
    def unchanged(self) -> int:
        """Sightings that showed nothing new."""
        return self.read - self.new - self.updated - self.quarantined

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.read + other.read,
            self.new + other.new,
            self.updated + other.updated,
            self.quarantined + other.quarantined,
        )


def load(database: Database, zone: LandingZone, manifest: BatchManifest) -> Counts:
    """Load one batch, unless it is loaded already or has been withdrawn meanwhile.

    Raises:
        BatchDamaged: the batch does not match its manifest; nothing of it is loaded.
    """
    chat = ChatKey(manifest.entity_id, manifest.account_id)
    with database.transaction() as connection:
        facts.lock_chat(connection, chat)
        if facts.is_loaded(connection, manifest):
            quarantined = _quarantined(connection, manifest)
            return Counts(manifest.messages + manifest.rejected, quarantined=quarantined)
        if not zone.has([f"{chat}/{manifest.batch}"]):
            return Counts()
        zone.verify(manifest)
        counts = _merge_batch(connection, zone, chat, manifest)
        facts.forget_failures(connection, chat)
    get_logger().info(
        "batch.loaded",
        chat=str(chat),
        batch=manifest.batch,
        read=counts.read,
        new=counts.new,
        updated=counts.updated,
        quarantined=counts.quarantined,
    )
    return counts


def start_over_if_withdrawn(database: Database, zone: LandingZone, chat: ChatKey) -> bool:
    """Empty a chat of which a loaded batch was withdrawn from landing.

    Raises:
        LandingIncomplete: one is gone that nobody has withdrawn; the tables stay as they are.
    """
    with database.transaction() as connection:
        facts.lock_chat(connection, chat)
        landed = set(zone.batches(chat))
        loaded = set(
            connection.scalars(sa.select(batches.c.batch).where(facts.of_chat(batches, chat)))
        )
        gone = loaded - landed
        if not gone:
            return False
        if missing := gone - zone.withdrawn(chat):
            raise LandingIncomplete(zone.folder, str(chat), sorted(missing))
        facts.empty_chat(connection, chat)
        empty_days(connection, chat)
        facts.forget_failures(connection, chat)
    get_logger().info("chat.emptied", chat=str(chat), withdrawn=len(gone))
    return True


def empty_all(database: Database) -> None:
    """Empty the tables that `load` fills again from landing.

    Days stay, with nothing in them, so that it can be seen which were there.
    """
    emptied = [table for table in metadata.sorted_tables if table not in _NOT_FROM_LANDING]
    with database.transaction() as connection:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in emptied)}")
        empty_days(connection)


def _merge_batch(
    connection: Connection, zone: LandingZone, chat: ChatKey, manifest: BatchManifest
) -> Counts:
    connection.exec_driver_sql(merge.CREATE_STAGED)
    sightings = Sightings(manifest.batch, chat)
    _copy(connection, sightings.rows(_trusted_lines(zone, manifest)))
    _insert(connection, quarantine, sightings.rejected)
    _add_complete_ranges(connection, manifest)
    fetched.add(connection, manifest.entity_id, manifest.fetched)
    folded = merge.fold(connection, chat.entity_id, chat.account_id)
    days = folded.days | _mark_deleted(connection, chat, manifest)
    updated = folded.updated
    if folded.replays:
        before = _quarantined(connection, manifest)
        days |= _replay(connection, zone, chat, manifest, folded.replays)
        updated += len(folded.replays) - (_quarantined(connection, manifest) - before)
    count_days(connection, chat, days)
    facts.see_chat(connection, sightings.chats)
    facts.see_names(connection, chat, sightings.names)
    facts.mark_loaded(connection, manifest)
    return Counts(sightings.read, folded.new, updated, _quarantined(connection, manifest))


def _trusted_lines(zone: LandingZone, manifest: BatchManifest) -> Iterable[bytes]:
    """Lines of the present schema; older ones are lifted and validated on the way."""
    if manifest.schema_version == SCHEMA_VERSION:
        return zone.lines(manifest)
    lines = enumerate(zone.lines(manifest), start=1)
    return (encode(decode(line, f"{manifest.batch} line {number}")) for number, line in lines)


def _replay(
    connection: Connection,
    zone: LandingZone,
    chat: ChatKey,
    manifest: BatchManifest,
    replays: list[tuple[int, int, str]],
) -> set[date]:
    """Fold messages anew from all their sightings, because their anchor date has moved."""
    keys = {(account, number) for account, number, _batch in replays}
    days = _forget(connection, chat, keys)
    connection.exec_driver_sql("TRUNCATE staged")
    for other in [*_loaded_manifests(connection, zone, chat), manifest]:
        if other is not manifest:
            zone.verify(other)
        rows = Sightings(other.batch, chat).rows(_trusted_lines(zone, other))
        _copy(connection, (row for row in rows if (row[3], row[4]) in keys))
    folded = merge.fold(connection, chat.entity_id, chat.account_id)
    return days | folded.days | _mark_deleted(connection, chat, manifest)


def _forget(connection: Connection, chat: ChatKey, keys: set[tuple[int, int]]) -> set[date]:
    """Remove what is known of these messages; the days they were on."""
    known = {
        "entity": chat.entity_id,
        "account": chat.account_id,
        "accounts": [account for account, _ in keys],
        "ids": [number for _, number in keys],
    }
    wanted = "(account_id, id) IN (SELECT * FROM unnest(%(accounts)s::bigint[], %(ids)s::bigint[]))"
    connection.exec_driver_sql(
        f"DELETE FROM superseded_versions WHERE entity_id = %(entity)s AND {wanted}", known
    )
    connection.exec_driver_sql(
        f"""DELETE FROM quarantine WHERE chat_entity_id = %(entity)s
            AND chat_account_id = %(account)s AND reason = 'date_conflict' AND {wanted}""",
        known,
    )
    rows = connection.exec_driver_sql(
        f"""DELETE FROM messages WHERE entity_id = %(entity)s AND {wanted}
            RETURNING (date AT TIME ZONE 'UTC')::date""",
        known,
    )
    return set(rows.scalars())


def _loaded_manifests(
    connection: Connection, zone: LandingZone, chat: ChatKey
) -> list[BatchManifest]:
    loaded = set(connection.scalars(sa.select(batches.c.batch).where(facts.of_chat(batches, chat))))
    return [zone.manifest(chat, batch) for batch in sorted(loaded)]


def _copy(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(connection: Connection, table: sa.Table, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        names = [column.name for column in table.columns]
        values = [dict(zip(names, row, strict=True)) for row in rows]
        connection.execute(insert(table), values)


def _mark_deleted(connection: Connection, chat: ChatKey, manifest: BatchManifest) -> set[date]:
    any_range = sa.select(sa.exists().where(complete_ranges.c.entity_id == chat.entity_id))
    if not connection.scalar(any_range):
        return set()
    observed = [manifest.observed_at] if manifest.complete else []
    known = {"entity": chat.entity_id, "observed": observed}
    return set(connection.exec_driver_sql(merge.MARK_DELETED, known).scalars())


def _add_complete_ranges(connection: Connection, manifest: BatchManifest) -> None:
    for found in manifest.complete:
        row = {**found.model_dump(), "entity_id": manifest.entity_id}
        row["observed_at"] = manifest.observed_at
        connection.execute(insert(complete_ranges).on_conflict_do_nothing(), row)


def _quarantined(connection: Connection, manifest: BatchManifest) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(quarantine)
        .where(quarantine.c.batch == manifest.batch)
        .where(quarantine.c.chat_entity_id == manifest.entity_id)
        .where(quarantine.c.chat_account_id == manifest.account_id)
    )
    return int(connection.scalar(query) or 0)
