"""The manifest: the file that says which files are the dataset.

It is rendered from the table `exports`, names only files that are there, and is replaced last and
in one step, so a reader sees the dataset as it was or as it is. A file that it names no longer
stays for an hour, for those who still read by the manifest before; `_superseded.json` says since
when, as an object store gives no file another time.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from tg_pipeline.files import Place, delete, durable, listing, read, stored
from tg_pipeline.objects import Stored

MANIFEST: Final = "_manifest.json"
SUPERSEDED: Final = "_superseded.json"
MANIFEST_VERSION: Final = "1"
GRACE_SECONDS: Final = 3600
_WHEN = "generated_at"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
Document = dict[str, Any]
Files = Mapping[str, Stored]
"""What lies in a dataset's folder, by relative path."""


def current(folder: Place) -> Document | None:
    """The manifest of a dataset folder; None where there is none, or none that can be read."""
    return _document(folder / MANIFEST)


def files_of(folder: Place, below: str) -> Files:
    """The files of one chat or window, given as `chat=…` or `chat=…/period=…`."""
    return {
        f"{name}/{below}/{path}": found
        for name in FORMATS
        for path, found in listing(folder / name / below).items()
    }


def is_there(files: Files, entry: Entry) -> bool:
    """Whether an entry's file exists with the size it was recorded with."""
    found = files.get(entry.path)
    return found is not None and found.bytes == entry.bytes


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


def replace(folder: Place, document: Document, before: Document | None) -> bool:
    """Put the new manifest in place of the old one, unless they say the same."""
    if before is not None and document == {k: v for k, v in before.items() if k != _WHEN}:
        return False
    now = datetime.now(UTC).strftime(_TIME)
    gone = _paths(before) - _paths(document)
    if gone:  # the grace period begins
        _write(folder / SUPERSEDED, _superseded(folder) | dict.fromkeys(sorted(gone), now))
    _write(folder / MANIFEST, {_WHEN: now, **document})
    return True


def prune(
    folder: Place, files: Files, keep: Collection[str], grace_seconds: float = GRACE_SECONDS
) -> int:
    """Delete files that nobody can need: superseded ones, and leftovers of killed runs.

    A file goes only when neither the record nor the manifest names it, and it was written and
    superseded longer ago than the grace period, so that a reader of the manifest before has that
    long to finish. Returns how many files were deleted.
    """
    superseded = _superseded(folder)
    oldest = datetime.now(UTC).timestamp() - grace_seconds
    old = [
        path
        for path in _unnamed(files, keep)
        if _seconds(superseded.get(path)) < oldest and files[path].written_at < oldest
    ]
    for path in old:
        found = stored(folder / path)
        if found is not None and found.written_at < oldest:  # nobody has just written it again
            delete(folder / path)
    if isinstance(folder, Path):
        _remove_empty({(folder / path).parent for path in old})
    left = {path: when for path, when in superseded.items() if path in files and path not in old}
    if left != superseded:
        _write(folder / SUPERSEDED, left)
    return len(old)


def _unnamed(files: Files, keep: Collection[str]) -> Iterator[str]:
    for path in files:
        published = path.count("/") == 3 and path.startswith(
            tuple(f"{one}/chat=" for one in FORMATS)
        )
        leftover = path.startswith((f".{MANIFEST}.", f".{SUPERSEDED}.")) and path.endswith(".tmp")
        if (published or leftover) and path not in keep:
            yield path


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # not empty
            folder.rmdir()
            folder.parent.rmdir()


def _superseded(folder: Place) -> dict[str, str]:
    """When the manifest stopped naming files that may still be there."""
    return _document(folder / SUPERSEDED) or {}


def _seconds(time: str | None) -> float:
    """Since 1970; 0 of what was never superseded."""
    if time is None:
        return 0
    return datetime.strptime(time, _TIME).replace(tzinfo=UTC).timestamp()


def _document(path: Place) -> Document | None:
    try:
        document: Document = orjson.loads(read(path))
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError):
        return None
    return document


def _write(path: Place, document: Document) -> None:
    with durable(path) as file:
        file.write(orjson.dumps(document, option=orjson.OPT_INDENT_2))


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
