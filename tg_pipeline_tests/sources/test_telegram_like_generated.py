"""Generated histories, fetched and exported: the same messages with the content that is true."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from telethon.extensions import BinaryReader

from tg_pipeline.contracts import Kind, Message
from tg_pipeline.generator import ACCOUNT, ChatPlan, History, history, write_desktop_json
from tg_pipeline.sources.telegram.convert import Context, to_message
from tg_pipeline_tests.sources.making import read_whole, written
from tg_pipeline_tests.telegram_server.filling.chats import BOTS
from tg_pipeline_tests.telegram_server.filling.messages import Writer

START = datetime(2022, 6, 1, tzinfo=UTC)
END = datetime(2023, 6, 1, tzinfo=UTC)
MOMENTS = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
MESSAGES = 1_500
PLANS = (
    ChatPlan("channel", 1_700_000_001, "Harbour", MESSAGES, START, END),
    ChatPlan(
        "supergroup", 1_700_000_002, "Atlas", MESSAGES, START, END, people=20, before_migration=300
    ),
    ChatPlan("group", 77_001, "Früh", MESSAGES, START, END, people=9),
    ChatPlan("private", 700_000_555, "Ada", MESSAGES, START, END),
    ChatPlan("saved", ACCOUNT.id, "Saved", MESSAGES, START, END),
)


def fetched(made: History, moment: datetime) -> Iterator[Message]:
    """Each message as it comes over the wire."""
    writer = Writer(made.plan, ACCOUNT.id, BOTS, forum=False)
    for tl_message in writer.write(made.as_of(moment)):
        data: Any = BinaryReader(tl_message._bytes())
        before = tl_message.peer_id.to_dict()["_"] == "PeerChat" and made.plan.kind != "group"
        yield to_message(data.tgread_object(), Context(made.entity_id, ACCOUNT.id, moment, before))


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: str(moment.year))
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.kind)
def test_the_content_is_the_true_one(plan: ChatPlan, moment: datetime) -> None:
    made = history(plan, 7)
    records = list(fetched(made, moment))
    for record, true in zip(records, made.as_of(moment), strict=True):
        assert (record.id, record.account_id) == (true.id, true.account_id)
        assert (record.kind, record.date) == (true.kind, true.date)
        assert record.content_hash == true.content_hash
    assert len(records) > MESSAGES // 3


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.kind)
def test_what_both_tell_is_told_alike(plan: ChatPlan, tmp_path: Path) -> None:
    made, moment = history(plan, 8), MOMENTS[-1]
    file = BytesIO()
    write_desktop_json(file, [made], as_of=moment)
    path = written(tmp_path, file.getvalue())
    exported = {record.id: record for record in read_whole(path, account=ACCOUNT.id).messages}
    live = {record.id: record for record in fetched(made, moment)}
    assert live.keys() - exported.keys() == {
        record.id for record in live.values() if record.kind is Kind.UNSUPPORTED
    }
    for number, old in exported.items():
        assert told(live[number]) == told(old), number


def told(record: Message) -> dict[str, Any]:
    """What both sources know of a message; ids of files are their own."""
    return {
        "key": (record.entity_id, record.account_id, record.id),
        "date": record.date,
        "kind": record.kind,
        "sender": None if _nobody(record) else record.sender_id,
        "author": record.post_author,
        "reply": (record.reply_to_id, record.reply_to_entity_id),
        "edited": record.edited_at,
        "text": record.text,
        "entities": [
            entity.model_dump(exclude={"document_id"} if entity.type == "custom_emoji" else None)
            for entity in record.entities
        ],
        "action": record.action and (record.action.type, record.action.title),
        "media": record.media_meta and record.media_meta.model_dump(exclude=_not_shared(record)),
        "poll": record.poll,
        "origin": record.forward and record.forward.from_id,
        "reactions": [(one.type, one.emoji, one.count) for one in record.reactions or ()],
        "content": record.content_hash,
    }


def _nobody(record: Message) -> bool:
    """Anonymous administrators, whom a basic group cannot have, speak in generated ones."""
    return record.id < 0 and record.sender_id is not None and record.sender_id < 0


def _not_shared(record: Message) -> set[str]:
    """Voice and round messages have no file name but in generated exports."""
    unnamed = {"voice_message", "video_message"}
    named = record.media_meta is None or record.media_meta.type not in unnamed
    return {"remote_id", "path", "missing_reason"} | (set() if named else {"file_name"})
