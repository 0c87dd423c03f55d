"""Checking: windows are judged by the rules of quality, and the verdicts are kept."""

from collections.abc import Sequence

from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.flows.windows import find_windows
from tg_pipeline.quality import Outcome, Ruling, judge, rulings
from tg_pipeline.store.windows import Window


def check_windows(
    archive: Archive,
    windows: Sequence[Window] | None = None,
    *,
    only_unjudged: bool = False,
    progress: Progress = silent,
) -> list[Ruling]:
    """Judge windows and tell how they stand, in order of chat and period.

    Args:
        archive: whose messages.
        windows: which; all that hold messages where None.
        only_unjudged: leave those alone that have a verdict on the data they hold now.
        progress: told when it begins, and of every rule that is asked about a chat.
    """
    progress(Step("checking", 0, 1, "rules"))
    wanted = find_windows(archive) if windows is None else list(windows)
    due = wanted
    if only_unjudged:
        # Of a window without any row it cannot be told whether it was judged.
        due = [
            one.window
            for one in _rulings(archive, wanted)
            if one.outcome is Outcome.MISSING or not one.rows
        ]
    judge(
        archive.database,
        archive.zone,
        due,
        progress=lambda done, total: progress(Step("checking", done, total, "rules")),
    )
    return _rulings(archive, wanted)


def _rulings(archive: Archive, windows: Sequence[Window]) -> list[Ruling]:
    with archive.database.snapshot() as connection:
        found = rulings(connection, windows)
    return [found[window] for window in sorted(found)]
