"""A server that goes away is told of once, as our error."""

import logging

import pytest
import sqlalchemy as sa

from tg_pipeline.errors import DatabaseLost
from tg_pipeline.store.database import Database

_END_IT = sa.text("SELECT pg_terminate_backend(:pid)")


@pytest.mark.filterwarnings("ignore:.*deleted while still open:ResourceWarning")  # it is lost
def test_a_connection_lost_while_rows_are_streamed_leaves_no_traceback(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLAlchemy wrote one to standard error, before our message, for the cursor it then closed."""
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(DatabaseLost),
        database.snapshot() as connection,
    ):
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        streamed = connection.execution_options(stream_results=True, max_row_buffer=1)
        rows = streamed.exec_driver_sql("SELECT repeat('x', 10000) FROM generate_series(1, 9999)")
        next(rows)
        with database.transaction() as other:
            other.execute(_END_IT, {"pid": pid})
        list(rows)

    assert caplog.records == []
