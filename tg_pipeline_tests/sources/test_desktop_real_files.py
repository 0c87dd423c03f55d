"""Every real export file we have: what becomes of it, and that nothing of it is lost."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.contracts import Message, Rejected, content_hash, decode, encode
from tg_pipeline.errors import InputEmpty, InvalidJson, TimezoneRequired
from tg_pipeline.sources.desktop_json import discover
from tg_pipeline_tests.sources.making import Outcome, read_whole

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "telegram_desktop"
ZONE = "Europe/Berlin"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the real export files are not at {FOLDER}"
)


@dataclass(frozen=True)
class Expected:
    chats: str
    messages: int
    rejected: dict[str, int] = field(default_factory=dict)
    zone_needed: bool = False


MANAGER = "frozenspider__chat-history-manager__telegram_"
PARSER = "innerdvations__telegram-chat-parser__"
CONVERTER = "leonaffi-byte__telegram-conversation-exporter__"
NEWS = "Trafalgardi__game-news-aggregator__"
SUPERGROUP = "-1000123123123"
PRIVATE = "11111111_123123123"
GROUP = "11111111_-123123123"
EXPECTED = {
    "Loganavter__Tkonverter__example-group.json": Expected(
        "-20001", 44, {"unsupported_without_date": 1}
    ),
    "Loganavter__Tkonverter__example-personal.json": Expected(
        "777000_10001", 86, {"unsupported_without_date": 1}
    ),
    NEWS + "fixture.json": Expected("-8144546451793598", 1, zone_needed=True),
    NEWS + "hyper_news_result.json": Expected("-1001613744721", 373),
    "c137req__ptv__full-account.json": Expected(
        "-5221937177976312 -8348176671896661", 3, zone_needed=True
    ),
    MANAGER + "2020-01.json": Expected(
        "11111111_-8123123123 11111111_5482810481 11111111_26045049 11111111_5038366037",
        50,
        zone_needed=True,
    ),
    MANAGER + "2021-05.json": Expected(GROUP, 3, zone_needed=True),
    MANAGER + "2021-06_supergroup.json": Expected("-1001234567890", 4, zone_needed=True),
    MANAGER + "2021-07.json": Expected(GROUP, 2, zone_needed=True),
    MANAGER + "2023-01.json": Expected(GROUP, 6),
    MANAGER + "2023-08.json": Expected(SUPERGROUP, 2),
    MANAGER + "2023-10_audio-video.json": Expected(SUPERGROUP, 4),
    MANAGER + "2023-11.json": Expected(PRIVATE, 1),
    MANAGER + "2024-01.json": Expected(PRIVATE, 2),
    MANAGER + "2024-01_inline-bot-buttons.json": Expected(PRIVATE, 5),
    MANAGER + "2024-02_create-channel_saved-from.json": Expected(SUPERGROUP, 2),
    MANAGER + "2024-05_boosts_file-name_etc.json": Expected(SUPERGROUP, 3),
    MANAGER + "2024-06_blockquote-collapsed.json": Expected(SUPERGROUP, 1),
    MANAGER + "2024-08.json": Expected(SUPERGROUP, 4),
    MANAGER + "2025-02_joined_file-size.json": Expected(PRIVATE, 2),
    MANAGER + "2025-03_service-photo-size.json": Expected(PRIVATE, 2),
    MANAGER + "2025-12.json": Expected(f"{GROUP} -1000123456789", 6),
    PARSER + "bot.json": Expected("4593921592_5705032703", 2, zone_needed=True),
    PARSER + "error-unexpected.json": Expected(
        "5705032703_5705032703",
        13,
        {"unknown_type": 1, "invalid_record": 1, "missing_id": 1},
        zone_needed=True,
    ),
    PARSER + "personal.json": Expected("5555555555", 0),
    PARSER + "private_channel.json": Expected("-1001447061072", 7, zone_needed=True),
    PARSER + "private_group.json": Expected("-1410065407", 2, zone_needed=True),
    PARSER + "public_channel.json": Expected("-1035854509852", 7, zone_needed=True),
    PARSER + "public_supergroup.json": Expected("-1001298954296", 4, zone_needed=True),
    PARSER + "saved.json": Expected("5705032703_5705032703", 21, zone_needed=True),
    PARSER + "users_test.json": Expected("1_1", 9, zone_needed=True),
    "joweich__chat-miner__full-account-batch.json": Expected(
        "-8581648747023247", 0, {"missing_id": 2}
    ),
    "joweich__chat-miner__single.json": Expected("-7846574083590821", 0, {"missing_id": 2}),
    "la-ninpre__tg2md__result.json": Expected("-1001292077344", 19, zone_needed=True),
    CONVERTER + "full-account.json": Expected("-7349920808389199 -5607710270197177", 2),
    CONVERTER + "media_chat.json": Expected("-8668447575783574", 6),
    CONVERTER + "replies.json": Expected("-8248134169126899", 3),
    "vorot93__telegram-export-sqlite__json_export.json": Expected("-123456", 4),
    "vorot93__telegram-export-sqlite__voice_export.json": Expected("12345_42", 1),
}
REFUSED = {PARSER + "error.json": (InvalidJson, {"offset": 67, "line": 5})}


def test_the_table_speaks_of_every_file() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == EXPECTED.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_outcome(name: str) -> None:
    expected = EXPECTED[name]
    if expected.zone_needed:
        with pytest.raises(TimezoneRequired):
            read_whole(FOLDER / name)
    outcome = read_whole(FOLDER / name, timezone=ZONE if expected.zone_needed else None)
    assert " ".join(str(part.key) for part in outcome.parts) == expected.chats
    assert outcome.summary.messages == expected.messages
    assert outcome.summary.rejected == expected.rejected
    assert outcome.summary.truncated_at is None
    assert outcome.summary.repaired == {}
    assert Counter(record.reason for record in outcome.rejected) == expected.rejected


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_of_any_record_is_lost(name: str) -> None:
    outcome = read_whole(FOLDER / name, timezone=ZONE)
    content = json.loads((FOLDER / name).read_bytes())
    assert _records(outcome) == [record for chat in _chats(content) for record in chat["messages"]]
    for record in outcome.records:
        line = encode(record)
        assert b"\n" not in line
        assert decode(line, name) == record


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    error, facts = REFUSED[name]
    with pytest.raises(error) as caught:
        read_whole(FOLDER / name, timezone=ZONE)
    assert {key: getattr(caught.value, key) for key in facts} == facts


def test_text_and_hash_agree_with_the_records_of_a_real_channel() -> None:
    outcome = read_whole(FOLDER / (NEWS + "hyper_news_result.json"))
    for record in outcome.messages:
        source = json.loads(record.raw)
        pieces = source["text_entities"]
        assert record.text == "".join(piece["text"] for piece in pieces)
        assert [record.text[e.offset : e.offset + e.length] for e in record.entities] == [
            piece["text"] for piece in pieces if piece["type"] != "plain"
        ]
        assert record.content_hash == content_hash(
            record.text, record.entities, record.media_meta, record.action, record.poll
        )


def test_html_exports_are_refused_with_a_hint() -> None:
    (found,) = discover([FOLDER / "vorot93__telegram-export-sqlite__html"]).inputs
    assert isinstance(found, InputEmpty)
    assert "HTML export" in found.remedy


def _records(outcome: Outcome) -> list[Any]:
    kept = [record for record in outcome.records if isinstance(record, Message | Rejected)]
    return [json.loads(record.raw) for record in kept]


def _chats(content: dict[str, Any]) -> list[dict[str, Any]]:
    if "messages" in content:
        return [content]
    return [
        chat for key in ("chats", "left_chats") for chat in content.get(key, {}).get("list", [])
    ]
