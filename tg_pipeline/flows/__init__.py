"""The verbs joined: the public Python API. The command line and the assets call these."""

from tg_pipeline.flows.archive import Archive, open_archive
from tg_pipeline.flows.import_files import FileReport, ImportOptions, import_files
from tg_pipeline.flows.progress import Progress, Step
from tg_pipeline.flows.publish import publish_window
from tg_pipeline.flows.settle import rebuild, settle

__all__ = [
    "Archive",
    "FileReport",
    "ImportOptions",
    "Progress",
    "Step",
    "import_files",
    "open_archive",
    "publish_window",
    "rebuild",
    "settle",
]
