"""What a window is at each stage of the chain: landed, held in the tables, judged, published.

All of it is read, nothing remembered, so it is the same whoever did the work.
"""

import hashlib
from collections.abc import Iterator, Sequence
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
from tg_pipeline.quality import Outcome, Ruling, rulings
from tg_pipeline.store.windows import Window, contents, days_in, first_day

if TYPE_CHECKING:
    from tg_pipeline.exports import Entry

SAMPLE_ROWS = 5
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

    Raises:
        BatchDamaged: a batch is not what was landed.
    """
    found = landed(archive, windows)
    touching = {one.batch: one for window in found.values() for one in window.batches}
    for done, manifest in enumerate(touching.values(), start=1):
        archive.zone.verify(manifest)
        progress(Step("verifying landed batches", done, len(touching), "batches"))
    return found


def load_windows(
    archive: Archive, windows: Sequence[Window], progress: Progress = silent
) -> dict[Window, Held]:
    """Load all that is landed of these windows' chats, and tell what the windows hold now.

    Raises:
        BatchDamaged: a batch cannot be loaded; all others are.
    """
    damaged = settle(archive, progress, chats={window.chat for window in windows})
    if damaged:
        raise damaged[0]
    return held(archive, windows)


def landed(archive: Archive, windows: Sequence[Window]) -> dict[Window, Landed]:
    """What landing has of these windows; batches without a readable manifest are passed over."""
    found = {window: Landed(window) for window in windows}
    for chat in sorted({window.chat for window in windows}):
        of_chat = [one for one in found.values() if one.window.chat == chat]
        for manifest in _manifests(archive, chat):
            for one in of_chat:
                _count(one, manifest)
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


def due_stretches(
    archive: Archive, chats: Sequence[ChatKey] | None = None
) -> list[tuple[Window, ...]]:
    """Windows with work to do: not judged as they are now, or passed and not published so.

    What the gate has closed is not due: it needs other data, or a person. No such window lies
    inside a stretch, because in a run over a stretch a failed check stops all of it.
    """
    windows = find_windows(archive, chats)
    rulings_now, files = judged(archive, windows), published(archive, windows)
    stretches: dict[tuple[ChatKey, int], list[Window]] = {}
    closed = 0
    for window in windows:
        if _is_due(rulings_now[window], files.get(window, ())):
            stretches.setdefault((window.chat, closed), []).append(window)
        closed += rulings_now[window].outcome is Outcome.FAILED
    return [tuple(stretch) for stretch in stretches.values()]


def windows_of_batch(archive: Archive, chat: ChatKey, batch: str) -> set[Window]:
    """The windows that a landed batch touches; none if its manifest cannot be read."""
    grain = archive.settings.period
    try:
        days = archive.zone.manifest(chat, batch).per_day
    except BatchDamaged:
        return set()
    return {Window(chat, first_day(day, grain), grain) for day in days}


def _is_due(ruling: Ruling, files: Sequence["Entry"]) -> bool:
    if ruling.outcome is Outcome.MISSING:
        return True
    current = bool(files) and all(file.data_version == ruling.version for file in files)
    return ruling.is_open and not current


def _manifests(archive: Archive, chat: ChatKey) -> Iterator[BatchManifest]:
    for name in archive.zone.batches(chat):
        try:
            yield archive.zone.manifest(chat, name)
        except BatchDamaged:
            continue  # the rule `loaded_is_landed` and `doctor` name it


def _count(landed_window: Landed, manifest: BatchManifest) -> None:
    window = landed_window.window
    touched = {
        day: count
        for day, count in manifest.per_day.items()
        if window.period <= day < window.next_period
    }
    if touched:
        landed_window.batches.append(manifest)
    for day, count in touched.items():
        landed_window.per_day[day] = landed_window.per_day.get(day, 0) + count


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
