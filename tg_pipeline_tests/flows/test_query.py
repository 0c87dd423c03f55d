"""Queries by people: they can read the archive and change nothing, here or elsewhere."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tg_pipeline.errors import QueryFailed
from tg_pipeline.flows import Archive, import_files, query
from tg_pipeline_tests.flows.making import chat, message, written
from tg_pipeline_tests.state import archived

REFUSED_QUERIES = {
    "insert": "INSERT INTO chats (entity_id) VALUES (1)",
    "update": "UPDATE messages SET text = 'gone'",
    "delete": "WITH gone AS (DELETE FROM messages RETURNING id) SELECT * FROM gone",
    "drop": "DROP TABLE messages",
    "create": "CREATE TABLE mine (id int)",
    "create temporary": "CREATE TEMPORARY TABLE mine (id int)",
    "program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "file": "COPY (SELECT 1) TO '/tmp/tg_pipeline_copied'",
    "read file": "SELECT pg_read_file('/etc/passwd')",
    "list folder": "SELECT pg_ls_dir('/')",
    "several": "SET TRANSACTION READ WRITE; DELETE FROM messages",
    "read write": "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "role": "SELECT set_config('role', '{owner}', false)",
    "session": "SET SESSION AUTHORIZATION {owner}",
    "large object": "SELECT lo_from_bytea(0, 'x')",
    "nonsense": "SELEC 1",
    "no table": "SELECT * FROM no_such_table",
    "empty": "",
}


@pytest.fixture
def filled(archive: Archive, tmp_path: Path) -> Archive:
    list(import_files(archive, [written(tmp_path / "result.json", chat(message(1)))]))
    return archive


def test_a_query_can_only_read(filled: Archive) -> None:
    before = archived(filled.database)
    with filled.database.snapshot() as connection:
        owner = connection.scalar(sa.text("SELECT current_user"))
    for kind, text in REFUSED_QUERIES.items():
        with pytest.raises(QueryFailed), query(filled, text.format(owner=owner)) as rows:
            pytest.fail(f"{kind}: {list(rows)}")
    assert archived(filled.database) == before
    assert not Path("/tmp/tg_pipeline_copied").exists()


def test_a_query_sees_every_table_and_view(filled: Archive) -> None:
    for name in (*archived(filled.database), "exports", "message_versions", "participants"):
        with query(filled, f"SELECT * FROM {name}") as rows:
            assert next(rows)


@pytest.mark.timeout(60)
def test_a_query_may_be_left_before_its_end(filled: Archive) -> None:
    """`tg-pipeline sql … | head` hung: the stream held the connection that was to be closed."""
    with query(filled, "SELECT generate_series(1, 1000000) AS n") as rows:
        assert [next(rows), next(rows)] == [("n",), (1,)]
