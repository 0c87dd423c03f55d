"""Publishing: the windows of some chats as Parquet and JSONL."""

import itertools
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatUnknown
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.store.facts import known_chats

if TYPE_CHECKING:
    from tg_pipeline.exports import Published


def publish_window(
    archive: Archive,
    chats: Sequence[ChatKey] | None = None,
    *,
    since: date | None = None,
    until: date | None = None,
    progress: Progress = silent,
) -> "Published":
    """Publish what the tables hold of these chats between two days, both included.

    Files that are up to date are not written again.

    Raises:
        ChatUnknown: a chat is not in the database.
        CountsDiffer, DiskFull, FolderNotWritable
    """
    from tg_pipeline.exports import publish, windows  # noqa: PLC0415 - Arrow loads slowly

    with archive.database.snapshot() as connection:
        known = known_chats(connection)
        for chat in chats or ():
            if chat not in known:
                raise ChatUnknown(str(chat))
        wanted = windows(connection, archive.settings.period, chats, since, until)
    done = itertools.count(1)
    return publish(
        archive.database,
        archive.exports,
        wanted,
        progress=lambda _: progress(Step("publishing", next(done), len(wanted), "windows")),
    )
