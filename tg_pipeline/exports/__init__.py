"""Exports: windows of messages as immutable, content-named files, and one manifest.

    publish(database, folder, windows)

writes `messages/parquet/chat=…/period=…/<sha256>.parquet` and the same rows as
`messages/jsonl/…/<sha256>.jsonl.zst`, then replaces `messages/_manifest.json`, which *is* the
dataset: a file that it does not name does not belong to it.
"""

from tg_pipeline.exports.columns import COLUMNS, DATASET, EXPORTER_VERSION, SCHEMA, Column
from tg_pipeline.exports.ledger import Entry, recorded, windows_of
from tg_pipeline.exports.manifest import MANIFEST, files_of
from tg_pipeline.exports.publication import is_settled, publish
from tg_pipeline.exports.published import Outcome, Published, PublishedWindow

__all__ = [
    "COLUMNS",
    "DATASET",
    "EXPORTER_VERSION",
    "MANIFEST",
    "SCHEMA",
    "Column",
    "Entry",
    "Outcome",
    "Published",
    "PublishedWindow",
    "files_of",
    "is_settled",
    "publish",
    "recorded",
    "windows_of",
]
