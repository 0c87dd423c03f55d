import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tg_pipeline.contracts import Entity, Kind, content_hash
from tg_pipeline.contracts.message import Action, Media, Poll, PollAnswer
from tg_pipeline.generator import (
    ACCOUNT,
    DEMO_END,
    ChatPlan,
    DesktopStyle,
    demo_histories,
    history,
    person,
    write_desktop_json,
)
from tg_pipeline.generator.style import Era
from tg_pipeline_tests.generator.plans import (
    EARLY,
    EARLY_LATER,
    END,
    MOMENTS,
    SUPERGROUP,
    messages,
    written,
)

CHANNEL = ChatPlan(
    "channel", 1_700_000_001, "Lantern", 900, datetime(2023, 1, 1, tzinfo=UTC), END, public=True
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_file_holds_what_is_visible(moment: datetime) -> None:
    shown = list(history(SUPERGROUP, 1).as_of(moment))
    found = messages(as_of=moment)
    assert [one["id"] for one in found] == [one.id for one in shown]
    assert [_hash(one) for one in found] == [one.content_hash for one in shown]


def _hash(found: dict[str, object]) -> bytes | None:
    """Read a message the way the importer's rules say."""
    if found["type"] == Kind.UNSUPPORTED:
        return None
    parts = found["text_entities"]
    assert isinstance(parts, list)
    text, entities = "", []
    for part in parts:
        entities.append(
            Entity(
                type=part["type"],
                offset=len(text),
                length=len(part["text"]),
                url=part.get("href"),
                user_id=part.get("user_id"),
            )
        )
        text += part["text"]
    kind = None if "action" in found else _media(found)
    action = Action(type=found["action"], title=found.get("title")) if "action" in found else None
    return content_hash(text, entities, Media(type=kind) if kind else None, action, _poll(found))


def _media(found: dict[str, object]) -> str | None:
    names = {
        "photo": "photo",
        "contact_information": "contact",
        "place_name": "venue",
        "location_information": "location",
        "game_title": "game",
        "invoice_information": "invoice",
        "giveaway_information": "giveaway",
        "file": "file",
    }
    if "media_type" in found:
        return str(found["media_type"])
    return next((kind for key, kind in names.items() if key in found), None)


def _poll(found: dict[str, object]) -> Poll | None:
    poll = found.get("poll")
    if not isinstance(poll, dict):
        return None
    answers = tuple(PollAnswer(text=answer["text"]) for answer in poll["answers"])
    return Poll(question=poll["question"], answers=answers)


@pytest.mark.parametrize("account_export", [False, True])
def test_the_layout_is_desktops(account_export: bool) -> None:
    raw = written(history(CHANNEL, 1), style=DesktopStyle(account_export=account_export)).decode()
    assert raw == json.dumps(json.loads(raw), indent=1, ensure_ascii=False)


def test_text_and_text_entities_say_the_same() -> None:
    for one in messages():
        if one["type"] == "message":
            text = one["text"] if isinstance(one["text"], list) else [one["text"]]
            flat = "".join(part if isinstance(part, str) else part["text"] for part in text)
            assert flat == "".join(part["text"] for part in one["text_entities"])


def test_new_exports_have_unix_times() -> None:
    for one in messages(style=DesktopStyle(timezone="Asia/Kolkata")):
        if one["type"] != "unsupported":
            moment = datetime.fromtimestamp(int(one["date_unixtime"]), ZoneInfo("Asia/Kolkata"))
            assert one["date"] == moment.isoformat()[:19]
            assert "text_entities" in one
            assert ("edited" in one) == ("edited_unixtime" in one)


@pytest.mark.parametrize("era", ["oldest", "old"])
def test_old_exports_have_none(era: Era) -> None:
    found = messages(
        EARLY, as_of=EARLY_LATER, style=DesktopStyle(era=era, timezone="Asia/Tashkent")
    )
    keys = {key for one in found for key in one}
    assert not keys & {
        "date_unixtime",
        "edited_unixtime",
        "text_entities",
        "reactions",
        "file_size",
    }
    shown = {one.id: one for one in history(EARLY, 1).as_of(EARLY_LATER)}
    for one in found:
        local = datetime.fromisoformat(one["date"]).replace(tzinfo=ZoneInfo("Asia/Tashkent"))
        assert local == shown[one["id"]].date


def test_the_oldest_exports_shift_ids_and_say_1970_for_never() -> None:
    style = DesktopStyle(era="oldest", timezone="Asia/Tashkent")
    document = json.loads(written(history(EARLY, 1), as_of=EARLY_LATER, style=style))
    assert document["id"] == 2**33 + EARLY.peer_id
    assert document["messages"][0]["actor_id"] == 2**32 + ACCOUNT.id
    edited = [one["edited"] for one in document["messages"]]
    assert "1970-01-01T06:00:00" in edited
    assert any(stamp > "2019" for stamp in edited)


def test_the_oldest_era_cannot_hold_wide_ids() -> None:
    with pytest.raises(ValueError, match="oldest era"):
        written(history(SUPERGROUP, 1), style=DesktopStyle(era="oldest"))


def test_exports_number_their_files_themselves() -> None:
    first = messages(style=DesktopStyle(files_included=True))
    second = messages(style=DesktopStyle(files_included=True, first_number=500))
    assert first != second
    assert [one.get("text") for one in first if "photo" in one] == [
        one.get("text") for one in second if "photo" in one
    ]
    assert any("photo_" in one.get("photo", "") for one in first)


def test_contacts_rename_senders() -> None:
    style = DesktopStyle(contact_names={person(0).id: "Auntie", person(1).id: None})
    names = {one["from_id"]: one["from"] for one in messages(style=style) if "from" in one}
    assert names[f"user{person(0).id}"] == "Auntie"
    assert names[f"user{person(1).id}"] is None
    assert names[f"user{person(5, modern=True).id}"] is None


def test_an_account_export_lists_present_and_left_chats(tmp_path: Path) -> None:
    left = history(replace(CHANNEL, peer_id=1_700_000_055, left=True), 1)
    file = tmp_path / "result.json"
    style = DesktopStyle(account_export=True)
    write_desktop_json(file, [*demo_histories(), left], as_of=DEMO_END, style=style)
    document = json.loads(file.read_bytes())
    assert list(document)[-2:] == ["chats", "left_chats"]
    assert document["personal_information"]["user_id"] == ACCOUNT.id
    assert [chat["type"] for chat in document["chats"]["list"]] == [
        "public_channel",
        "public_supergroup",
        "personal_chat",
        "saved_messages",
        "private_group",
    ]
    assert len(document["left_chats"]["list"]) == 1


def test_one_chat_only_without_account_export() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        written(*demo_histories())


def test_hex_escapes_break_button_data_only() -> None:
    clean = written(history(CHANNEL, 1))
    broken = written(history(CHANNEL, 1), style=DesktopStyle(broken=frozenset({"hex_escapes"})))
    with pytest.raises(json.JSONDecodeError, match=r"Invalid \\escape"):
        json.loads(broken)
    assert re.sub(rb"\\x([0-9a-f]{2})", rb"\\u00\1", broken) == clean


def test_unquoted_document_ids_break_custom_emoji_only() -> None:
    style = DesktopStyle(broken=frozenset({"unquoted_document_id"}), first_number=2)
    broken = written(history(CHANNEL, 1), style=style)
    with pytest.raises(json.JSONDecodeError, match="Expecting value"):
        json.loads(broken)
    assert b'"document_id": stickers/sticker (2).webm\n' in broken
    mended = re.sub(rb'("document_id": )(stickers/[^"\n]*)', rb'\1"\2"', broken)
    shown = list(history(CHANNEL, 1).as_of(datetime(2026, 1, 14, tzinfo=UTC)))
    found = json.loads(mended)["messages"]
    assert [one["id"] for one in found] == [one.id for one in shown]
    assert not any("text_entities" in one for one in found)


def test_no_messages_yet() -> None:
    raw = written(history(CHANNEL, 1), as_of=datetime(2020, 1, 1, tzinfo=UTC))
    assert json.loads(raw)["messages"] == []
