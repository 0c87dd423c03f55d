"""The verbs joined: the public Python API. The command line and the assets call these."""

from tg_pipeline.flows.archive import Archive, open_archive
from tg_pipeline.flows.import_files import FileReport, ImportOptions, import_files
from tg_pipeline.flows.look import (
    Quarantined,
    known_chats,
    quarantined,
    quarantined_one,
    query,
    status,
)
from tg_pipeline.flows.migrate import migrate
from tg_pipeline.flows.progress import Progress, Step
from tg_pipeline.flows.publish import publish_window
from tg_pipeline.flows.settle import rebuild, settle

__all__ = [
    "Archive",
    "FileReport",
    "ImportOptions",
    "Progress",
    "Quarantined",
    "Step",
    "import_files",
    "known_chats",
    "migrate",
    "open_archive",
    "publish_window",
    "quarantined",
    "quarantined_one",
    "query",
    "rebuild",
    "settle",
    "status",
]
