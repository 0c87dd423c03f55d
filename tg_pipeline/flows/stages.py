"""What a window is at each stage of the chain: landed, held in the tables, judged, published.

All of it is read, nothing remembered, so it is the same whoever did the work.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tg_pipeline.contracts import BatchManifest, ChatKey
from tg_pipeline.contracts.identity import numbers_its_own_messages
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.flows.settle import settle
from tg_pipeline.flows.windows import find_windows
from tg_pipeline.logs import get_logger
from tg_pipeline.quality import Ruling, rulings
from tg_pipeline.store.windows import Grain, Window, contents, days_in, first_day

if TYPE_CHECKING:
    from tg_pipeline.exports import Entry

SAMPLE_ROWS = 5
_CHATS_AT_ONCE = 100
_SAMPLE = """
SELECT w.number, m.id, m.date, m.kind, m.sender_id, left(m.text, 80) AS text
FROM unnest(
    CAST(:entities AS bigint[]), CAST(:accounts AS bigint[]), CAST(:own AS boolean[]),
    CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[])
) WITH ORDINALITY AS w(entity_id, account_id, own, first, after, number)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE entity_id = w.entity_id AND (w.own OR account_id = w.account_id)
      AND date >= w.first AND date < w.after
    ORDER BY date DESC, id DESC
    LIMIT :sample
) m
ORDER BY w.number, m.date, m.id
"""


@dataclass(slots=True)
class Landed:
    """What landing has of a window: messages by day (UTC), and the batches they are in."""

    window: Window
    batches: list[BatchManifest] = field(default_factory=list)
    per_day: dict[date, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """Landed sightings; a message that several exports show counts several times."""
        return sum(self.per_day.values())

    @property
    def version(self) -> str:
        """Changes exactly when other batches touch the window."""
        names = "\n".join(sorted(f"{batch.batch} {batch.sha256}" for batch in self.batches))
        return f"{self.messages}-{hashlib.sha256(names.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A message, shortened: enough to see that it is what one expects. Dates are UTC."""

    id: int
    date: datetime
    kind: str
    sender_id: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """What the tables have of a window: messages by day (UTC), and the newest few."""

    window: Window
    version: str
    per_day: dict[date, int]
    sample: tuple[SampleRow, ...]

    @property
    def messages(self) -> int:
        """How many."""
        return sum(self.per_day.values())


def verify_windows(
    archive: Archive, windows: Sequence[Window], progress: Progress = silent
) -> dict[Window, Landed]:
    """Compare the batches that touch these windows with their SHA-256, and tell what they hold.

    A batch that is not what was landed is told as damaged and stops nothing here: the rule
    `loaded_is_landed` closes just the days that it holds.
    """
    found = landed(archive, windows)
    touching = {one.batch: one for window in found.values() for one in window.batches}
    damaged: set[str] = set()
    for done, manifest in enumerate(touching.values(), start=1):
        try:
            archive.zone.verify(manifest)
        except BatchDamaged as error:
            get_logger().error("batch.damaged", batch=manifest.batch, reason=error.message)
            damaged.add(manifest.batch)
        progress(Step("verifying landed batches", done, len(touching), "batches"))
    for one in found.values():
        one.damaged = sorted(damaged & {batch.batch for batch in one.batches})
    return found


def load_windows(
    archive: Archive, windows: Sequence[Window], progress: Progress = silent
) -> dict[Window, Held]:
    """Load all that is landed of these windows' chats, and tell what the windows hold now.

    Damaged batches are passed over, as in `verify_windows`.
    """
    settle(archive, progress, chats={window.chat for window in windows})
    return held(archive, windows)


def landed(archive: Archive, windows: Sequence[Window]) -> dict[Window, Landed]:
    """What landing has of these windows; batches without a readable manifest are passed over."""
    found = {window: Landed(window) for window in windows}
    for grain in sorted({window.grain for window in windows}):
        for chat in sorted({window.chat for window in windows}):
            for manifest in _manifests(archive, chat):
                _count(found, manifest, chat, grain)
    return found


