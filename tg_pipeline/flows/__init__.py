"""The verbs joined: the public Python API. The command line and the assets call these.

Those that ask Telegram are imported when they are used: its client takes half a second to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tg_pipeline.flows.archive import Archive, is_made, open_archive
from tg_pipeline.flows.changes import Changes, changes, unpublished
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
from tg_pipeline.flows.overview import ChatOverview, Overview, overview
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
    from tg_pipeline.flows.chats import (
        Discovered,
        Drift,
        Outcome,
        add_chats,
        apply_chats,
        chats_to_fetch,
        discover_chats,
        followed_keys,
        plan_chats,
        remove_chats,
    )
    from tg_pipeline.flows.fetching import ChatReport, FetchOptions, FetchReport, fetch_chats
    from tg_pipeline.flows.login import LoggedIn, log_in, log_out, new_session

# fmt: off
_LATER = {
    "chats": {
        "Discovered", "Drift", "Outcome", "add_chats", "apply_chats", "chats_to_fetch",
        "discover_chats", "followed_keys", "plan_chats", "remove_chats",
    },
    "fetching": {"ChatReport", "FetchOptions", "FetchReport", "fetch_chats"},
    "login": {"LoggedIn", "log_in", "log_out", "new_session"},
}
# fmt: on


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(f"tg_pipeline.flows.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Archive",
    "Changes",
    "ChatOverview",
    "ChatReport",
    "Discovered",
    "Drift",
    "FetchOptions",
    "FetchReport",
    "Fetched",
    "FileReport",
    "ImportOptions",
    "Imports",
    "LoggedIn",
    "Outcome",
    "Overview",
    "Progress",
    "Quarantined",
    "Step",
    "Taken",
    "account_waits",
    "add_chats",
    "apply_chats",
    "changes",
    "chats_to_fetch",
    "check_windows",
    "discover_chats",
    "due_chats",
    "fetch_chats",
    "fetch_news",
    "find_windows",
    "followed_chats",
    "followed_keys",
    "import_files",
    "is_made",
    "known_chats",
    "load_windows",
    "log_in",
    "log_out",
    "migrate",
    "new_session",
    "open_archive",
    "overview",
    "plan_chats",
    "publish_windows",
    "published_chats",
    "quarantine_reasons",
    "quarantined",
    "quarantined_one",
    "query",
    "reading_accounts",
    "rebuild",
    "refresh",
    "remove_chats",
    "settle",
    "status",
    "take_windows",
    "unpublished",
    "verify_windows",
]
