"""The manifest: the file that says which files are the dataset.

It is rendered from the table `exports`, names only files that are there, and is replaced last and
in one step, so a reader sees the dataset as it was or as it is. A file that it names no longer
stays for an hour, for those who still read by the manifest before.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from tg_pipeline.contracts import SCHEMA_VERSION
from tg_pipeline.errors import CountsDiffer
from tg_pipeline.exports.columns import DATASET, EXPORTER_VERSION, field_docs
from tg_pipeline.exports.formats import FORMATS
from tg_pipeline.exports.ledger import Entry
from tg_pipeline.files import durable, storage_errors

MANIFEST: Final = "_manifest.json"
MANIFEST_VERSION: Final = "1"
GRACE_SECONDS: Final = 3600
_WHEN = "generated_at"
Document = dict[str, Any]


def read(folder: Path) -> Document | None:
    """The manifest of a dataset folder; None where there is none, or none that can be read."""
    try:
        document: Document = orjson.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError):
        return None
    return document


def is_there(folder: Path, entry: Entry) -> bool:
    """Whether an entry's file exists with the size it was recorded with."""
    try:
        return (folder / entry.path).stat().st_size == entry.bytes
    except (FileNotFoundError, NotADirectoryError):
        return False


def one_grain_per_chat(entries: Sequence[Entry], before: Document | None) -> list[Entry]:
    """Leave out what would list rows twice.

    While a chat changes from months to days, and if that is cut short, the record holds both.
    The manifest goes on naming the grain it named before until the change is complete.
    """
    named = {file["chat"]: file["grain"] for file in _files(before)}
    fallback = {str(entry.chat): entry.grain for entry in entries}
    grains = fallback | named
    present = {(str(entry.chat), entry.grain) for entry in entries}
    return [
        entry
        for entry in entries
        if entry.grain == grains[str(entry.chat)]
        or (str(entry.chat), grains[str(entry.chat)]) not in present
    ]


def render(entries: Sequence[Entry]) -> Document:
    """The manifest of these files, apart from when it was made.

    Raises:
        CountsDiffer: the formats do not hold the same number of rows.
    """
    totals = {name: _total(entry for entry in entries if entry.format == name) for name in FORMATS}
    first = totals[FORMATS[0]]["rows"]
    for name in FORMATS[1:]:
        if totals[name]["rows"] != first:
            raise CountsDiffer(f"dataset {DATASET} as {name}", first, totals[name]["rows"])
    return {
        "dataset": DATASET,
        "manifest_version": MANIFEST_VERSION,
        "schema_version": SCHEMA_VERSION,
        "exporter_version": EXPORTER_VERSION,
        "totals": totals,
        "files": [_file(entry) for entry in entries],
        "fields": field_docs(),
    }


def replace(folder: Path, document: Document, before: Document | None) -> bool:
    """Put the new manifest in place of the old one, unless they say the same."""
    if before is not None and document == {k: v for k, v in before.items() if k != _WHEN}:
        return False
    _date_superseded(folder, _paths(before) - _paths(document))
    stamped = {_WHEN: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **document}
    with durable(folder / MANIFEST) as file:
        file.write(orjson.dumps(stamped, option=orjson.OPT_INDENT_2))
    return True


def prune(folder: Path, keep: Collection[str], grace_seconds: float = GRACE_SECONDS) -> int:
    """Delete files that nobody can need: superseded ones, and leftovers of killed runs.

    A file goes only when neither the record nor the manifest names it and it has not been touched
    for the grace period. Superseded files are touched when the manifest drops them, so a reader
    of the manifest before has that long to finish. Returns how many files were deleted.
    """
    oldest = datetime.now(UTC).timestamp() - grace_seconds
    old = [path for path in _unnamed(folder, keep) if _touched(path) < oldest]
    with storage_errors(folder):
        for path in old:
            path.unlink(missing_ok=True)
    for parent in {path.parent for path in old}:
        with suppress(OSError):  # not empty
            parent.rmdir()
            parent.parent.rmdir()
    return len(old)


def _unnamed(folder: Path, keep: Collection[str]) -> list[Path]:
    published = [path for name in FORMATS for path in (folder / name).glob("chat=*/period=*/*")]
    leftovers = folder.glob(f".{MANIFEST}.*.tmp")
    return [path for path in (*published, *leftovers) if str(path.relative_to(folder)) not in keep]


def _touched(path: Path) -> float:
    """When the file was last written or dropped; now, where somebody else has just removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return datetime.now(UTC).timestamp()


def _date_superseded(folder: Path, paths: Iterable[str]) -> None:
    """Let the grace period begin."""
    with storage_errors(folder):
        for path in paths:
            with suppress(FileNotFoundError):
                os.utime(folder / path)


def _files(document: Document | None) -> list[Document]:
    return list(document["files"]) if document else []


def _paths(document: Document | None) -> set[str]:
    return {file["path"] for file in _files(document)}


def _total(entries: Iterable[Entry]) -> dict[str, int]:
    listed = list(entries)
    return {
        "files": len(listed),
        "rows": sum(entry.rows for entry in listed),
        "bytes": sum(entry.bytes for entry in listed),
    }


def _file(entry: Entry) -> Document:
    return {
        "chat": str(entry.chat),
        "period": f"{entry.period}",
        "grain": entry.grain,
        "format": entry.format,
        "path": entry.path,
        "rows": entry.rows,
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "schema_version": entry.schema_version,
        "data_version": entry.data_version,
        "exporter_version": entry.exporter_version,
        "verdict": entry.verdict,
        "profile": "full",
        "forced": entry.forced,
    }
