"""Importing files: each is scanned and landed batch by batch, and each batch loaded meanwhile.

What has been done is read from the landing zone and the tables, never remembered, so the same
command after a kill continues, and after a success reports `unchanged`.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tg_pipeline.contracts import ChatKey, FileManifest, FileOutcome, Origin, Record
from tg_pipeline.errors import DataError, OptionsDiffer
from tg_pipeline.files import readable
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.loading import Loading, loading
from tg_pipeline.flows.look import known_chats
from tg_pipeline.flows.progress import Progress, Step, silent
from tg_pipeline.flows.settle import load_named, settle
from tg_pipeline.landing import Shipment, land
from tg_pipeline.logs import get_logger
from tg_pipeline.sources import desktop_json
from tg_pipeline.store.load import Counts

_RECORDS_PER_REPORT = 1_000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How files are to be read. Zone and account only matter where a file does not tell them."""

    timezone: str | None = None
    account: int | None = None
    chat_id: int | None = None
    supplier: str | None = None
    complete: bool = False
    """The user vouches that the file holds every message between its first and its last id."""
    replace: bool = False

    def recorded(self) -> dict[str, Any]:
        """What makes two imports of one file the same or not."""
        options = asdict(self)
        del options["replace"]
        return options


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file."""

    path: Path
    outcome: FileOutcome
    reason: str | None = None
    error: DataError | None = None
    chats: tuple[str, ...] = ()
    counts: Counts = field(default_factory=Counts)
    repaired: int = 0
    notes: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    """Chats that lost what an earlier import of this file had brought, also if it was refused."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "path": readable(self.path),
            "outcome": self.outcome.value,
            "reason": self.reason,
            "code": self.error.code if self.error else None,
            "remedy": self.error.remedy if self.error else None,
            "chats": list(self.chats),
            "read": self.counts.read,
            "new": self.counts.new,
            "updated": self.counts.updated,
            "unchanged": self.counts.unchanged,
            "quarantined": self.counts.quarantined,
            "repaired": self.repaired,
            "notes": list(self.notes),
            "withdrawn": list(self.withdrawn),
        }


def import_files(
    archive: Archive,
    paths: Sequence[Path],
    options: ImportOptions = ImportOptions(),
    progress: Progress = silent,
) -> "Imports":
    """Import Telegram Desktop JSON exports: files, folders, ZIP archives, account exports.

    Yields one report per file as it ends. A file that cannot be used is reported as refused and
    does not stop the others; failures of the surroundings (database, disk) are raised.
    """
    return Imports(archive, paths, options, progress)


class Imports:
    """An iterator that imports file after file, each when its report is asked for.

    Attributes:
        others: how many files in the folders were not looked at; known with the first report.
        notes: what else was passed over, for people; known with the first report.
    """

    def __init__(
        self, archive: Archive, paths: Sequence[Path], options: ImportOptions, progress: Progress
    ) -> None:
        self.others = 0
        self.notes: tuple[str, ...] = ()
        self._archive = archive
        self._options = options
        self._reports = self._run(paths, progress)

    def __iter__(self) -> Iterator[FileReport]:
        return self._reports

    def __next__(self) -> FileReport:
        return next(self._reports)

    def _run(self, paths: Sequence[Path], progress: Progress) -> Iterator[FileReport]:
        settle(self._archive, progress)
        found = desktop_json.discover(paths)
        self.others, self.notes = found.others, tuple(found.notes)
        for number, source in enumerate(found.inputs, start=1):
            if isinstance(source, DataError):
                yield _refused(Path(getattr(source, "path", "")), source)
                continue
            try:
                report = self._import(source, _numbered(progress, number, len(found.inputs)))
            except DataError as error:
                report = _refused(source.path, error)
            yield report

    def _import(self, source: desktop_json.Input, progress: Progress) -> FileReport:
        with source.at_hand(self._archive.settings.home, _bytes_of(source, "unpacking", progress)):
            return _import_file(self._archive, source, self._options, progress)


def _refused(path: Path, error: DataError, withdrawn: tuple[str, ...] = ()) -> FileReport:
    get_logger().info("file.refused", path=str(path), code=error.code)
    return FileReport(
        path, FileOutcome.REFUSED, reason=error.message, error=error, withdrawn=withdrawn
    )


