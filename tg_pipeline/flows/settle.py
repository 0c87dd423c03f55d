"""Bringing the tables in line with landing: what an interrupted run left is finished here."""

from collections.abc import Collection, Iterable

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.logs import get_logger
from tg_pipeline.store.load import Counts, empty_all, load, start_over_if_withdrawn
from tg_pipeline.store.status import loaded_batches


def settle(
    archive: Archive,
    progress: Progress = silent,
    *,
    chats: Collection[ChatKey] | None = None,
    withdrawn: Iterable[ChatKey] = (),
) -> list[BatchDamaged]:
    """Load what is landed but not loaded, and empty and refill chats with withdrawn batches.

    Args:
        archive: what to settle.
        progress: told of every batch.
        chats: only these; all where None.
        withdrawn: chats that have just lost batches. Another process may be loading one of these
            at this moment, so they are looked at under their lock whatever the tables show now.

    Returns:
        The batches that cannot be loaded because they are damaged; all others are.
    """
    loaded = loaded_batches(archive.database)
    suspects = set(withdrawn)
    there = archive.zone.landed()
    suspects |= {chat for chat, names in loaded.items() if not names <= set(there.get(chat, ()))}
    if chats is not None:
        suspects &= set(chats)
    for chat in sorted(suspects):
        if start_over_if_withdrawn(archive.database, archive.zone, chat):
            loaded.pop(chat, None)
    wanted = there.keys() if chats is None else chats
    landed = {(chat, name) for chat in wanted for name in there.get(chat, ())}
    pending = landed - {(chat, name) for chat, names in loaded.items() for name in names}
    return _load_all(archive, sorted(pending), progress)


def rebuild(archive: Archive, progress: Progress = silent) -> list[BatchDamaged]:
    """Empty all tables and fill them from landing alone."""
    empty_all(archive.database)
    return settle(archive, progress)


def load_named(archive: Archive, names: Iterable[str]) -> Counts:
    """Load batches given as `chat/batch`; those that are loaded already count as unchanged."""
    counts = Counts()
    for name in names:
        chat, batch = name.split("/")
        manifest = archive.zone.manifest(ChatKey.parse(chat), batch)
        counts += load(archive.database, archive.zone, manifest)
    return counts


def _load_all(
    archive: Archive, batches: list[tuple[ChatKey, str]], progress: Progress
) -> list[BatchDamaged]:
    damaged: list[BatchDamaged] = []
    for done, (chat, name) in enumerate(batches, start=1):
        try:
            load(archive.database, archive.zone, archive.zone.manifest(chat, name))
        except BatchDamaged as error:
            get_logger().error("batch.damaged", chat=str(chat), batch=name, reason=error.message)
            damaged.append(error)
        progress(Step("loading landed batches", done, len(batches), "batches"))
    return damaged
