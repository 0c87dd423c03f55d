"""The table `exports`: which file holds which window. It is the record; the manifest shows it.

Two advisory locks keep publishers apart. A window's lock lets one of them write it; the dataset's
lock is shared by those who record a window and held alone by the one who renders the manifest.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.exports.columns import DATASET
from tg_pipeline.store.tables import chat_days, exports
from tg_pipeline.store.windows import Grain, Window, windows

_KEY = [column.name for column in exports.primary_key.columns]
_AT_ONCE = 1000  # a statement takes 65,535 parameters


@dataclass(frozen=True, slots=True)
class Entry:
    """One published file, as its row tells."""

    dataset: str
    format: str
    entity_id: int
    account_id: int
    period: date
    grain: Grain
    path: str
    rows: int
    bytes: int
    sha256: str
    schema_version: str
    data_version: str
    exporter_version: str
    verdict: str
    forced: bool
    published_at: datetime

    @property
    def chat(self) -> ChatKey:
        """The chat the file belongs to."""
        return ChatKey(self.entity_id, self.account_id)

    @property
    def window(self) -> Window:
        """What the file holds."""
        return Window(self.chat, self.period, self.grain)

    @property
    def order(self) -> tuple[Window, str]:
        """Place in the manifest."""
        return (self.window, self.format)


def lock_window(connection: Connection, schema: str, window: Window) -> None:
    """Be the only one to write this window until the transaction ends."""
    _lock(connection, "pg_advisory_xact_lock", f"{schema} {DATASET} {window.grain} {window}")


def lock_dataset(connection: Connection, schema: str) -> None:
    """Be the only one to touch the record until the transaction ends."""
    _lock(connection, "pg_advisory_xact_lock", f"{schema} {DATASET}")


def record(connection: Connection, schema: str, entries: Iterable[Entry]) -> None:
    """Enter files that are on disk, in place of those that held the same windows."""
    _lock(connection, "pg_advisory_xact_lock_shared", f"{schema} {DATASET}")
    rows = [asdict(entry) for entry in sorted(entries, key=lambda entry: entry.order)]
    statement = insert(exports)
    fresh = {c.name: statement.excluded[c.name] for c in exports.c if c.name not in _KEY}
    upsert = statement.on_conflict_do_update(index_elements=_KEY, set_=fresh)
    for row in rows:
        connection.execute(upsert, row)


def rejudge(connection: Connection, entries: Iterable[Entry]) -> None:
    """Enter the present verdict on files, unless others have taken their place."""
    for entry in entries:
        same = [exports.c[name] == getattr(entry, name) for name in (*_KEY, "sha256")]
        judged = {"verdict": entry.verdict, "forced": entry.forced}
        connection.execute(
            exports.update().where(*same).values(**judged, written_by=sa.text("DEFAULT"))
        )


def entries(connection: Connection, only: Sequence[Window] | None = None) -> list[Entry]:
    """Recorded files of the dataset, or of some windows of it, in the manifest's order."""
    if only is None:
        found = _selected(connection, sa.true())
    else:
        wanted = set(only)
        near = _selected(connection, _near(wanted)) if wanted else []
        found = [entry for entry in near if entry.window in wanted]
    return sorted(found, key=lambda entry: entry.order)


def recorded(connection: Connection, only: Sequence[Window]) -> dict[Window, tuple[Entry, ...]]:
    """The recorded files of some windows, by window; windows without any are left out."""
    return by_window(entries(connection, only))


def by_window(entries: Iterable[Entry]) -> dict[Window, tuple[Entry, ...]]:
    """Files, window by window."""
    found: dict[Window, tuple[Entry, ...]] = {}
    for entry in entries:
        found[entry.window] = (*found.get(entry.window, ()), entry)
    return found


def windows_of(
    connection: Connection, grain: Grain, chats: Collection[ChatKey] | None = None
) -> set[Window]:
    """The windows of a grain that files are recorded for."""
    columns = (exports.c.entity_id, exports.c.account_id, exports.c.period)
    query = sa.select(*columns).where(exports.c.dataset == DATASET, exports.c.grain == grain)
    if chats is not None:
        query = query.where(_in_chats(chats))
    rows = connection.execute(query.distinct())
    return {Window(ChatKey(entity, account), period, grain) for entity, account, period in rows}


def withdraw(connection: Connection, schema: str, gone: Sequence[Entry]) -> None:
    """Take files out of the record, and sign their days: a record that is gone tells nothing."""
    _lock(connection, "pg_advisory_xact_lock_shared", f"{schema} {DATASET}")
    key = sa.tuple_(*(exports.c[name] for name in _KEY))
    keys = [tuple(getattr(entry, name) for name in _KEY) for entry in gone]
    for start in range(0, len(keys), _AT_ONCE):
        connection.execute(exports.delete().where(key.in_(keys[start : start + _AT_ONCE])))
    for window in sorted({entry.window for entry in gone}):
        connection.execute(
            chat_days.update()
            .where(
                chat_days.c.entity_id == window.chat.entity_id,
                chat_days.c.account_id == window.chat.account_id,
                chat_days.c.day >= window.period,
                chat_days.c.day < window.next_period,
            )
            .values(written_by=sa.text("DEFAULT"))
        )


def replaced_grains(connection: Connection, published: Collection[Window]) -> list[Entry]:
    """Files of another grain, of chats that are published whole in the grain of these windows."""
    replaced: list[Entry] = []
    for grain in sorted({window.grain for window in published}):
        chats = {window.chat for window in published if window.grain == grain}
        for chat in sorted(chats & _chats_of_other_grains(connection, grain)):
            if set(windows(connection, grain, [chat])) <= windows_of(connection, grain, [chat]):
                of_chat = sa.and_(exports.c.grain != grain, _in_chats([chat]))
                replaced += _selected(connection, of_chat)
    return replaced


def _chats_of_other_grains(connection: Connection, grain: Grain) -> set[ChatKey]:
    query = sa.select(exports.c.entity_id, exports.c.account_id).where(exports.c.grain != grain)
    return {ChatKey(entity, account) for entity, account in connection.execute(query.distinct())}


def _selected(connection: Connection, which: sa.ColumnElement[bool]) -> list[Entry]:
    query = sa.select(exports).where(exports.c.dataset == DATASET, which)
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**{field.name: row._mapping[field.name] for field in fields(Entry)})


def _near(wanted: Collection[Window]) -> sa.ColumnElement[bool]:
    """Files of the same chats and the same stretch of time: few more than those wanted."""
    periods = sorted(window.period for window in wanted)
    return sa.and_(
        _in_chats({window.chat for window in wanted}),
        exports.c.period.between(periods[0], periods[-1]),
    )


def _in_chats(chats: Collection[ChatKey]) -> sa.ColumnElement[bool]:
    key = sa.tuple_(exports.c.entity_id, exports.c.account_id)
    return key.in_(sorted((chat.entity_id, chat.account_id) for chat in chats))


def _lock(connection: Connection, function: str, name: str) -> None:
    arguments: dict[str, Any] = {"name": f"tg_pipeline export {name}"}
    connection.execute(sa.text(f"SELECT {function}(hashtextextended(:name, 0))"), arguments)
