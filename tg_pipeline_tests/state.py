"""What an archive holds, in a form that two archives can be compared by.

contents(database)      all tables, row by row, without the times of loading
archived(database)      the same without verdicts and exports
landed(folder)          what every file of a landing zone is, without the times of landing
local_folder(folder)           a folder of an archive that is known to be on this machine
published(folder)       the manifest of the published files, each file checked against it
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tg_pipeline import files
from tg_pipeline.files import Place
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import metadata

VOLATILE = {"loaded_at", "published_at", "created_at", "generated_at", "judged_at", "written_by"}
DERIVED = {"exports", "quality_results"}
_ROWS = "SELECT (to_jsonb(t) - CAST(:volatile AS text[]))::text FROM {table} t {held} ORDER BY 1"

Contents = dict[str, list[str]]


def contents(database: Database) -> Contents:
    """Every row of every table, without volatile columns and without days that hold nothing."""
    with database.snapshot() as connection:
        return {
            table.name: list(
                connection.scalars(
                    sa.text(_ROWS.format(table=table.name, held=_HELD.get(table.name, ""))),
                    {"volatile": sorted(VOLATILE)},
                )
            )
            for table in metadata.sorted_tables
        }


_HELD = {"chat_days": "WHERE t.rows > 0"}


def archived(database: Database) -> Contents:
    """What was archived: everything but what can be judged and published from it."""
    return {name: rows for name, rows in contents(database).items() if name not in DERIVED}


def local_folder(folder: Place) -> Path:
    """The folder of an archive that lies on this machine."""
    assert isinstance(folder, Path)
    return folder


def landed(folder: Place) -> dict[str, Any]:
    """Landing: SHA-256 of data files, manifests without their times."""
    found: dict[str, Any] = {}
    for name in files.names(folder):
        data = files.read(folder / name)
        is_json = name.endswith(".json")
        found[name] = _without_times(json.loads(data)) if is_json else _sha256(data)
    return found


def published(folder: Place) -> dict[str, Any]:
    """The manifest of each dataset, once every file it names has proved to be there, unchanged."""
    manifests = [name for name in files.names(folder) if name.endswith("/_manifest.json")]
    found = {name.split("/")[0]: json.loads(files.read(folder / name)) for name in manifests}
    for dataset, document in found.items():
        for file in document["files"]:
            data = files.read(folder / dataset / file["path"])
            assert len(data) == file["bytes"], file["path"]
            assert _sha256(data) == file["sha256"], file["path"]
    return {name: _without_times(document) for name, document in found.items()}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(one) for name, one in value.items() if name not in VOLATILE}
    return [_without_times(one) for one in value] if isinstance(value, list) else value


def assert_same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Say in a few lines where two states differ; a full difference could be gigabytes."""
    told = [
        f"{name}: {_told(found.get(name), expected.get(name))}"
        for name in sorted({*found, *expected})
        if found.get(name) != expected.get(name)
    ]
    assert not told, "\n".join(told)


def _told(found: Any, expected: Any) -> str:
    if isinstance(found, list) and isinstance(expected, list):
        pairs = zip(found, expected, strict=False)
        first = next((pair for pair in pairs if pair[0] != pair[1]), "only in length")
        return f"{len(found)} rows instead of {len(expected)}, first difference: {first!s:.2000}"
    return f"{found!s:.1000} instead of {expected!s:.1000}"