def held(archive: Archive, windows: Sequence[Window]) -> dict[Window, Held]:
    """What the tables have of these windows."""
    with archive.database.snapshot() as connection:
        versions = contents(connection, windows)
        days = days_in(connection, windows)
        samples = _samples(connection, windows)
    return {
        window: Held(window, versions[window].version, days[window], samples[window])
        for window in windows
    }


def judged(archive: Archive, windows: Sequence[Window]) -> dict[Window, Ruling]:
    """How these windows stand under the rules of quality."""
    with archive.database.snapshot() as connection:
        return rulings(connection, windows)


def published(archive: Archive, windows: Sequence[Window]) -> dict[Window, tuple["Entry", ...]]:
    """The files that these windows are published in, as they are recorded."""
    from tg_pipeline.exports import recorded  # noqa: PLC0415 - Arrow loads slowly

    with archive.database.snapshot() as connection:
        return recorded(connection, windows)


def due_chats(archive: Archive, chats: Sequence[ChatKey] | None = None) -> list[ChatKey]:
    """Chats with work to do: something in them is not judged, or not published, as it is now.

    All are looked at, or those that are named. What the gate has closed is not due: it needs
    other data, or a person.
    """
    every = find_windows(archive, chats)
    by_chat = {
        chat: list(windows) for chat, windows in itertools.groupby(every, key=lambda one: one.chat)
    }
    due: list[ChatKey] = []
    known = list(by_chat)
    for start in range(0, len(known), _CHATS_AT_ONCE):
        some = known[start : start + _CHATS_AT_ONCE]
        due += _due(archive, {chat: by_chat[chat] for chat in some})
    return due


def _due(archive: Archive, by_chat: Mapping[ChatKey, Sequence[Window]]) -> Iterator[ChatKey]:
    """Those of some chats of which windows are due."""
    from tg_pipeline.exports import (  # noqa: PLC0415 - Arrow loads slowly
        DATASET,
        files_of,
        is_settled,
        recorded,
    )

    every = list(itertools.chain.from_iterable(by_chat.values()))
    with archive.database.snapshot() as connection:
        ruled = rulings(connection, every, with_examples=False)
        files = recorded(connection, every)
    for chat, windows in by_chat.items():
        there = files_of(archive.exports / DATASET, f"chat={chat}")
        if not all(is_settled(there, files.get(one, ()), ruled[one]) for one in windows):
            yield chat


def _manifests(archive: Archive, chat: ChatKey) -> Iterator[BatchManifest]:
    for name in archive.zone.batches(chat):
        try:
            yield archive.zone.manifest(chat, name)
        except BatchDamaged:
            continue  # the rule `loaded_is_landed` and `doctor` name it


def _count(
    found: Mapping[Window, Landed], manifest: BatchManifest, chat: ChatKey, grain: Grain
) -> None:
    for day, messages in manifest.per_day.items():
        one = found.get(Window(chat, first_day(day, grain), grain))
        if one is not None:
            one.per_day[day] = one.per_day.get(day, 0) + messages
            if not one.batches or one.batches[-1] is not manifest:
                one.batches.append(manifest)


def _samples(
    connection: sa.Connection, windows: Sequence[Window]
) -> dict[Window, tuple[SampleRow, ...]]:
    parameters: dict[str, Any] = {
        "entities": [window.chat.entity_id for window in windows],
        "accounts": [window.chat.account_id for window in windows],
        "own": [numbers_its_own_messages(window.chat.entity_id) for window in windows],
        "starts": [window.start for window in windows],
        "ends": [window.end for window in windows],
        "sample": SAMPLE_ROWS,
    }
    found: dict[Window, list[SampleRow]] = {window: [] for window in windows}
    for number, *row in connection.execute(sa.text(_SAMPLE), parameters):
        found[windows[number - 1]].append(SampleRow(*row))
    return {window: tuple(rows) for window, rows in found.items()}
