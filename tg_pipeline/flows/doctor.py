"""A check-up: everything the archive needs, looked at one by one, each with its remedy."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from tg_pipeline.errors import TgPipelineError
from tg_pipeline.files import make_folder, storage_errors
from tg_pipeline.flows.archive import open_archive
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store import schema

LEAST_FREE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, what was found, and what to do if not."""

    what: str
    well: bool
    found: str
    remedy: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return asdict(self)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at folders, disk, zones, database, tables and landed batches."""
    for what, look in (
        ("home folder", _folder),
        ("free disk", _disk),
        ("time zones", _zones),
        ("database", _database),
        ("landed batches", _landing),
    ):
        yield _looked(what, look, settings)


def _looked(what: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except TgPipelineError as error:
        return Finding(what, False, error.message, error.remedy)


def _folder(settings: Settings) -> Finding:
    make_folder(settings.home)
    with storage_errors(settings.home), tempfile.TemporaryFile(dir=settings.home):
        return Finding("home folder", True, f"{settings.home} can be written")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(settings.home)).free
    found = f"{free / 2**30:.1f} GiB free at {settings.home}"
    well = free >= LEAST_FREE_BYTES
    return Finding("free disk", well, found, None if well else "Free some space.")


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _zones(_settings: Settings) -> Finding:
    return Finding("time zones", True, f"{len(available_timezones())} known")


def _database(settings: Settings) -> Finding:
    with open_archive(settings) as archive, archive.database.snapshot() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        revision = schema.current_revision(connection, archive.database.schema)
        found = f"PostgreSQL {version}: {archive.database.described}, revision {revision}"
        return Finding("database", True, found)


def _landing(settings: Settings) -> Finding:
    zone = LandingZone(settings.landing_folder)
    batches = 0
    for chat in zone.chats():
        for manifest in zone.manifests(chat):
            zone.verify(manifest)
            batches += 1
    return Finding("landed batches", True, f"{batches} whole, in {zone.folder}")
