"""The first pass: one read of a file for its hash and the few facts that reading it relies on."""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Literal

import orjson

from tg_pipeline.errors import ForeignFormat, InputEmpty, InvalidJson, TimezoneRequired
from tg_pipeline.sources.desktop_json.dates import read_date
from tg_pipeline.sources.desktop_json.inputs import Input
from tg_pipeline.sources.desktop_json.layout import chats, line_of, told_as_errors
from tg_pipeline.sources.desktop_json.options import DesktopOptions
from tg_pipeline.sources.desktop_json.reader import (
    BOM,
    COLON,
    Cut,
    Malformed,
    Window,
    elements,
    members,
)
from tg_pipeline.sources.desktop_json.records import Cutter
from tg_pipeline.sources.unfit import Unfit

Encoding = Literal["utf-8", "windows-1251"]

_CHUNK = 2**17
"""Bytes read at a time: small enough to stay in the processor's cache for all searches."""
_OVERLAP = 256
"""Bytes of the chunk before that are looked at again, so that nothing is lost at a border."""
_SAMPLE = 2**16
"""Bytes from the first non-ASCII one on that decide about the encoding."""

# The literal beginning is what makes the search fast; expiry times of stories do not count.
_STAMP = re.compile(rb'_unixtime(?<=date_unixtime|ited_unixtime)"\s*:\s*"?(\d{1,12})')
_WRITTEN = rb'\s*:\s*"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)([^"\\]{0,13})"'
_DATES = (re.compile(rb'"date"' + _WRITTEN), re.compile(rb'"edited"' + _WRITTEN))
_SENDER = re.compile(rb'"(?:from|actor)_id"\s*:\s*(["\d])')
_NON_ASCII = re.compile(rb"[\x80-\xff]+")
_PERSONAL = b'"personal_information"'

_ZIP = "a ZIP archive"
_FOREIGN_STARTS = {
    b"\xff\xfe\x00\x00": "a UTF-32 file",
    b"\x00\x00\xfe\xff": "a UTF-32 file",
    b"\xff\xfe": "a UTF-16 file",
    b"\xfe\xff": "a UTF-16 file",
    b"PK\x03\x04": _ZIP,
    b"\x1f\x8b": "a gzip archive",
    b"<": "an HTML or XML page",
}


@dataclass(frozen=True, slots=True)
class Scan:
    """What the first pass found.

    Attributes:
        source: the file.
        sha256: of its bytes, in hex.
        bytes: its size.
        modified_ns: its modification time; a change since makes reading fail.
        messages_estimate: for showing progress; never for counting.
        observed_at: the newest time in the file that is not later than tomorrow; UTC.
        encoding: of the text inside.
        has_unix_times: whether there is any unix stamp.
        numeric_ids: senders are bare numbers, as before mid-2020.
        account: the exporting user's id, if the file holds personal information.
    """

    source: Input
    sha256: str
    bytes: int
    modified_ns: int
    messages_estimate: int
    observed_at: datetime | None
    encoding: Encoding
    has_unix_times: bool
    numeric_ids: bool
    account: int | None


def _no_progress(_bytes_read: int) -> None:
    pass


def scan(
    source: Input,
    options: DesktopOptions | None = None,
    progress: Callable[[int], None] = _no_progress,
    *,
    now: datetime | None = None,
) -> Scan:
    """Read the file once; `progress` is told the bytes read so far.

    Raises:
        InputMissing, InputUnreadable, InputEmpty: there is nothing to read.
        ForeignFormat: something else than Telegram Desktop's JSON export made it.
        InvalidJson: its structure is broken before the first message.
        TimezoneRequired: it has local times only, and no zone was named.
    """
    options = options or DesktopOptions()
    limit = (now or datetime.now(UTC)) + timedelta(days=1)
    with told_as_errors(source), source.open() as file:
        found = _Findings(limit, options)
        size = 0
        while chunk := file.read(_CHUNK):
            found.add(chunk, size)
            size += len(chunk)
            progress(size)
        _refuse_unreadable(source, found)
        encoding = found.encoding()
        _refuse_structure(source, file, windows_1251=encoding == "windows-1251")
        if found.needs_zone and options.timezone is None:
            raise TimezoneRequired(source.path)
        return Scan(
            source=source,
            sha256=found.sha256.hexdigest(),
            bytes=size,
            modified_ns=os.fstat(file.fileno()).st_mtime_ns,
            messages_estimate=found.stamps or found.dates,
            observed_at=found.newest(),
            encoding=encoding,
            has_unix_times=found.has_stamps,
            numeric_ids=found.numeric_ids,
            account=_account(source, file, found.personal_at),
        )


