"""A server that goes away is told of once, as our error."""

import gc
import logging

import pytest
import sqlalchemy as sa

from tg_pipeline.errors import DatabaseLost
from tg_pipeline.store.database import Database

_ROWS = "SELECT repeat('x', 10000) FROM generate_series(1, 9999)"


def lose_it_while_streaming(database: Database) -> None:
    with database.snapshot() as connection:
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        streamed = connection.execution_options(stream_results=True, max_row_buffer=1)
        rows = streamed.exec_driver_sql(_ROWS)
        next(rows)
        with database.transaction() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        rows.close()


@pytest.mark.filterwarnings("ignore:.*deleted while still open:ResourceWarning")  # it is lost
def test_a_connection_lost_while_rows_are_streamed_leaves_no_traceback(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLAlchemy wrote one to standard error, before our message, for the cursor it then closed."""
    with caplog.at_level(logging.ERROR), pytest.raises(DatabaseLost):
        lose_it_while_streaming(database)
    gc.collect()

    assert caplog.records == []
