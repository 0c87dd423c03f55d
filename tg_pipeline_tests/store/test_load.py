"""Batches of other schema versions, and the shortcut that spares Alembic."""

import hashlib
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import zstandard
from alembic.config import Config
from alembic.script import ScriptDirectory

from tg_pipeline.contracts import (
    BatchManifest,
    Chat,
    ChatType,
    DatePrecision,
    Kind,
    Message,
    Origin,
    Source,
    codec,
    content_hash,
)
from tg_pipeline.errors import ContractTooNew
from tg_pipeline.landing import LandingZone, Shipment, land
from tg_pipeline.store import schema
from tg_pipeline.store.database import Database
from tg_pipeline.store.load import load
from tg_pipeline.store.tables import HEAD

MIGRATIONS = Path(__file__).parents[2] / "alembic"
NOW = datetime(2024, 5, 1, tzinfo=UTC)


def message() -> Message:
    return Message(
        source=Source.TELEGRAM_DESKTOP_JSON,
        account_id=0,
        entity_id=-1001,
        id=7,
        date=NOW,
        date_precision=DatePrecision.EXACT,
        kind=Kind.MESSAGE,
        text="hello",
        content_hash=content_hash("hello", (), None, None, None),
        observed_at=NOW,
        raw=b'{"id":7}',
    )


def landed(zone: LandingZone) -> BatchManifest:
    chat = Chat(
        source=Source.TELEGRAM_DESKTOP_JSON,
        entity_id=-1001,
        account_id=0,
        type=ChatType.CHANNEL,
        observed_at=NOW,
    )
    origin = Origin(file_name="result.json", file_sha256="0" * 64)
    shipment = Shipment("batch", chat, None, origin, NOW)
    (manifest,) = land(
        zone, shipment, [message()], numbers=itertools.count(1), complete=lambda: False
    )
    return manifest


def rewritten(zone: LandingZone, manifest: BatchManifest, version: str) -> BatchManifest:
    """The batch as another version of tg_pipeline would have written it: `body`, not `text`."""
    lines = b"".join(
        line.replace(b'"schema_version":"1.0"', b'"schema_version":"%s"' % version.encode())
        .replace(b'"text":', b'"body":')
        + b"\n"
        for line in zone.lines(manifest)
    )  # fmt: skip
    data = zstandard.ZstdCompressor().compress(lines)
    zone.data_path(manifest).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return manifest.model_copy(update={"schema_version": version, "sha256": digest})


def lifted(fields: codec.Fields) -> codec.Fields:
    if "body" in fields:
        fields["text"] = fields.pop("body")
    return fields


def test_a_batch_of_an_older_schema_version_still_loads(
    database: Database, zone: LandingZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(codec.UPCASTERS, "0.9", ("1.0", lifted))
    counts = load(database, zone, rewritten(zone, landed(zone), "0.9"))
    assert (counts.read, counts.new) == (1, 1)
    with database.snapshot() as connection:
        assert connection.scalar(sa.text("SELECT text FROM messages")) == "hello"


def test_a_batch_of_a_newer_schema_version_is_refused_whole(
    database: Database, zone: LandingZone
) -> None:
    with pytest.raises(ContractTooNew):
        load(database, zone, rewritten(zone, landed(zone), "9.0"))
    with database.snapshot() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM messages")) == 0
        assert connection.scalar(sa.text("SELECT count(*) FROM batches")) == 0


def test_head_is_the_newest_migration(database: Database) -> None:
    with database.snapshot() as connection:
        assert schema.current_revision(connection, database.schema) == HEAD
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD
