"""Names of people: who was shown under which name, in which chat."""

from pathlib import Path

import sqlalchemy as sa

from tg_pipeline.flows import Archive, import_files
from tg_pipeline_tests.flows.making import account, chat, message, written


def test_a_person_in_two_chats_of_one_file_is_named_in_both(
    archive: Archive, tmp_path: Path
) -> None:
    """Names were told once a file, so the second chat forgot them when the first was withdrawn."""
    chats = [chat(message(1), message(2), id=number) for number in (77, 78)]
    path = written(tmp_path / "result.json", account(*chats))
    list(import_files(archive, [path]))
    with archive.database.snapshot() as connection:
        rows = connection.execute(
            sa.text("SELECT entity_id, participant_id, name FROM participant_names ORDER BY 1")
        ).all()
    assert [tuple(row) for row in rows] == [
        (-1000000000078, 10, "Ada"),
        (-1000000000077, 10, "Ada"),
    ]