def _import_file(
    archive: Archive, source: desktop_json.Input, options: ImportOptions, progress: Progress
) -> FileReport:
    path = source.path
    reading = desktop_json.DesktopOptions(
        timezone=options.timezone, account=options.account, chat_id=options.chat_id
    )
    scan = desktop_json.scan(source, reading, _bytes_of(source, "scanning", progress))
    with archive.database.alone(f"import {scan.sha256}") as still_alone:
        known = archive.zone.file_manifest(scan.sha256)
        same = known is not None and _alike(known.options, options, scan)
        if known is not None and not same and not options.replace:
            raise OptionsDiffer(path, _told(known.options), _told(options.recorded()))
        if known is not None and same and known.landed and archive.zone.has(known.batches):
            return _again(archive, path, known)
        return _Import(
            archive=archive,
            path=path,
            scan=scan,
            reading=reading,
            options=options,
            progress=progress,
            still_alone=still_alone,
        ).run(seen_before=known is not None)


def _alike(before: dict[str, Any], options: ImportOptions, scan: desktop_json.Scan) -> bool:
    """Whether two imports read this file alike: what it tells itself need not be told alike.

    A file whose times are mixed, some of them local, can be read anew with `replace`.
    """
    now = options.recorded()
    told = {"timezone": scan.has_unix_times, "account": scan.account is not None}
    told_itself = {name for name, known in told.items() if known and not options.replace}
    return all(before.get(name) == value for name, value in now.items() if name not in told_itself)


def _again(archive: Archive, path: Path, known: FileManifest) -> FileReport:
    """Report a file that is landed, and again where it ends; load what the tables have lost."""
    counts = load_named(archive, known.batches)
    outcome = FileOutcome.UNCHANGED
    reason: str | None = "imported before with the same options"
    if counts.new + counts.updated:
        outcome, reason = FileOutcome.IMPORTED, None
    if known.outcome is FileOutcome.PARTIAL:
        outcome, reason = FileOutcome.PARTIAL, known.reason
    return FileReport(
        path,
        outcome,
        reason=reason,
        chats=_chats(known.batches),
        counts=counts,
        repaired=known.repaired,
    )


