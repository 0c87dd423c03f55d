"""A check-up: everything the archive needs, looked at one by one, each with its remedy."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from tg_pipeline.errors import (
    AccountBanned,
    BucketMissing,
    KeyDuplicated,
    SessionRevoked,
    TgPipelineError,
)
from tg_pipeline.files import Place, delete, durable, make_folder, names, read, storage_errors
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store import accounts, schema
from tg_pipeline.store.accounts import AccountState
from tg_pipeline.store.database import open_database

LEAST_FREE_BYTES = 1 << 30
_PROBE_NAME = ".doctor"  # always the same: what a killed run has left, the next one removes
_CAUSES = {"accounts": "database", "landed batches": "landing store"}
_PROBE = b"written by tg-pipeline doctor; may be deleted\n"
_NOT_WELL: dict[AccountState, Callable[[str], TgPipelineError]] = {
    AccountState.REVOKED: lambda account: SessionRevoked(account, "when it was last used"),
    AccountState.DUPLICATED: KeyDuplicated,
    AccountState.BANNED: lambda account: AccountBanned(account, "when it was last used"),
}


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
    """Look at folders, disk, zones, database, accounts, object stores and landed batches."""
    looks: list[tuple[str, Callable[[Settings], Finding]]] = [
        ("home folder", _folder),
        ("free disk", _disk),
        ("time zones", _zones),
        ("database", _database),
        ("accounts", _accounts),
        *((f"{name} store", partial(_object_store, name)) for name in _on_object_stores(settings)),
        ("landed batches", _landing),
    ]
    failed: set[str] = set()
    for what, look in looks:
        if _CAUSES.get(what) in failed:
            continue  # for what was just told
        finding = _looked(what, look, settings)
        if not finding.well:
            failed.add(what)
        yield finding


def _looked(what: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        with storage_errors(settings.home):
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
    with open_database(settings) as database, database.snapshot() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        revision = schema.current_revision(connection, database.schema)
        found = f"PostgreSQL {version}: {database.described}, revision {revision}"
        return Finding("database", True, found)


def _accounts(settings: Settings) -> Finding:
    """Whether each account has its session and was well when it was last used; nobody is asked."""
    from tg_pipeline.sources.telegram.sessions import Sessions  # noqa: PLC0415 - half a second

    with open_database(settings) as database, database.snapshot() as connection:
        known = accounts.every(connection)
    active = [one for one in known if one.state is AccountState.ACTIVE]
    for one in active:
        Sessions(settings).load(one.account)
    for one in known:
        if one.state in _NOT_WELL:
            raise _NOT_WELL[one.state](one.account)
    found = ", ".join(f"{one.account} ({one.name or one.user_id})" for one in active)
    return Finding("accounts", True, f"logged in: {found}" if found else "none is logged in")


def _on_object_stores(settings: Settings) -> list[str]:
    return [name for name in ("landing", "exports") if isinstance(getattr(settings, name), str)]


def _object_store(name: str, settings: Settings) -> Finding:
    """Write, read, list and delete an object: what a key may not do is told by the error."""
    folder = settings.landing_folder if name == "landing" else settings.exports_folder
    try:
        well = _keeps(folder / _PROBE_NAME)
    except BucketMissing:
        bucket = "/".join(f"{folder}".split("/")[:3])
        remedy = f"Create {bucket}, or correct TG_PIPELINE_{name.upper()}."
        return Finding(f"{name} store", False, f"there is no bucket or container {bucket}", remedy)
    if not well:
        found = f"{folder} lost what was written"
        return Finding(f"{name} store", False, found, "See what else deletes or changes it.")
    found = f"{folder} can be written, read, listed and deleted from"
    return Finding(f"{name} store", True, found)


def _keeps(probe: Place) -> bool:
    """Whether what was written is there, and listed."""
    with durable(probe) as file:
        file.write(_PROBE)
    try:
        return read(probe) == _PROBE and probe.name in names(probe.parent)
    except FileNotFoundError:
        return False
    finally:
        delete(probe)


def _landing(settings: Settings) -> Finding:
    zone = LandingZone(settings.landing_folder)
    _require_listable(zone.folder)
    batches = 0
    for chat in zone.chats():
        for manifest in zone.manifests(chat):
            zone.verify(manifest)
            batches += 1
    return Finding("landed batches", True, f"{batches} whole, in {zone.folder}")


def _require_listable(folder: Place) -> None:
    """Of a folder that cannot be listed it would be said that there is nothing in it."""
    make_folder(folder)
    if isinstance(folder, Path):
        with storage_errors(folder):
            next(folder.iterdir(), None)
