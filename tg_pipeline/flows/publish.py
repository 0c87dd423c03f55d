"""Publishing: windows as Parquet and JSONL, once they have passed the quality gate."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.check import check_windows
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.flows.windows import find_windows
from tg_pipeline.store.windows import Window

if TYPE_CHECKING:
    from tg_pipeline.exports import Published


def publish_windows(
    archive: Archive,
    windows: Sequence[Window] | None = None,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> "Published":
    """Publish what the tables hold of these windows; files that are up to date stay.

    A window without a passing verdict on the data it holds now is refused: see `refused` of what
    is returned, and `check_windows`.

    Args:
        archive: what to publish.
        windows: which; all that hold messages where None.
        force: publish against the verdict; the manifest says so.
        progress: told of every window.

    Raises:
        CountsDiffer, DiskFull, FolderNotWritable
    """
    from tg_pipeline.exports import publish  # noqa: PLC0415 - Arrow loads slowly

    wanted = find_windows(archive) if windows is None else list(windows)
    done = itertools.count(1)
    return publish(
        archive.database,
        archive.exports,
        wanted,
        force=force,
        progress=lambda _: progress(Step("publishing", next(done), len(wanted), "windows")),
    )


def refresh(
    archive: Archive, chats: Sequence[ChatKey] | None = None, progress: Progress = silent
) -> "Published":
    """Judge what nobody has judged as it is, and publish what passes.

    Raises:
        ChatUnknown: a chat is not in the database.
        CountsDiffer, DiskFull, FolderNotWritable
    """
    windows = find_windows(archive, chats)
    check_windows(archive, windows, only_unjudged=True, progress=progress)
    return publish_windows(archive, windows, progress=progress)
