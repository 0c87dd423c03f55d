"""How far a run is: ids that are answered for, of all that were missing when it began."""

import time
from collections.abc import Callable, Sequence

from tg_pipeline.flows.fetching.work import Work
from tg_pipeline.flows.progress import Progress, Step
from tg_pipeline.words import so_many


class Track:
    """Tells of each page how far the whole run is, and how fast messages come.

    Ids, for nobody knows how many messages there are: holes are among them, and in private chats
    most ids are other chats' messages.
    """

    def __init__(self, progress: Progress, works: Sequence[Work]) -> None:
        self._progress = progress
        self._works = works
        self._done = 0
        self._left = sum(work.left for work in works)
        self._began = time.monotonic()

    def of(self, work: Work, others: Sequence[Work]) -> Callable[[], None]:
        """What tells of one chat's pages while the others wait."""
        waiting = sum(one.left for one in others)
        before = sum(one.report.messages for one in self._works if one is not work)
        more = f", {so_many(len(others), 'more chat')}" if others else ""

        def tell() -> None:
            left, messages = waiting + work.left, before + work.report.messages
            self._done += max(0, self._left - left)  # a past may have been found: there is more
            self._left = left
            rate = messages / max(time.monotonic() - self._began, 0.001)
            detail = f"{work.name}: {so_many(messages, 'message')}, {rate:,.0f}/s{more}"
            self._progress(Step("fetching", self._done, self._done + left, "ids", detail))

        return tell
