"""Looking at the archive: status, queries, quarantine. Nothing here changes anything."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import QuarantineUnknown
from tg_pipeline.flows.archive import Archive
from tg_pipeline.store import facts, reader
from tg_pipeline.store.status import ChatStatus, chat_statuses
from tg_pipeline.store.tables import quarantine


def status(archive: Archive) -> list[ChatStatus]:
    """Every chat with its counts and dates."""
    with archive.database.snapshot() as connection:
        return chat_statuses(connection, archive.zone)


def known_chats(archive: Archive) -> set[ChatKey]:
    """All chats that have been loaded."""
    with archive.database.snapshot() as connection:
        return facts.known_chats(connection)


def published_chats(archive: Archive) -> set[ChatKey]:
    """All chats that there are published files of, also where the tables hold nothing of them."""
    from tg_pipeline.exports import windows_of  # noqa: PLC0415 - Arrow loads slowly

    with archive.database.snapshot() as connection:
        return {window.chat for window in windows_of(connection, archive.settings.period)}


@contextmanager
def query(archive: Archive, text: str) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Run a query as a role that can only read: column names first, then the rows, streamed.

    Raises:
        QueryFailed: PostgreSQL refused it.
        ReaderUnavailable: the configured user may not make the role.
    """
    with (
        reader.reader(archive.database, archive.settings) as connection,
        closing(reader.rows(connection, text)) as found,
    ):
        yield found


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that could not be understood, or contradicts another."""

    batch: str
    line: int
    chat: str
    id: int | None
    source: str
    reason: str
    detail: str
    place: str
    observed_at: datetime
    raw: bytes

    def as_dict(self) -> dict[str, Any]:
        """For JSON output; raw as text, with U+FFFD where it is not UTF-8."""
        return {**asdict(self), "raw": self.raw.decode("utf-8", "replace")}


def quarantined(
    archive: Archive, *, chat: ChatKey | None = None, reason: str | None = None, limit: int
) -> list[Quarantined]:
    """Records in quarantine, in order of batch and line."""
    found = sa.select(quarantine).order_by(quarantine.c.batch, quarantine.c.line).limit(limit)
    if chat is not None:
        found = found.where(_of_chat(chat))
    if reason is not None:
        found = found.where(quarantine.c.reason == reason)
    with archive.database.snapshot() as connection:
        return [_quarantined(row) for row in connection.execute(found)]


def quarantine_reasons(archive: Archive, chat: ChatKey | None = None) -> list[str]:
    """The reasons for which records are in quarantine, in order."""
    found = sa.select(quarantine.c.reason).distinct().order_by(quarantine.c.reason)
    if chat is not None:
        found = found.where(_of_chat(chat))
    with archive.database.snapshot() as connection:
        return list(connection.scalars(found))


def quarantined_one(archive: Archive, batch: str, line: int) -> Quarantined:
    """One record in quarantine.

    Raises:
        QuarantineUnknown: there is none at this place.
    """
    found = sa.select(quarantine).where(quarantine.c.batch == batch, quarantine.c.line == line)
    with archive.database.snapshot() as connection:
        row = connection.execute(found).first()
    if row is None:
        raise QuarantineUnknown(batch, line)
    return _quarantined(row)


def _of_chat(chat: ChatKey) -> sa.ColumnElement[bool]:
    return sa.and_(
        quarantine.c.chat_entity_id == chat.entity_id,
        quarantine.c.chat_account_id == chat.account_id,
    )


def _quarantined(row: sa.Row[Any]) -> Quarantined:
    return Quarantined(
        batch=row.batch,
        line=row.line,
        chat=str(ChatKey(row.chat_entity_id, row.chat_account_id)),
        id=row.id,
        source=row.source,
        reason=row.reason,
        detail=row.detail,
        place=row.place,
        observed_at=row.observed_at,
        raw=bytes(row.raw),
    )
