"""Where Dagster keeps runs, events and schedules: every process finds it from our settings.

`dagster.yaml` names this class and nothing else, so no URL or password is written down or handed
from process to process. Web server, daemon, code servers and runs each read the settings, and
each claims the embedded server for as long as it uses it.
"""

import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as sa
from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.base_storage import DagsterStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster_postgres import (
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import set_pg_statement_timeout

from tg_pipeline.errors import DagsterDatabaseMissing, DagsterDatabaseUnreachable
from tg_pipeline.logs import mask
from tg_pipeline.settings import Settings, load
from tg_pipeline.store.database import embedded_folder
from tg_pipeline.store.embedded import acquire

_DATABASE = "dagster"  # made with the embedded cluster
_TABLES = {"runs", "instance_info", "event_logs", "jobs"}  # what the three storages look for


class Place:
    """Dagster's database: one engine for the three storages, which keeps its connections.

    Dagster by itself opens one for every event: a run of three small assets opened 58 and took
    0.43 s; with two kept it takes 0.19 s, and a materialization reported from outside 3 ms
    instead of 10. A broken connection is replaced; more are open only while threads need them.
    """

    def __init__(self, url: str, release: Callable[[], object] = bool) -> None:
        self._named = url
        # Dagster's NOTIFY has parameters, which psycopg 3 refuses.
        self.url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg2://", url)
        self.engine = sa.create_engine(
            self.url, isolation_level="AUTOCOMMIT", pool_size=2, max_overflow=-1, pool_pre_ping=True
        )
        self._release = weakref.finalize(self, release)
        self._milliseconds: int | None = None

    def limit(self, milliseconds: int) -> None:
        """End statements that take longer, from now on: the web server asks for it."""
        if self._milliseconds is None:
            sa.event.listen(self.engine, "connect", self._set_limit)
        self._milliseconds = milliseconds
        self.engine.dispose()

    def close(self) -> None:
        """Close the kept connection and give the claim on the embedded server back."""
        self.engine.dispose()
        self._release()

    @contextmanager
    def prepared(self) -> Iterator[bool]:
        """Whether tables are missing; if so, the others wait while we make them.

        Left to themselves, five processes that began at once took 14 seconds, or one failed.

        Raises:
            DagsterDatabaseUnreachable
        """
        try:
            found = set(sa.inspect(self.engine).get_table_names())
        except sa.exc.OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise DagsterDatabaseUnreachable(mask(self._named), mask(reason)) from error
        if found >= _TABLES:
            yield False
            return
        engine = self.engine.execution_options(isolation_level="READ COMMITTED")
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "SELECT pg_advisory_xact_lock(hashtextextended('tg_pipeline dagster tables', 0))"
            )
            yield True

    def _set_limit(self, connection: Any, _record: object) -> None:
        set_pg_statement_timeout(connection, self._milliseconds or 0)


class ArchiveRuns(PostgresRunStorage):
    """Runs on the shared engine."""

    def __init__(self, place: Place, autocreate: bool) -> None:
        super().__init__(place.url, autocreate)
        self._place, self._engine = place, place.engine

    def optimize_for_webserver(
        self,
        statement_timeout: int,
        pool_recycle: int,  # noqa: ARG002  a broken connection is replaced, old or not
        max_overflow: int,  # noqa: ARG002  there is no limit to wait for
    ) -> None:
        """Take the web server's limit on statements; connections are kept as they are."""
        self._place.limit(statement_timeout)


class ArchiveEvents(PostgresEventLogStorage):
    """Events on the shared engine."""

    def __init__(self, place: Place, autocreate: bool) -> None:
        super().__init__(place.url, autocreate)
        self._place, self._engine = place, place.engine

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """The runs' call has done it."""

    def dispose(self) -> None:
        """Close the place too: of the three, an instance disposes of this one last."""
        super().dispose()
        self._place.close()


class ArchiveSchedules(PostgresScheduleStorage):
    """Schedules and sensors on the shared engine."""

    def __init__(self, place: Place, autocreate: bool) -> None:
        super().__init__(place.url, autocreate)
        self._engine = place.engine

    def optimize_for_webserver(
        self, statement_timeout: int, pool_recycle: int, max_overflow: int
    ) -> None:
        """The runs' call has done it."""


class ArchiveStorage(DagsterStorage, ConfigurableClass):
    """Dagster's storage in the database that our settings name, for `storage.custom`.

    Raises:
        DagsterDatabaseMissing, DagsterDatabaseUnreachable, EmbeddedUnavailable,
        EmbeddedStartFailed, SettingInvalid
    """

    def __init__(self, place: Place, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        with place.prepared() as autocreate:
            self._runs = ArchiveRuns(place, autocreate)
            self._events = ArchiveEvents(place, autocreate)
            self._schedules = ArchiveSchedules(place, autocreate)

    @property
    def run_storage(self) -> PostgresRunStorage:
        """Runs, their tags, snapshots, cursors, heartbeats of the daemons."""
        return self._runs

    @property
    def event_log_storage(self) -> PostgresEventLogStorage:
        """Events, materializations, dynamic partitions, pools."""
        return self._events

    @property
    def schedule_storage(self) -> PostgresScheduleStorage:
        """Ticks and states of schedules and sensors."""
        return self._schedules

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What another process needs to make the same storage: no secrets."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing, or `postgres_url` to do without our settings; `{env: NAME}` works too."""
        return {"postgres_url": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Called by Dagster in every process."""
        given = config_value.get("postgres_url")
        return cls(Place(given) if given else place_of(load().settings), inst_data)


def place_of(settings: Settings) -> Place:
    """Dagster's database as the settings have it.

    Raises:
        DagsterDatabaseMissing: another server holds the archive, and Dagster's is not named.
        EmbeddedUnavailable, EmbeddedStartFailed
    """
    if settings.dagster_database_url is not None:
        return Place(settings.dagster_database_url)
    if settings.database_url is not None or not settings.embedded:
        raise DagsterDatabaseMissing
    folder = embedded_folder(settings)
    server = acquire(folder)
    place = Place(server.url(_DATABASE), server.close)
    # A server that was killed is started again before the next connection.
    sa.event.listen(place.engine, "do_connect", lambda *_: acquire(folder).close())
    return place
