"""Desktop's own faults are mended and counted; valid JSON is never touched."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_pipeline.contracts import decode, encode
from tg_pipeline.sources.desktop_json.repair import mend, one_line, understand
from tg_pipeline_tests.sources.making import export, message, read_whole, written

TEXTS = st.text(st.one_of(st.sampled_from('\\x41"\n{}document_id: ,'), st.characters()))
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS | st.just("document_id"), inner),
)


@given(VALUES, st.sampled_from([None, 1, 40, "\t"]), st.booleans())
def test_repair_never_changes_valid_json(value: object, indent: int | None, ascii_: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    data = text.encode("utf-8", "replace")
    assert mend(data) == (data, ())
    assert json.loads(one_line(data)) == json.loads(data)
    assert b"\n" not in one_line(data)


def raw_export(text: bytes) -> bytes:
    data = json.dumps(export(message(1, text="HERE"), message(2)), indent=1).encode()
    return data.replace(b"HERE", text)


@pytest.mark.parametrize(
    ("written_text", "text", "kind"),
    [
        (rb"a\x1Fb", "a\x1fb", "hex_escape"),
        (rb"\\x41 \x00", "\\x41 \ufffd", "hex_escape"),
        (b"a\x01b\tc", "a\x01b\tc", "control_character"),
        (b"a\n  }\nb", "a\n  }\nb", "control_character"),
    ],
)
def test_escapes_and_control_characters_are_mended(
    tmp_path: Path, written_text: bytes, text: str, kind: str
) -> None:
    outcome = read_whole(written(tmp_path, raw_export(written_text)))
    assert [record.text for record in outcome.messages] == [text, "text 2"]
    assert outcome.summary.repaired == {kind: 1}
    assert outcome.summary.repaired_records == 1
    assert b"\n" not in outcome.messages[0].raw
    assert json.loads(outcome.messages[0].raw)["id"] == 1


def test_escaped_backslash_before_x_is_legal_and_left_alone(tmp_path: Path) -> None:
    outcome = read_whole(written(tmp_path, raw_export(rb"\\x41")))
    assert outcome.messages[0].text == "\\x41"
    assert outcome.summary.repaired == {}


@pytest.mark.parametrize(
    "path",
    [
        "video_files/sticker (2).webm",
        "(File not included. Change data exporting settings to download.)",
        "stickers/a {b] c.webp",
    ],
)
def test_the_unquoted_document_id_of_desktop_4_1_is_quoted(tmp_path: Path, path: str) -> None:
    emoji = {"type": "custom_emoji", "text": "🙂", "document_id": "HERE"}
    data = json.dumps(export(message(1, text=["a", emoji]), message(2)), indent=1)
    outcome = read_whole(written(tmp_path, data.replace('"HERE"', path).encode()))
    (entity,) = outcome.messages[0].entities
    assert (entity.document_id, entity.offset, entity.length) == (path, 1, 1)
    assert outcome.summary.repaired == {"unquoted_document_id": 1}
    assert outcome.summary.messages == 2


def test_windows_1251_is_read_as_such_and_counted(tmp_path: Path) -> None:
    content = export(message(1, text="Привет, «мир»"), message(2), name="Чат")
    data = json.dumps(content, ensure_ascii=False, indent=1).encode("cp1251")
    outcome = read_whole(written(tmp_path, data))
    assert outcome.scan.encoding == "windows-1251"
    assert outcome.parts[0].chat.title == "Чат"
    assert outcome.messages[0].text == "Привет, «мир»"
    assert json.loads(outcome.messages[0].raw)["text"] == "Привет, «мир»"
    assert outcome.summary.repaired == {"windows_1251": 1}


def test_bad_bytes_in_an_utf8_file_cost_only_their_record(tmp_path: Path) -> None:
    good = [message(n, text="Привет") for n in (1, 2, 4)]
    data = json.dumps(export(*good), ensure_ascii=False, indent=1).encode()
    outcome = read_whole(
        written(tmp_path, data.replace("Привет".encode(), b"\xcf\xf0", 2)[:-1] + b"}")
    )
    assert outcome.scan.encoding == "windows-1251"  # most of it cannot be UTF-8
    last = data.rindex("Привет".encode())
    broken = data[:last] + b"\xcf\xf0" + data[last:]
    outcome = read_whole(written(tmp_path, broken))
    assert outcome.scan.encoding == "utf-8"
    assert [record.reason for record in outcome.rejected] == ["invalid_utf8"]
    assert b"\xcf\xf0" in outcome.rejected[0].raw
    assert outcome.summary.messages == 2


def test_nul_and_lone_surrogates_stay_in_raw_and_become_replacement_characters(
    tmp_path: Path,
) -> None:
    outcome = read_whole(written(tmp_path, raw_export(rb"a\u0000b\ud83dc\ud83d\ude00")))
    record = outcome.messages[0]
    assert record.text == "a\ufffdb\ufffdc😀"
    assert rb"a\u0000b\ud83dc\ud83d\ude00" in record.raw
    assert decode(encode(record), "here") == record
    assert outcome.summary.repaired == {}


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + json.dumps(export(message(1))).encode()
    assert read_whole(written(tmp_path, data)).summary.messages == 1


def test_numbers_stay_as_they_were_written() -> None:
    record = b'{\n  "a": 1.10, "b": 1e2,\n  "c": 123456789012345678901234567890}'
    understood = understand(record)
    assert understood is not None
    assert one_line(understood.json) == b'{"a": 1.10, "b": 1e2,"c": 123456789012345678901234567890}'
