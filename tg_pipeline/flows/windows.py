"""Which windows are meant: of some chats, between two days."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.engine import Connection

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import BatchDamaged, ChatUnknown
from tg_pipeline.flows.archive import Archive
from tg_pipeline.store.facts import known_chats
from tg_pipeline.store.windows import Window, first_day, windows


def find_windows(
    archive: Archive,
    chats: Sequence[ChatKey] | None = None,
    *,
    since: date | None = None,
    until: date | None = None,
) -> list[Window]:
    """The windows, of the grain that is set, of which there is anything.

    Messages in the tables, in landing, or in published files: where one of them lacks what
    another has, somebody has to look at it.

    Args:
        archive: where to look.
        chats: only these; all where None.
        since: first day (UTC), included.
        until: last day (UTC), included.

    Raises:
        ChatUnknown: there is nothing of a chat.
    """
    with archive.database.snapshot() as connection:
        found = _anywhere(archive, connection, chats)
        known = known_chats(connection) | {window.chat for window in found}
    for chat in chats or ():
        if chat not in known:
            raise ChatUnknown(str(chat))
    return sorted(
        window
        for window in found
        if (since is None or window.next_period > since)
        and (until is None or window.period <= until)
    )


def windows_of_batch(archive: Archive, chat: ChatKey, batch: str) -> set[Window]:
    """The windows that a landed batch touches; none if its manifest cannot be read."""
    grain = archive.settings.period
    try:
        days = archive.zone.manifest(chat, batch).per_day
    except BatchDamaged:
        return set()
    return {Window(chat, first_day(day, grain), grain) for day in days}


def _anywhere(
    archive: Archive, connection: Connection, chats: Sequence[ChatKey] | None
) -> set[Window]:
    from tg_pipeline.exports import windows_of  # noqa: PLC0415 - Arrow loads slowly

    grain = archive.settings.period
    found = set(windows(connection, grain, chats)) | windows_of(connection, grain, chats)
    for chat, batches in archive.zone.landed().items():
        for batch in batches if chats is None or chat in chats else ():
            found |= windows_of_batch(archive, chat, batch)
    return found
