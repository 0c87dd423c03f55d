"""The verbs joined: the public Python API. The command line and the assets call these.

Those that ask Telegram are imported when they are used: its client takes half a second to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tg_pipeline.flows.archive import Archive, open_archive
from tg_pipeline.flows.changes import Changes, changes
from tg_pipeline.flows.check import check_windows
from tg_pipeline.flows.import_files import FileReport, ImportOptions, Imports, import_files
from tg_pipeline.flows.look import (
    Quarantined,
    known_chats,
    published_chats,
    quarantine_reasons,
    quarantined,
    quarantined_one,
    query,
    status,
)
from tg_pipeline.flows.migrate import migrate
from tg_pipeline.flows.progress import Progress, Step
from tg_pipeline.flows.publish import publish_windows, refresh
from tg_pipeline.flows.settle import rebuild, settle
from tg_pipeline.flows.stages import due_chats, load_windows, verify_windows
from tg_pipeline.flows.taking import (
    Fetched,
    Taken,
    account_waits,
    fetch_news,
    followed_chats,
    reading_accounts,
    take_windows,
)
from tg_pipeline.flows.windows import find_windows

if TYPE_CHECKING:
    from tg_pipeline.flows.fetching import (
        ChatReport,
        FetchOptions,
        FetchReport,
        fetch_chats,
        followed_keys,
    )

_FETCHING = {"ChatReport", "FetchOptions", "FetchReport", "fetch_chats", "followed_keys"}


def __getattr__(name: str) -> Any:
    if name in _FETCHING:
        return getattr(import_module("tg_pipeline.flows.fetching"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Archive",
    "Changes",
    "ChatReport",
    "FetchOptions",
    "FetchReport",
    "Fetched",
    "FileReport",
    "ImportOptions",
    "Imports",
    "Progress",
    "Quarantined",
    "Step",
    "Taken",
    "account_waits",
    "changes",
    "check_windows",
    "due_chats",
    "fetch_chats",
    "fetch_news",
    "find_windows",
    "followed_chats",
    "followed_keys",
    "import_files",
    "known_chats",
    "load_windows",
    "migrate",
    "open_archive",
    "publish_windows",
    "published_chats",
    "quarantine_reasons",
    "quarantined",
    "quarantined_one",
    "query",
    "reading_accounts",
    "rebuild",
    "refresh",
    "settle",
    "status",
    "take_windows",
    "verify_windows",
]
