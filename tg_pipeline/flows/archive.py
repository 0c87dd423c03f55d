"""The archive: database, landing zone and exports folder that one set of settings names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tg_pipeline.files import Place, storage_errors
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database, embedded_folder, open_database


@dataclass(frozen=True, slots=True)
class Archive:
    """What every flow works on."""

    settings: Settings
    database: Database
    zone: LandingZone

    @property
    def exports(self) -> Place:
        """Where datasets are published."""
        return self.settings.exports_folder


def is_made(settings: Settings) -> bool:
    """Whether there may be an archive: the embedded database is only made when it is opened."""
    if settings.database_url is not None or not settings.embedded:
        return True
    return embedded_folder(settings).exists() or _exists(settings.landing_folder)


def _exists(folder: Place) -> bool:
    with storage_errors(folder):
        return folder.exists()


@contextmanager
def open_archive(settings: Settings) -> Iterator[Archive]:
    """Open database and landing zone; the embedded server stops with its last user.

    Raises:
        DatabaseUnreachable, DatabaseAccessDenied, SchemaTooNew, EmbeddedUnavailable,
        FolderNotWritable, ExtraMissing
    """
    with open_database(settings) as database:
        yield Archive(settings, database, LandingZone(settings.landing_folder))
