"""What the archive holds, chat by chat; read from counts, never by scanning messages."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.contracts.identity import CHANNEL_MARK
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.landing import LandingZone
from tg_pipeline.logs import get_logger
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import batches

_IN_CHAT = f"(c.entity_id <= -{CHANNEL_MARK} OR {{table}}.account_id = c.account_id)"
_CHATS = f"""
SELECT c.entity_id, c.account_id, c.title, c.type,
       coalesce(d.rows, 0) AS messages, coalesce(d.service, 0) AS service_messages,
       coalesce(d.hashed, 0) + (
           SELECT count(*) FROM superseded_versions v
           WHERE v.entity_id = c.entity_id AND {_IN_CHAT.format(table="v")}
       ) AS versions,
       (SELECT min(m.date) FROM messages m
        WHERE m.entity_id = c.entity_id AND {_IN_CHAT.format(table="m")}) AS first_date,
       (SELECT max(m.date) FROM messages m
        WHERE m.entity_id = c.entity_id AND {_IN_CHAT.format(table="m")}) AS last_date,
       (SELECT count(*) FROM quarantine q
        WHERE q.chat_entity_id = c.entity_id
          AND q.chat_account_id = c.account_id) AS quarantined,
       coalesce(b.records, 0) AS loaded
FROM chats c
LEFT JOIN (
    SELECT entity_id, account_id, sum(rows) AS rows, sum(service) AS service,
           sum(hashed) AS hashed
    FROM chat_days GROUP BY entity_id, account_id
) d USING (entity_id, account_id)
LEFT JOIN (
    SELECT entity_id, account_id, sum(messages + rejected) AS records
    FROM batches GROUP BY entity_id, account_id
) b USING (entity_id, account_id)
ORDER BY c.entity_id, c.account_id
"""


@dataclass(frozen=True, slots=True)
class ChatStatus:
    """One chat in the archive. Dates are UTC; landed and loaded count records."""

    chat: str
    entity_id: int
    account_id: int
    title: str | None
    type: str
    messages: int
    service_messages: int
    versions: int
    first_date: datetime | None
    last_date: datetime | None
    quarantined: int
    landed: int
    loaded: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return asdict(self)


def chat_statuses(connection: Connection, zone: LandingZone) -> list[ChatStatus]:
    """Every chat that is loaded or landed, in key order."""
    rows = {
        ChatKey(row.entity_id, row.account_id): row for row in connection.exec_driver_sql(_CHATS)
    }
    landed = zone.landed()
    return [
        _status(key, rows.get(key), _landed(zone, key, landed.get(key, ())))
        for key in sorted(rows.keys() | landed.keys())
    ]


def _landed(zone: LandingZone, chat: ChatKey, batches: Iterable[str]) -> int:
    """Records in the chat's batches; one whose manifest is damaged can only be named."""
    records = 0
    for name in batches:
        try:
            manifest = zone.manifest(chat, name)
        except BatchDamaged as error:
            get_logger().error("batch.damaged", chat=str(chat), batch=name, reason=error.message)
            continue
        records += manifest.messages + manifest.rejected
    return records


def _status(chat: ChatKey, row: sa.Row[Any] | None, landed: int) -> ChatStatus:
    if row is None:
        return replace(not_archived(chat), landed=landed)
    return ChatStatus(
        chat=str(chat),
        entity_id=chat.entity_id,
        account_id=chat.account_id,
        title=row.title,
        type=row.type,
        messages=int(row.messages),
        service_messages=int(row.service_messages),
        versions=int(row.versions),
        first_date=row.first_date,
        last_date=row.last_date,
        quarantined=row.quarantined,
        landed=landed,
        loaded=int(row.loaded),
    )


def not_archived(chat: ChatKey) -> ChatStatus:
    """A chat of which the tables hold nothing."""
    return ChatStatus(
        str(chat), chat.entity_id, chat.account_id, title=None, type="unknown",
        messages=0, service_messages=0, versions=0, first_date=None, last_date=None,
        quarantined=0, landed=0, loaded=0,
    )  # fmt: skip


def loaded_batches(database: Database) -> dict[ChatKey, set[str]]:
    """Names of the loaded batches of every chat."""
    found: dict[ChatKey, set[str]] = {}
    with database.transaction() as connection:
        columns = (batches.c.entity_id, batches.c.account_id, batches.c.batch)
        for entity_id, account_id, batch in connection.execute(sa.select(*columns)):
            found.setdefault(ChatKey(entity_id, account_id), set()).add(batch)
    return found
