"""Publish windows: write what has changed, record it, then replace the manifest.

The order is what makes it safe to kill: a file gets its name when it is complete, its row is
written when it is on disk, the manifest follows the rows. Cut off anywhere, the old manifest
still names whole files, and the next run continues with what is missing.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, Self

import pyarrow as pa
from sqlalchemy.engine import Connection

from tg_pipeline.contracts import SCHEMA_VERSION
from tg_pipeline.errors import CountsDiffer
from tg_pipeline.exports import ledger, manifest
from tg_pipeline.exports.chunks import chunks
from tg_pipeline.exports.columns import DATASET, EXPORTER_VERSION, schema_of
from tg_pipeline.exports.formats import FORMATS, WRITERS, Writer
from tg_pipeline.exports.ledger import Entry
from tg_pipeline.exports.manifest import Files
from tg_pipeline.exports.memory import memory_given_back
from tg_pipeline.exports.published import Outcome, Published, PublishedWindow
from tg_pipeline.exports.snapshot import Reader, Snapshot, open_reader
from tg_pipeline.files import Place, listing, make_folder
from tg_pipeline.logs import get_logger
from tg_pipeline.quality import Outcome as Verdict
from tg_pipeline.quality import Ruling, rulings, unjudged
from tg_pipeline.store.database import Database
from tg_pipeline.store.windows import Content, Window

Progress = Callable[[PublishedWindow], None]
_Known = tuple[Window, tuple[Entry, ...], Ruling, Files]
_AT_ONCE: Final = 2
"""Windows written at a time: each holds some chunks of rows in memory."""


def publish(
    database: Database,
    folder: Place,
    windows: Sequence[Window],
    *,
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Published:
    """Bring the files of these windows up to date below `folder`/messages.

    A window that the quality gate does not let pass is refused, and its files stay as they were.
    A window is left alone when its data version and the exporter are those of its files. Files of
    windows that no longer hold rows are withdrawn, and so are a chat's files of another grain once
    all of it is published in this one.

    Superseded and withdrawn files are deleted by the first publication that comes an hour or more
    after the manifest stopped naming them; until then readers of the old manifest find them.
    Leftovers of killed runs go after the same time.

    Args:
        database: what to publish.
        folder: where exports live, a folder or a URL; one per database schema.
        windows: which.
        force: publish against the verdict; the manifest says so.
        progress: called after each window.

    Raises:
        CountsDiffer: rows and `chat_days` disagree; the manifest is left as it was.
        DiskFull, FolderNotWritable, DatabaseUnreachable, DatabaseLost, and of an object store
        BucketMissing, ObjectStoreDenied, ObjectStoreUnreachable, ObjectStoreLost, ObjectStoreFull
    """
    dataset = folder / DATASET
    make_folder(dataset)
    done = []
    with memory_given_back():
        for published in _Publication(database, dataset, force).each(sorted(set(windows))):
            done.append(published)
            progress(published)
    withdrawn, replaced = _refresh(database, dataset, windows)
    withdrawn += [file for one in done for file in one.withdrawn]
    return Published(tuple(done), tuple(withdrawn), dataset / manifest.MANIFEST, replaced)


def is_current(there: Files, files: Sequence[Entry], version: str) -> bool:
    """Whether these files are what would be written of a window now, and are all there."""
    return tuple(sorted(file.format for file in files)) == tuple(sorted(FORMATS)) and all(
        file.data_version == version
        and file.exporter_version == EXPORTER_VERSION
        and manifest.is_there(there, file)
        for file in files
    )


def is_settled(there: Files, files: Sequence[Entry], ruling: Ruling) -> bool:
    """Whether publishing this window would change nothing, in its files or in the record."""
    if ruling.outcome is Verdict.MISSING:
        return False
    told = {(file.verdict, file.forced) for file in files if file.data_version == ruling.version}
    if not ruling.is_open:
        return {verdict for verdict, _ in told} <= {ruling.outcome.value}
    if not ruling.rows:
        return not files
    same = told == {(ruling.outcome.value, False)}
    return same and is_current(there, files, ruling.version)


@dataclass(frozen=True, slots=True)
class _Publication:
    database: Database
    dataset: Place
    force: bool

    def each(self, windows: Sequence[Window]) -> Iterator[PublishedWindow]:
        """Settle windows, some at once, and tell of them in order."""
        with _Readers(self.database) as readers:
            for _, of_chat in itertools.groupby(windows, key=lambda window: window.chat):
                known = self._known(list(of_chat))
                yield from _some_at_once(lambda one: self._one(readers, *one), known)

    def _one(
        self,
        readers: "_Readers",
        window: Window,
        files: tuple[Entry, ...],
        ruling: Ruling,
        there: Files,
    ) -> PublishedWindow:
        """What is unchanged costs no connection of its own."""
        done = self._done_already(window, files, ruling, there)
        if done is not None:
            return done
        with readers.one() as reader:
            return self._settle(window, reader, ruling)

    def _known(self, windows: Sequence[Window]) -> Iterator[_Known]:
        """What is recorded and there of some windows, all of one chat."""
        there = manifest.files_of(self.dataset, f"chat={windows[0].chat}")
        with self.database.snapshot() as connection:
            recorded = ledger.recorded(connection, windows)
            ruled = rulings(connection, windows, with_examples=False)
        return ((window, recorded.get(window, ()), ruled[window], there) for window in windows)

    def _done_already(
        self, window: Window, files: tuple[Entry, ...], ruling: Ruling, there: Files
    ) -> PublishedWindow | None:
        """What can be said of a window without reading its messages, if that is all."""
        if not (ruling.is_open or self.force):
            return self._refused(window, files, ruling)
        if is_current(there, files, ruling.version):
            return self._unchanged(window, files, ruling)
        return None

    def _settle(self, window: Window, reader: Reader, ruling: Ruling) -> PublishedWindow:
        """Write a window, unless somebody else has done so meanwhile."""
        schema = self.database.schema
        with self.database.transaction() as connection:
            ledger.lock_window(connection, schema, window)
            files = tuple(ledger.entries(connection, [window]))
            there = manifest.files_of(self.dataset, f"{window}")
            with reader.snapshot() as snapshot:
                held = _reconciled(snapshot, window)
                if ruling.version != held.version:  # it has changed since the gate was asked
                    ruling = self._ruling(window, held)
                done = self._done_already(window, files, ruling, there)
                if done is not None:
                    return done
                if not held.rows:
                    ledger.withdraw(connection, schema, files)
                    return PublishedWindow(window, Outcome.EMPTY, held.version, (), ruling, files)
                files = self._write(snapshot, window, held, ruling)
            ledger.record(connection, schema, files)
        get_logger().info("export.written", window=str(window), rows=held.rows)
        return PublishedWindow(window, Outcome.WRITTEN, held.version, files, ruling)

    def _refused(self, window: Window, files: Sequence[Entry], ruling: Ruling) -> PublishedWindow:
        """Leave the files; if it is their very data that has failed, let the record say so."""
        failed = ruling.outcome is Verdict.FAILED
        verdict = ruling.outcome.value
        told = tuple(
            replace(file, verdict=verdict)
            if failed and file.data_version == ruling.version
            else file
            for file in files
        )
        self._rejudge(files, told)
        return PublishedWindow(window, Outcome.REFUSED, ruling.version, told, ruling)

    def _rejudge(self, files: Sequence[Entry], told: Sequence[Entry]) -> None:
        changed = [new for old, new in zip(files, told, strict=True) if new != old]
        if changed:
            with self.database.transaction() as connection:
                ledger.rejudge(connection, changed)

    def _ruling(self, window: Window, held: Content) -> Ruling:
        """The ruling on just the state that is being read; none if the data is newer already."""
        with self.database.snapshot() as connection:
            ruling = rulings(connection, [window])[window]
        return ruling if ruling.version == held.version else unjudged(window, held)

    def _unchanged(self, window: Window, files: Sequence[Entry], ruling: Ruling) -> PublishedWindow:
        """Leave the files, but let the record say what they are published under now."""
        judged = tuple(
            replace(file, verdict=ruling.outcome.value, forced=not ruling.is_open) for file in files
        )
        self._rejudge(files, judged)
        return PublishedWindow(window, Outcome.UNCHANGED, ruling.version, judged, ruling)

    def _write(
        self, snapshot: Snapshot, window: Window, held: Content, ruling: Ruling
    ) -> tuple[Entry, ...]:
        """Write all formats from one pass over the rows."""
        schema = schema_of(window, held.version)
        with ExitStack() as stack:
            writers = [
                stack.enter_context(kind(self.dataset / kind.format / f"{window}", schema))
                for kind in WRITERS
            ]
            with closing(snapshot.batches(window)) as batches:  # or an error would keep it open
                _feed(writers, chunks(batches, window.chat))
            for writer in writers:
                if writer.rows != held.rows:
                    raise CountsDiffer(f"{writer.format} of {window}", held.rows, writer.rows)
            with ThreadPoolExecutor(len(writers), thread_name_prefix="export") as threads:
                return tuple(threads.map(partial(self._entry, held, ruling), writers))

    def _entry(self, held: Content, ruling: Ruling, writer: Writer) -> Entry:
        written = writer.publish()
        window = ruling.window
        return Entry(
            dataset=DATASET,
            format=writer.format,
            entity_id=window.chat.entity_id,
            account_id=window.chat.account_id,
            period=window.period,
            grain=window.grain,
            path=f"{writer.format}/{window}/{written.name}",
            rows=writer.rows,
            bytes=written.bytes,
            sha256=written.sha256,
            schema_version=SCHEMA_VERSION,
            data_version=held.version,
            exporter_version=EXPORTER_VERSION,
            verdict=ruling.outcome.value,
            forced=not ruling.is_open,
            published_at=datetime.now(UTC),
        )


class _Readers:
    """Readers for threads: opened when none is free, closed together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._free: SimpleQueue[Reader] = SimpleQueue()
        self._opened = ExitStack()

    @contextmanager
    def one(self) -> Iterator[Reader]:
        """A reader that nobody else uses meanwhile."""
        try:
            reader = self._free.get_nowait()
        except Empty:
            reader = self._opened.enter_context(open_reader(self._database))
        yield reader
        self._free.put(reader)  # after an error it is not used again

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


