"""`complete`: the user vouches that a file leaves nothing out."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tg_pipeline.flows import Archive, ImportOptions, import_files
from tg_pipeline_tests.flows.making import chat, message, written


def unread(number: int) -> dict[str, object]:
    return {"id": number, "type": "unsupported"}


@pytest.mark.parametrize(
    ("rejected", "expected"),
    [
        ([], [(1, 6)]),
        ([unread(3)], [(1, 2), (4, 6)]),
        ([unread(4), unread(3)], [(1, 2), (5, 6)]),
        ([unread(1), unread(6)], [(2, 5)]),
        ([unread(-3), unread(9)], [(1, 6)]),
        ([{"type": "message", "text": "no id"}], []),
    ],
)
def test_records_that_were_not_understood_narrow_the_claim(
    archive: Archive,
    tmp_path: Path,
    rejected: list[dict[str, object]],
    expected: list[tuple[int, int]],
) -> None:
    """One message of a kind this Desktop did not know made the user's word void, silently."""
    taken = {one.get("id") for one in rejected}
    readable = [message(number) for number in range(1, 7) if number not in taken]
    path = written(tmp_path / "result.json", chat(message(1), message(6), *readable, *rejected))
    (report,) = import_files(archive, [path], ImportOptions(complete=True))
    assert report.counts.quarantined == len(rejected)
    with archive.database.snapshot() as connection:
        rows = connection.execute(sa.text("SELECT low, high FROM complete_ranges ORDER BY low"))
        assert [tuple(row) for row in rows] == expected
