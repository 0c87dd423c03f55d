"""Which windows are meant: of some chats, between two days."""

from collections.abc import Sequence
from datetime import date

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatUnknown
from tg_pipeline.flows.archive import Archive
from tg_pipeline.store.facts import known_chats
from tg_pipeline.store.windows import Window, windows


def find_windows(
    archive: Archive,
    chats: Sequence[ChatKey] | None = None,
    *,
    since: date | None = None,
    until: date | None = None,
) -> list[Window]:
    """The windows, of the grain that is set, in which these chats hold messages.

    Args:
        archive: where to look.
        chats: only these; all where None.
        since: first day (UTC), included.
        until: last day (UTC), included.

    Raises:
        ChatUnknown: a chat is not in the database.
    """
    with archive.database.snapshot() as connection:
        known = known_chats(connection)
        for chat in chats or ():
            if chat not in known:
                raise ChatUnknown(str(chat))
        return windows(connection, archive.settings.period, chats, since, until)