class _Findings:
    """What has been seen so far; all of it of bounded size."""

    def __init__(self, limit: datetime, options: DesktopOptions) -> None:
        self.sha256 = hashlib.sha256()
        self.head = b""
        self.blank = True
        self.stamps = 0
        self.has_stamps = False
        self.dates = 0
        self._has_local_dates = False
        self.numeric_ids = False
        self.personal_at: int | None = None
        self._zone = options.zone
        self._limit = limit
        self._limit_stamp = int(limit.timestamp())
        self._limit_local = limit.replace(tzinfo=None)
        self._newest_stamp = 0
        self._newest_date: datetime | None = None
        self._newest_local = b""
        self._senders_seen = False
        self._tail = b""
        self._sample: bytearray | None = None

    def add(self, chunk: bytes, offset: int) -> None:
        self.sha256.update(chunk)
        if self.blank:
            self.head = self.head or chunk[:4]
            self.blank = not chunk.removeprefix(BOM if not offset else b"").strip()
        seen = self._tail + chunk
        self._count(seen)
        self._find_stamps(seen)
        if not self.has_stamps:
            self._find_dates(seen)
        self._find_once(seen, offset - len(self._tail))
        self._sample_text(chunk)
        self._tail = seen[-_OVERLAP:]

    def _count(self, seen: bytes) -> None:
        key, older = b'"date_unixtime"', self._tail
        self.stamps += seen.count(key) - older.count(key)
        if not self.stamps:
            self.dates += seen.count(b'"date"') - older.count(b'"date"')

    def _find_stamps(self, seen: bytes) -> None:
        stamps = _STAMP.findall(seen)
        self.has_stamps = self.has_stamps or bool(stamps)
        for stamp in map(int, stamps):
            if self._newest_stamp < stamp <= self._limit_stamp:
                self._newest_stamp = stamp

    def _find_dates(self, seen: bytes) -> None:
        """Local times compare as text; the one zone they share is applied once, at the end."""
        for pattern in _DATES:
            for written, offset in pattern.findall(seen):
                if offset[-6:].strip(b".0123456789"):
                    self._find_aware(written + offset)
                else:
                    self._has_local_dates = True
                    self._find_local(written.replace(b" ", b"T"))

    def _find_aware(self, written: bytes) -> None:
        try:
            moment = read_date(written.decode("ascii", "replace"), None)
        except Unfit:
            return
        if moment is not None and moment.time <= self._limit:
            self._newest_date = max(moment.time, self._newest_date or moment.time)

    def _find_local(self, written: bytes) -> None:
        if written <= self._newest_local:
            return
        try:
            if datetime.fromisoformat(written.decode()) <= self._limit_local:
                self._newest_local = written
        except ValueError:
            return

    def _find_once(self, seen: bytes, offset: int) -> None:
        if not self._senders_seen and (match := _SENDER.search(seen)):
            self._senders_seen = True
            self.numeric_ids = match[1] != b'"'
        if self.personal_at is None and (at := seen.find(_PERSONAL)) >= 0:
            self.personal_at = offset + at + len(_PERSONAL)

    def _sample_text(self, chunk: bytes) -> None:
        if self._sample is None:
            if chunk.isascii() or (first := _NON_ASCII.search(chunk)) is None:
                return
            self._sample = bytearray(chunk[first.start() : first.start() + _SAMPLE])
        elif len(self._sample) < _SAMPLE:
            self._sample += chunk[: _SAMPLE - len(self._sample)]

    def encoding(self) -> Encoding:
        """UTF-8 unless most of the first non-ASCII runs cannot be that."""
        if self.head.startswith(BOM):
            return "utf-8"
        runs = _NON_ASCII.findall(bytes(self._sample or b""))
        if self._sample is not None and len(self._sample) >= _SAMPLE:
            runs = runs[:-1] or runs  # the last one may be cut
        broken = sum(not _is_utf8(run) for run in runs)
        return "windows-1251" if broken * 2 > len(runs) else "utf-8"

    @property
    def needs_zone(self) -> bool:
        """Whether its dates mean nothing without a named zone."""
        return self._has_local_dates and not self.has_stamps

    def newest(self) -> datetime | None:
        """The newest time in UTC: a unix stamp, else a date."""
        if self.has_stamps:
            stamp = self._newest_stamp
            return datetime.fromtimestamp(stamp, UTC) if stamp else None
        if self._newest_local and self._zone is not None:
            moment = read_date(self._newest_local.decode(), self._zone)
            if moment is not None:
                return max(moment.time, self._newest_date or moment.time)
        return self._newest_date


def _is_utf8(run: bytes) -> bool:
    try:
        run.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse_unreadable(source: Input, found: _Findings) -> None:
    if found.blank:
        raise InputEmpty(
            source.path, "the file is empty" if not source.size() else "only white space"
        )
    for start, looks_like in _FOREIGN_STARTS.items():
        if found.head.startswith(start):
            error = ForeignFormat(source.path, looks_like)
            if looks_like == _ZIP:
                error.remedy = "Give it a name that ends in .zip, and it will be unpacked."
            raise error


def _refuse_structure(source: Input, file: BinaryIO, *, windows_1251: bool) -> None:
    """Go as far as the first message, so that a foreign or cut file is refused before all else."""
    window = Window(file, source)
    try:
        for header in chats(window, windows_1251=windows_1251):
            if header.has_messages and _has_message(window, windows_1251):
                return
    except Cut:
        offset = os.fstat(file.fileno()).st_size
        line = line_of(source, offset)
        reason = "the file ends before its first message"
        raise InvalidJson(source.path, offset, line, reason) from None


def _has_message(window: Window, windows_1251: bool) -> bool:
    """Whether the list that comes next holds one; as far as that it is read."""
    cutter = Cutter(window, windows_1251=windows_1251)
    for _ in elements(window):
        cutter.cut()
        return True
    return False


def _account(source: Input, file: BinaryIO, personal_at: int | None) -> int | None:
    """The user id in the personal information; nothing else of it is looked at."""
    if personal_at is None:
        return None
    window = Window(file, source, offset=personal_at)
    try:
        window.expect(COLON, "a colon")
        for key in members(window):
            if key == "user_id":
                user_id = orjson.loads(window.take())
                return user_id if type(user_id) is int and 0 < user_id < 2**63 else None
            window.skip()
    except (Cut, Malformed, orjson.JSONDecodeError):
        pass
    return None
