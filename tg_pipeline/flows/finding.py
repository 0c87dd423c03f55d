"""Finding chats at Telegram by what people call them, each with a closer look."""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import DataError, TgPipelineError
from tg_pipeline.flows.accounts import Reader, reading
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.listing import known_refs
from tg_pipeline.sources.telegram.chat_ref import ChatRef
from tg_pipeline.sources.telegram.patience import Waiting, patiently
from tg_pipeline.sources.telegram.references import Reference
from tg_pipeline.sources.telegram.resolve import Dialog, Directory, Whole
from tg_pipeline.sources.telegram.running import run


@dataclass(slots=True)
class Found:
    """What could be found.

    Attributes:
        chats: found, comments after their channel.
        resolved: what they were called, where that was not their id.
        failed: what is not to be had by this account, and why.
        stopped: why the rest was not asked for; it may be another time.
    """

    chats: list[Whole] = field(default_factory=list)
    resolved: set[Reference] = field(default_factory=set)
    failed: list[TgPipelineError] = field(default_factory=list)
    stopped: TgPipelineError | None = None

    def add(self, other: "Found") -> None:
        """Take in what was found elsewhere."""
        self.chats += other.chats
        self.resolved |= other.resolved
        self.failed += other.failed
        self.stopped = self.stopped or other.stopped

    @property
    def all(self) -> bool:
        """Whether nothing is missing."""
        return not self.failed and self.stopped is None


def find(
    archive: Archive,
    account: str,
    references: Sequence[Reference],
    *,
    comments: bool,
    waiting: Waiting = patiently,
) -> Found:
    """Find chats by name; whatever ends it, what was found before is returned."""
    found = Found()

    async def work() -> None:
        async with reading(archive, account, "chats", waiting) as reader:
            directory = directory_of(archive, reader)
            await directory.prepare(references)
            for reference in references:
                with _noted(found):
                    ref = await directory.resolve(reference)
                    await _look(directory, ref, found, comments=comments)
                    found.resolved.add(reference)

    _until_stopped(found, work())
    return found


def listed(
    archive: Archive,
    account: str,
    choose: Callable[[ChatRef, ChatKey], bool],
    *,
    comments: bool,
    waiting: Waiting = patiently,
) -> tuple[list[tuple[Dialog, ChatKey]], Found]:
    """An account's list of chats, and those of it that are chosen, with a closer look."""
    found, dialogs = Found(), list[tuple[Dialog, ChatKey]]()

    async def work() -> None:
        async with reading(archive, account, "chats discover", waiting) as reader:
            directory = directory_of(archive, reader)
            dialogs.extend((one, one.ref.key(reader.user_id)) for one in await directory.dialogs())
            for ref in [one.ref for one, key in dialogs if choose(one.ref, key)]:
                with _noted(found):
                    await _look(directory, ref, found, comments=comments)

    _until_stopped(found, work())
    return dialogs, found


def directory_of(archive: Archive, reader: Reader) -> Directory:
    """The directory of an account, which knows the chats that are fetched."""
    refs = known_refs(archive).values()
    return Directory(reader.ask, reader.account, reader.user_id, refs)


def _until_stopped(found: Found, work: Coroutine[Any, Any, None]) -> None:
    try:
        run(work)
    except TgPipelineError as error:
        found.stopped = error


@contextmanager
def _noted(found: Found) -> Iterator[None]:
    """What is wrong with one chat keeps no other from being found."""
    try:
        yield
    except DataError as error:
        found.failed.append(error)


async def _look(directory: Directory, ref: ChatRef, found: Found, *, comments: bool) -> None:
    whole = await directory.whole(ref)
    found.chats.append(whole)
    if comments and whole.comments is not None:
        found.chats.append(Whole(whole.comments))
