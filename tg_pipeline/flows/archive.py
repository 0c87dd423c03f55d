"""The archive: database, landing zone and exports folder that one set of settings names."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tg_pipeline.files import Place
from tg_pipeline.landing import LandingZone
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import Database, open_database


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


@contextmanager
def open_archive(settings: Settings) -> Iterator[Archive]:
    """Open database and landing zone; the embedded server stops with its last user.

    Raises:
        DatabaseUnreachable, DatabaseAccessDenied, SchemaTooNew, EmbeddedUnavailable,
        FolderNotWritable, ExtraMissing
    """
    with open_database(settings) as database:
        yield Archive(settings, database, LandingZone(settings.landing_folder))