def _some_at_once(
    settle: Callable[[_Known], PublishedWindow], windows: Iterable[_Known]
) -> Iterator[PublishedWindow]:
    """While one window waits for the disk or the database, another is read and compressed."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="publish") as threads:
        begun: deque[Future[PublishedWindow]] = deque()
        try:
            for window in windows:
                begun.append(threads.submit(settle, window))
                if len(begun) > _AT_ONCE:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for waiting in begun:
                waiting.cancel()


def _reconciled(snapshot: Snapshot, window: Window) -> Content:
    """What the window holds, told alike by `chat_days` and by the table."""
    held = snapshot.content(window)
    counted = snapshot.count(window)
    if counted != held.rows:
        raise CountsDiffer(f"chat_days of {window}", counted, held.rows)
    return held


def _feed(writers: Sequence[Writer], rows: Iterable[pa.Table]) -> None:
    """Let all formats write a chunk at the same time, while the next one is being read."""
    with ThreadPoolExecutor(len(writers), thread_name_prefix="export") as threads:
        busy: list[Future[None]] = []
        for chunk in rows:
            _wait(busy)
            busy = [threads.submit(writer.write, chunk) for writer in writers]
        _wait(busy)


def _wait(busy: Iterable[Future[None]]) -> None:
    for future in busy:
        future.result()


def _refresh(
    database: Database, dataset: Place, windows: Sequence[Window]
) -> tuple[list[Entry], bool]:
    """Render the manifest from the record and clear away what is no longer named."""
    with database.transaction() as connection:
        ledger.lock_dataset(connection, database.schema)
        withdrawn = ledger.replaced_grains(connection, windows)
        ledger.withdraw(connection, database.schema, withdrawn)
        there = listing(dataset)
        recorded = _present(connection, database.schema, there)
        before = manifest.current(dataset)
        listed = manifest.one_grain_per_chat(recorded, before)
        replaced = manifest.replace(dataset, manifest.render(listed), before)
        manifest.prune(dataset, there, {entry.path for entry in recorded})
    return withdrawn, replaced


def _present(connection: Connection, schema: str, there: Files) -> list[Entry]:
    """Recorded files of windows whose files are all there; the others must be written again."""
    whole: list[Entry] = []
    lost: list[Entry] = []
    for files in ledger.by_window(ledger.entries(connection)).values():
        present = all(manifest.is_there(there, file) for file in files)
        (whole if present else lost).extend(files)
    ledger.withdraw(connection, schema, lost)
    return whole