class _Import:
    """One file on its way through landing into the tables."""

    def __init__(
        self,
        *,
        archive: Archive,
        path: Path,
        scan: desktop_json.Scan,
        reading: desktop_json.DesktopOptions,
        options: ImportOptions,
        progress: Progress,
        still_alone: Callable[[], None],
    ) -> None:
        self.archive = archive
        self.still_alone = still_alone
        self.path = path
        self.scan = scan
        self.options = options
        self.progress = _bytes_of(scan.source, "importing", progress)
        self.loading = _bytes_of(scan.source, "loading", progress)
        self.export = desktop_json.read(scan, reading)
        self.counts = Counts()
        self.batches: list[str] = []
        self.notes: list[str] = []
        self.withdrawn: tuple[str, ...] = ()
        self.manifest = FileManifest(
            file_name=scan.source.name,
            sha256=scan.sha256,
            bytes=scan.bytes,
            options=options.recorded(),
            created_at=datetime.now(UTC),
            tool_version=version("tg-pipeline"),
        )

    def run(self, *, seen_before: bool) -> FileReport:
        """Land and load at once; a file that turns out to be unusable leaves nothing behind.

        The new options are recorded first: should we be killed, the same command comes back here
        and withdraws what is left of an import with other options. Before that the file is begun,
        so options that make no sense for it leave an earlier import as it was.
        """
        zone = self.archive.zone
        first = next(self.export, None)
        parts = self.export if first is None else itertools.chain([first], self.export)
        self.still_alone()
        zone.write_file_manifest(self.manifest)
        withdrawn: list[ChatKey] = []
        if seen_before:  # else there are no batches of it to look for
            withdrawn = zone.withdraw(_of_file(self.manifest), keep=_prefix(self.manifest))
        if withdrawn:
            settle(self.archive, withdrawn=withdrawn)
            self.withdrawn = tuple(map(str, withdrawn))
        try:
            with loading(self.archive, self.scan.messages_estimate) as loads:
                self._land(parts, loads)
            self.counts = loads.counts
        except DataError as error:
            self.still_alone()
            withdrawn = zone.withdraw(_of_file(self.manifest))
            zone.forget_file(self.scan.sha256)
            settle(self.archive, withdrawn=withdrawn)
            return _refused(self.path, error, self.withdrawn)
        return self._finish()

    def _land(self, parts: Iterable[desktop_json.ChatPart], loads: Loading) -> None:
        numbers = itertools.count(1)
        origin = Origin(
            file_name=self.scan.source.name,
            file_sha256=self.scan.sha256,
            options=self.options.recorded(),
        )
        for part in parts:
            shipment = Shipment(
                _prefix(self.manifest),
                part.chat,
                self.options.supplier,
                origin,
                part.chat.observed_at,
            )
            self.notes += [f"{part.key}: {note.detail}" for note in part.notes]
            self.notes += _known_otherwise(self.archive, part)
            landed = land(
                self.archive.zone,
                shipment,
                self._told(part.records()),
                numbers=numbers,
                complete=lambda: self.options.complete and self.export.summary.truncated_at is None,
            )
            for manifest in landed:
                self.still_alone()
                self.batches.append(f"{shipment.key}/{manifest.batch}")
                loads.add(manifest)
        self.loading(0)  # all is landed, and the last batches are still to be loaded

    def _told(self, records: Iterator[Record]) -> Iterator[Record]:
        """Pass records on, telling now and then how far reading is."""
        for number, record in enumerate(records):
            if number % _RECORDS_PER_REPORT == 0:
                self.progress(self.export.offset)
            yield record

    def _finish(self) -> FileReport:
        summary = self.export.summary
        cut = summary.truncated_at
        outcome = FileOutcome.IMPORTED if cut is None else FileOutcome.PARTIAL
        reason = None if cut is None else f"the file ends in the middle, after byte {cut}"
        self.still_alone()
        self.archive.zone.write_file_manifest(
            self.manifest.model_copy(
                update={
                    "landed": True,
                    "outcome": outcome,
                    "reason": reason,
                    "batches": tuple(self.batches),
                    "read": self.counts.read,
                    "rejected": self.counts.quarantined,
                    "repaired": summary.repaired_records,
                    "observed_at": self.scan.observed_at,
                }
            )
        )
        get_logger().info(
            "file.imported", path=str(self.path), outcome=outcome.value, read=self.counts.read
        )
        return FileReport(
            self.path,
            outcome,
            reason=reason,
            chats=_chats(self.batches),
            counts=self.counts,
            repaired=summary.repaired_records,
            notes=tuple(dict.fromkeys(self.notes)),
            withdrawn=self.withdrawn,
        )


def _known_otherwise(archive: Archive, part: desktop_json.ChatPart) -> list[str]:
    """Where nobody knows whose account made it: under which accounts its chat is known."""
    if desktop_json.NoteCode.ACCOUNT_UNKNOWN not in {note.code for note in part.notes}:
        return []
    known = sorted(chat for chat in known_chats(archive) if chat.entity_id == part.key.entity_id)
    return [
        f"{part.key}: the archive knows this chat as {chat}; if the same account made this file, "
        f"import it with --account {chat.account_id} --replace"
        for chat in known
        if chat.account_id
    ]


def _of_file(manifest: FileManifest) -> str:
    """What the names of all batches of this file begin with, whatever the options."""
    return manifest.sha256[:16]


def _prefix(manifest: FileManifest) -> str:
    """What the names of all batches of this import begin with."""
    return f"{_of_file(manifest)}-{_digest(manifest.options)}"


def _digest(options: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:8]


def _chats(batches: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.split("/")[0] for name in batches))


def _told(options: dict[str, Any]) -> str:
    given = {name: value for name, value in options.items() if value not in {None, False}}
    return ", ".join(f"{name} {value}" for name, value in given.items()) or "none"


def _bytes_of(source: desktop_json.Input, what: str, progress: Progress) -> Callable[[int], None]:
    total = source.size()
    return lambda done: progress(Step(f"{what} {source.name}", done, total, "bytes"))


def _numbered(progress: Progress, number: int, total: int) -> Progress:
    """Tell which of several files a step is about."""
    if total == 1:
        return progress
    return lambda step: progress(replace(step, what=f"{number} of {total}: {step.what}"))
