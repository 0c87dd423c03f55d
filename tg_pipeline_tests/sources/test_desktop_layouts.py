"""Whatever the layout, the size of the chunks or the place of a cut: the same records."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tg_pipeline.errors import InvalidJson
from tg_pipeline.sources.desktop_json import Input, read, reader, scan
from tg_pipeline_tests.sources.making import Json, Outcome, export, message, read_whole, written

TEXTS = st.text(
    st.one_of(st.sampled_from('{}[]",:\\/\n\r\t \0'), st.characters(exclude_categories=["Cs"])),
    max_size=20,
)
LEAVES = st.one_of(TEXTS, st.integers(-(2**63), 2**63), st.booleans(), st.none())
EXTRA = st.dictionaries(
    TEXTS.map(lambda key: "x" + key),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=3,
)
EXTRAS = st.lists(EXTRA, max_size=6)
LAYOUTS = st.sampled_from(
    [
        {"indent": 1},
        {"indent": 4},
        {"indent": "\t"},
        {"indent": 0},
        {"separators": (",", ":")},
        {"separators": (" , ", " : ")},
    ]
)


@contextmanager
def chunks_of(size: int) -> Iterator[Path]:
    with (
        patch.object(reader, "CHUNK", size),
        patch.dict(scan.__globals__, {"_CHUNK": size}),
        tempfile.TemporaryDirectory() as folder,
    ):
        yield Path(folder)


def with_ids(extras: list[Json]) -> list[Json]:
    return [message(number, text=str(extra), **extra) for number, extra in enumerate(extras, 1)]


def essence(outcome: Outcome) -> list[Json]:
    return [json.loads(record.raw) for record in outcome.messages]


@settings(max_examples=150, deadline=None)
@given(EXTRAS, LAYOUTS, st.booleans(), st.integers(1, 400))
def test_any_layout_and_chunk_size_gives_the_same_records(
    extras: list[Json], layout: Json, crlf: bool, chunk: int
) -> None:
    messages = with_ids(extras)
    text = json.dumps(export(*messages), ensure_ascii=False, **layout)
    data = text.replace("\n", "\r\n" if crlf else "\n").encode()
    with chunks_of(chunk) as folder:
        outcome = read_whole(written(folder, data))
    assert essence(outcome) == messages
    assert outcome.summary.messages == len(messages)
    assert outcome.summary.repaired == {}
    assert all(b"\n" not in record.raw and b"\r" not in record.raw for record in outcome.messages)


@settings(max_examples=150, deadline=None)
@given(EXTRAS.filter(bool), LAYOUTS, st.integers(1, 400), st.data())
def test_a_file_cut_anywhere_delivers_exactly_its_complete_records(
    extras: list[Json], layout: Json, chunk: int, data: st.DataObject
) -> None:
    messages = with_ids(extras)
    whole = json.dumps(export(*messages), ensure_ascii=False, **layout).encode()
    cut = data.draw(st.integers(1, len(whole.rstrip()) - 1))
    ends = _ends(whole, messages)
    with chunks_of(chunk) as folder:
        path = written(folder, whole[:cut])
        if cut < ends[0]:
            with pytest.raises(InvalidJson):
                scan(Input(path))
            return
        outcome = read_whole(path, timezone="UTC")  # the cut may take the only unix stamp
    complete = [number for number, end in enumerate(ends) if end <= cut]
    assert essence(outcome) == messages[: len(complete)]
    assert outcome.rejected == []
    assert outcome.summary.truncated_at is not None
    assert outcome.summary.truncated_at <= cut
    if complete and len(complete) < len(messages):
        assert outcome.summary.truncated_at == ends[complete[-1]]


def _ends(whole: bytes, messages: list[Json]) -> list[int]:
    """Byte offsets after each message, found with the standard library."""
    text = whole.decode()
    at = text.index("[", text.index('"messages"')) + 1
    ends = []
    for _ in messages:
        while text[at] in " \t\r\n,":
            at += 1
        _, at = json.JSONDecoder().raw_decode(text, at)
        ends.append(len(text[:at].encode()))
    return ends


def test_a_message_indented_otherwise_than_its_end_is_still_whole(tmp_path: Path) -> None:
    data = json.dumps(export(message(1), message(2)), indent=1).encode()
    outcome = read_whole(written(tmp_path, data.replace(b"\n  {", b"\n {")))
    assert [record.id for record in outcome.messages] == [1, 2]


def test_a_broken_record_is_set_aside_and_the_next_ones_are_read(tmp_path: Path) -> None:
    data = json.dumps(export(message(1), message(2), message(3)), indent=1).encode()
    outcome = read_whole(written(tmp_path, data.replace(b'"text 2"', b'"text" 2"')))
    assert [record.id for record in outcome.messages] == [1, 3]
    (rejected,) = outcome.rejected
    second = b'{\n   "id": 2'
    assert rejected.reason == "invalid_json"
    assert rejected.place == f"result.json at byte {data.index(second)}"
    assert rejected.raw.startswith(b"{")
    assert rejected.raw.endswith(b"}")


def test_a_record_longer_than_the_search_for_its_end_is_read(tmp_path: Path) -> None:
    outcome = read_whole(written(tmp_path, export(message(1, text="x" * 3_000_000), message(2))))
    assert [len(record.text) for record in outcome.messages] == [3_000_000, 6]


@pytest.mark.parametrize("value", [7, "text", None, [1, 2], True])
def test_what_is_not_an_object_is_set_aside(tmp_path: Path, value: Any) -> None:
    outcome = read_whole(written(tmp_path, export(value, message(2))))
    assert [(record.reason, json.loads(record.raw)) for record in outcome.rejected] == [
        ("not_an_object", value)
    ]
    assert outcome.summary.read == 2


def test_a_fault_between_messages_ends_reading_with_its_place(tmp_path: Path) -> None:
    data = json.dumps(export(message(1), message(2), message(3)), indent=1).encode()
    path = written(tmp_path, data.replace(b'},\n  {\n   "id": 3', b'}\n  {\n   "id": 3'))
    with pytest.raises(InvalidJson) as caught:
        read_whole(path)
    assert caught.value.line == path.read_bytes()[: caught.value.offset].count(b"\n") + 1
    assert path.read_bytes()[caught.value.offset :].startswith(b'{\n   "id": 3')


def test_an_account_export_gives_its_chats_and_nothing_private(tmp_path: Path) -> None:
    secret = {"list": [{"phone_number": "+1 555 01 02", "date_unixtime": "1"}]}
    content = {
        "about": "x",
        "personal_information": {"first_name": "Secret", "user_id": 10, "bio": "{["},
        "contacts": secret,
        "chats": {"about": "y", "list": [export(message(1), type="personal_chat", id=11)]},
        "left_chats": {"list": [export(message(2)), export(message(3), id=78), {"id": 79}]},
        "stories": [{"expires_unixtime": "1704109999"}],
    }
    outcome = read_whole(written(tmp_path, content))
    assert [str(part.key) for part in outcome.parts[:3]] == [
        "10_11",
        "-1000000000077",
        "-1000000000078",
    ]
    assert [[getattr(r, "id", None) for r in chat][-1:] for chat in outcome.by_chat] == [
        [1],
        [2],
        [3],
        [],
    ]
    assert outcome.scan.account == 10
    assert outcome.scan.observed_at is not None
    assert outcome.scan.observed_at.timestamp() == 1704106803
    assert b"555" not in b"".join(record.raw for record in outcome.messages)


def test_header_keys_behind_the_messages_count(tmp_path: Path) -> None:
    content = {
        "messages": [message(1), message(2)],
        "id": 78,
        "type": "private_channel",
        "name": "N",
    }
    outcome = read_whole(written(tmp_path, content))
    (part,) = outcome.parts
    assert (part.chat.entity_id, part.chat.title, part.chat.is_public) == (
        -1000000000078,
        "N",
        False,
    )
    assert part.notes == ()
    assert {record.entity_id for record in outcome.messages} == {-1000000000078}


def test_a_chat_left_unread_is_passed_over_and_counted(tmp_path: Path) -> None:
    chats = [export(message(n), message(n + 1), id=n) for n in (1, 5, 9)]
    path = written(tmp_path, {"chats": {"list": chats}})
    reading = read(scan(Input(path)))
    assert [part.chat.entity_id for part in reading] == [-(10**12) - n for n in (1, 5, 9)]
    assert reading.summary.read == 6


@pytest.mark.parametrize("separators", [None, (",", ":")])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, separators: Any) -> None:
    path = tmp_path / "result.json"
    one = json.dumps(message(1, text="x" * 2000), indent=1 if separators is None else None)
    with path.open("w") as file:
        file.write('{"type": "public_channel", "id": 7, "messages": [\n')
        file.write(",\n".join([one] * 100))
        for _ in range(250):
            file.write(",\n" + ",\n".join([one] * 100))
        file.write("\n]}")
    process = psutil.Process()
    found = scan(Input(path))
    before = grown = process.memory_info().rss
    for part in read(found):
        for number, _ in enumerate(part.records()):
            if number % 1000 == 0:
                grown = max(grown, process.memory_info().rss)
    assert found.bytes > 50_000_000
    assert grown - before < 20_000_000
