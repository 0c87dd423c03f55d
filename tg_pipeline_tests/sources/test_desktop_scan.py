"""The first pass: hash, newest time, zone, and what is refused before anything is read."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.errors import (
    ForeignFormat,
    InputChanged,
    InputEmpty,
    InputMissing,
    InvalidJson,
    SettingInvalid,
    TimezoneRequired,
)
from tg_pipeline.sources.desktop_json import DesktopOptions, Input, read, scan
from tg_pipeline_tests.sources.making import Json, export, message, read_whole, written

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def stamped(*stamps: datetime) -> Json:
    return export(*[message(1, date_unixtime=str(int(stamp.timestamp()))) for stamp in stamps])


def without_stamps(*messages: Json) -> Json:
    for record in messages:
        record.pop("date_unixtime", None)
    return export(*messages)


def test_hash_size_and_progress_cover_the_whole_file(tmp_path: Path) -> None:
    path = written(tmp_path, export(*[message(n, text="x" * 999) for n in range(1, 300)]))
    told: list[int] = []
    found = scan(Input(path), progress=told.append)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.bytes == path.stat().st_size == told[-1]
    assert told == sorted(told)
    assert found.messages_estimate == 299


def test_observed_at_is_the_newest_stamp_not_later_than_tomorrow(tmp_path: Path) -> None:
    tomorrow = NOW + timedelta(days=1)
    path = written(tmp_path, stamped(NOW, tomorrow, tomorrow + timedelta(seconds=1)))
    assert scan(Input(path), now=NOW).observed_at == tomorrow


def test_an_edit_can_be_the_newest_stamp_and_expiry_cannot(tmp_path: Path) -> None:
    edited = int(NOW.timestamp()) - 5
    path = written(
        tmp_path, export(message(1, edited_unixtime=edited, expires_unixtime=str(edited + 3)))
    )
    assert scan(Input(path), now=NOW).observed_at == NOW - timedelta(seconds=5)


def test_only_future_stamps_tell_no_time(tmp_path: Path) -> None:
    source = Input(written(tmp_path, stamped(NOW + timedelta(days=9))))
    assert scan(source, now=NOW).observed_at is None


def test_local_dates_are_read_with_the_named_zone(tmp_path: Path) -> None:
    content = without_stamps(
        message(1, date="2021-07-01T12:00:00"), message(2, date="2031-01-01T00:00:00")
    )
    path = written(tmp_path, content)
    with pytest.raises(TimezoneRequired):
        scan(Input(path), now=NOW)
    found = scan(Input(path), DesktopOptions(timezone="Europe/Moscow"), now=NOW)
    assert found.observed_at == datetime(2021, 7, 1, 9, tzinfo=UTC)
    assert not found.has_unix_times


def test_dates_with_an_offset_need_no_zone(tmp_path: Path) -> None:
    content = without_stamps(message(1, date="2021-07-01T12:00:00+03:00"))
    source = Input(written(tmp_path, content))
    assert scan(source).observed_at == datetime(2021, 7, 1, 9, tzinfo=UTC)


def test_one_local_date_among_unix_stamps_is_set_aside_unless_a_zone_is_named(
    tmp_path: Path,
) -> None:
    lone = message(2)
    del lone["date_unixtime"]
    path = written(tmp_path, export(message(1), lone))
    assert [record.reason for record in read_whole(path).rejected] == ["missing_zone"]
    assert read_whole(path, timezone="UTC").summary.messages == 2


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../etc/passwd", "x" * 300])
def test_an_unknown_zone_is_refused_with_a_hint(zone: str) -> None:
    with pytest.raises(SettingInvalid, match="no such IANA time zone"):
        DesktopOptions(timezone=zone)


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        ([], "an empty list"),
        ([{"update_id": 1, "message": {}}], "Bot API updates"),
        ({"ok": True, "result": [{"update_id": 1}]}, "Bot API updates"),
        ([{"message_id": 1, "chat": {}}], "Bot API updates"),
        ([{"@type": "message", "id": 1}], "a TDLib dump"),
        ({"@type": "messages", "messages": [{"@type": "message"}]}, "a TDLib dump"),
        ([{"_": "Message", "id": 1, "date": {"$date": 1}}], "a Telethon dump"),
        ({"messages": [{"_": "Message", "id": 1}]}, "a Telethon dump"),
        ([{"text": "a", "user": "b"}], "a plain list of rows"),
        ({"a": 1}, "a JSON object without chats or messages"),
        ({"messages": {"a": 1}}, "a file whose messages are not a list"),
        ("ÿþ".encode("latin-1") + "{}".encode("utf-16-le"), "a UTF-16 file"),
        (b"\x00\x00\xfe\xff" + "{}".encode("utf-32-be"), "a UTF-32 file"),
        (b"<!DOCTYPE html>", "an HTML or XML page"),
        (b"PK\x03\x04....", "a ZIP archive"),
    ],
)
def test_foreign_files_are_named_for_what_they_look_like(
    tmp_path: Path, content: Any, looks_like: str
) -> None:
    with pytest.raises(ForeignFormat) as caught:
        scan(Input(written(tmp_path, content)))
    assert caught.value.looks_like == looks_like


def test_an_export_that_begins_with_a_pinned_message_is_not_taken_for_bot_api_updates(
    tmp_path: Path,
) -> None:
    pinned = message(5, type="service", action="pin_message", message_id=4)
    (record,) = read_whole(written(tmp_path, export(pinned))).messages
    assert record.action
    assert record.action.fields["message_id"] == 4


@pytest.mark.parametrize("content", [b"", b" \r\n\t ", b"\xef\xbb\xbf", b"\xef\xbb\xbf  "])
def test_an_empty_file_is_empty(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputEmpty):
        scan(Input(written(tmp_path, content)))


@pytest.mark.parametrize(
    ("content", "offset", "line"),
    [
        (b"hello", 0, 1),
        (b'{\n "id": 1\n "messages": []}', 12, 3),
        (b'{\n "id": nope}', 9, 2),
        (b"{\n", 2, 2),
    ],
)
def test_broken_structure_is_refused_with_its_place(
    tmp_path: Path, content: bytes, offset: int, line: int
) -> None:
    with pytest.raises(InvalidJson) as caught:
        scan(Input(written(tmp_path, content)))
    assert (caught.value.offset, caught.value.line) == (offset, line)


def test_what_follows_the_export_is_refused(tmp_path: Path) -> None:
    data = json.dumps(export(message(1))).encode()
    assert read_whole(written(tmp_path, data + b" \n")).summary.messages == 1
    with pytest.raises(InvalidJson, match="end of the file"):
        read_whole(written(tmp_path, data + b"{}"))


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputMissing):
        scan(Input(tmp_path / "none.json"))


def test_a_file_that_changed_since_its_scan_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, export(message(1)))
    found = scan(Input(path))
    written(tmp_path, export(message(1), message(2)))
    with pytest.raises(InputChanged):
        next(read(found))


@pytest.mark.parametrize(
    "content",
    [
        b'{"messages": [',
        b'{"messages": [{"id": 1, "type": "mess',
        b'{"messages": []',
        b'{"chats": {"list": [{"name": "A", "messages": []}, {"name": "B", "messages": [',
    ],
)
def test_a_file_that_ends_before_its_first_message_is_refused(
    tmp_path: Path, content: bytes
) -> None:
    """Regression: it was imported as a partial file without a record."""
    with pytest.raises(InvalidJson, match="ends before its first message"):
        scan(Input(written(tmp_path, content)))


def test_a_whole_export_without_a_message_is_none_that_was_cut(tmp_path: Path) -> None:
    assert read_whole(written(tmp_path, export())).summary.truncated_at is None
