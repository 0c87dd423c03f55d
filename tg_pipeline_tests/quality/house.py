"""An archive for tests of quality: batches in, findings and rulings out, damage in between."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tg_pipeline.contracts import (
    BatchManifest,
    Chat,
    ChatKey,
    ChatType,
    DatePrecision,
    IdRange,
    Kind,
    Message,
    Origin,
    Record,
    Rejected,
    Source,
    content_hash,
)
from tg_pipeline.landing import LandingZone, Shipment, land
from tg_pipeline.quality import RULES, Outcome, Ruling, judge, rulings
from tg_pipeline.quality.findings import Evidence, Span
from tg_pipeline.store.database import Database
from tg_pipeline.store.load import load
from tg_pipeline.store.windows import Grain, Window, windows

CHANNEL = ChatKey(-1001613744721)
PRIVATE = ChatKey(5_000_000_321, 777)
START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SEEN = datetime(2024, 6, 1, tzinfo=UTC)
Found = tuple[str, int | None, str]
"""Day, message id and what was found, `?` before it where it only warns."""


NOTHING: dict[str, Any] = {
    "text": "", "entities": (), "media_meta": None, "action": None, "poll": None
}  # fmt: skip
"""All that is hashed of a message, in that order."""


def hash_of(content: Mapping[str, Any]) -> bytes:
    return content_hash(*(content[name] for name in NOTHING))


def sent(number: int, when: datetime = START, chat: ChatKey = CHANNEL, **fields: Any) -> Message:
    """A message as Telegram Desktop shows it; `own_time`: its unix time, where that is another."""
    content = NOTHING | {"text": f"text {number}"}
    content |= {name: fields.pop(name) for name in NOTHING if name in fields}
    own_time: datetime = fields.pop("own_time", when)
    raw = {"id": number, "date_unixtime": f"{own_time.timestamp():.0f}"}
    if content["poll"] is not None:
        raw["poll"] = {"question": content["poll"].question}
    told = {
        "source": Source.TELEGRAM_DESKTOP_JSON,
        "entity_id": chat.entity_id,
        "account_id": chat.account_id,
        "id": number,
        "date": when,
        "date_precision": DatePrecision.EXACT,
        "kind": Kind.MESSAGE,
        "observed_at": SEEN,
        "raw": json.dumps(raw).encode(),
        **content,
        **fields,
    }
    unsupported = told["kind"] is Kind.UNSUPPORTED
    return Message(**told, content_hash=None if unsupported else hash_of(content))


def rejected(number: int | None, chat: ChatKey = CHANNEL) -> Rejected:
    """A record that was not understood."""
    return Rejected(
        source=Source.TELEGRAM_DESKTOP_JSON, entity_id=chat.entity_id, account_id=chat.account_id,
        id=number, reason="unsupported_without_date", detail="", place="", observed_at=SEEN,
        raw=b"{}",
    )  # fmt: skip


@dataclass(frozen=True)
class House:
    database: Database
    zone: LandingZone
    numbers: "itertools.count[int]"

    def land(
        self,
        *records: Record,
        chat: ChatKey = CHANNEL,
        seen: datetime = SEEN,
        complete: tuple[IdRange, ...] = (),
    ) -> BatchManifest:
        """One batch, seen at one moment, and not yet loaded."""
        named = f"batch{next(self.numbers)}"
        origin = Origin(file_name="result.json", file_sha256="0" * 64)
        kind = ChatType.PRIVATE if chat.entity_id > 0 else ChatType.CHANNEL
        about = Chat(
            source=Source.TELEGRAM_DESKTOP_JSON, entity_id=chat.entity_id,
            account_id=chat.account_id, type=kind, observed_at=seen,
        )  # fmt: skip
        shipment = Shipment(named, about, None, origin, seen)
        shown = [one.model_copy(update={"observed_at": seen}) for one in records]
        landed = land(
            self.zone, shipment, shown, numbers=itertools.count(1), complete=lambda: False
        )
        (manifest,) = landed
        return manifest.model_copy(update={"complete": complete})

    def take_in(self, *records: Record, **options: Any) -> BatchManifest:
        """One batch, landed and loaded."""
        manifest = self.land(*records, **options)
        load(self.database, self.zone, manifest)
        return manifest

    def run(self, statement: str) -> None:
        """Change the tables behind everybody's back."""
        with self.database.transaction() as connection:
            assert connection.exec_driver_sql(statement).rowcount, "nothing was changed"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.database.snapshot() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def found(self, rule: str, chat: ChatKey = CHANNEL) -> list[Found]:
        """All that a rule finds in a chat."""
        (asked,) = (one for one in RULES if one.name == rule)
        days = Span(chat, date(2000, 1, 1), date(2100, 1, 1))
        with self.database.snapshot() as connection:
            findings = list(asked.search(Evidence(connection, self.zone), days))
        warns = {True: "? ", False: ""}
        told = [
            (f"{one.day}", one.id, warns[asked.outcome(one) is Outcome.WARNING] + one.what)
            for one in findings
        ]
        return sorted(told, key=lambda one: (one[0], one[1] or 0, one[2]))

    def windows(self, grain: Grain = "month") -> list[Window]:
        with self.database.snapshot() as connection:
            return windows(connection, grain)

    def judge(self, wanted: Iterable[Window] | None = None) -> None:
        judge(self.database, self.zone, self.windows() if wanted is None else wanted)

    def ruled(self, wanted: Sequence[Window] | None = None) -> dict[Window, Ruling]:
        """How windows stand, without judging them."""
        asked = self.windows() if wanted is None else wanted
        with self.database.snapshot() as connection:
            return rulings(connection, asked)

    def outcomes(self, grain: Grain = "month") -> dict[str, str]:
        """How the windows of all chats stand: by first day, in one word each."""
        found = self.ruled(self.windows(grain))
        return {f"{window.period}": ruling.outcome.value for window, ruling in found.items()}

    def verdicts(self) -> list[tuple[Any, ...]]:
        """All verdict rows but when they were given, and by which transaction."""
        return self.rows(
            "SELECT entity_id, account_id, day, rule, rule_set, rows, digest, outcome, findings, "
            "examples FROM quality_results ORDER BY 1, 2, 3, 4"
        )
