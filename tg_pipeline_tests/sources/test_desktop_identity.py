"""Which chat, and whose numbering."""

from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.contracts import ChatType
from tg_pipeline.contracts.identity import is_surrogate
from tg_pipeline.errors import ChatIdNotApplicable
from tg_pipeline_tests.sources.making import Made, export, message, read_whole, written


@pytest.mark.parametrize(
    ("written_type", "number", "entity_id", "kind", "is_public"),
    [
        ("personal_chat", 55, 55, ChatType.PRIVATE, None),
        ("bot_chat", 55, 55, ChatType.BOT, None),
        ("saved_messages", 55, 55, ChatType.SAVED, None),
        ("replies", 1271266957, 1271266957, ChatType.PRIVATE, None),
        ("verification_codes", 489000, 489000, ChatType.BOT, None),
        ("private_group", 55, -55, ChatType.GROUP, False),
        ("private_supergroup", 55, -1000000000055, ChatType.SUPERGROUP, False),
        ("public_supergroup", 55, -1000000000055, ChatType.SUPERGROUP, True),
        ("private_channel", 55, -1000000000055, ChatType.CHANNEL, False),
        ("public_channel", -1001253488154, -1001253488154, ChatType.CHANNEL, True),
    ],
)
def test_header_ids_are_marked_by_the_chats_type(
    made: Made, written_type: str, number: int, entity_id: int, kind: ChatType, is_public: bool
) -> None:
    chat = made(message(1), type=written_type, id=number).parts[0].chat
    assert (chat.entity_id, chat.type, chat.is_public) == (entity_id, kind, is_public)


@pytest.mark.parametrize(
    ("written_type", "number", "sender", "entity_id", "sender_id"),
    [
        ("private_channel", 10036995664, 10036995664, -1001447061072, -1001447061072),
        ("private_group", 2**33 + 5, 7, -5, 7),
        ("personal_chat", 2**32 + 5, 2**32 + 5, 5, 5),
        ("personal_chat", 2**33 + 5, 2**33 + 5, 2**32 + 5, 2**32 + 5),
        ("public_supergroup", 2**33 + 5, 2**32 + 9, -1000000000005, 9),
        ("private_channel", 10036995664, "channel1447061072", -1010036995664, -1001447061072),
    ],
)
def test_bare_numbers_as_senders_carry_the_offsets_of_old_files(
    made: Made, written_type: str, number: int, sender: Any, entity_id: int, sender_id: int
) -> None:
    outcome = made(message(1, from_id=sender), type=written_type, id=number)
    assert outcome.parts[0].chat.entity_id == entity_id
    assert outcome.messages[0].sender_id == sender_id


@pytest.mark.parametrize(
    ("sender", "sender_id"),
    [
        ("user12", 12),
        ("chat12", -12),
        ("channel12", -1000000000012),
        ("user_alice", None),
        ("user0", None),
        ("user99999999999999999999", None),
        ("channel5000000000000000", None),
        (None, None),
        (True, None),
        (2**63, None),
        (["user1"], None),
    ],
)
def test_senders_that_name_no_peer_are_left_out(made: Made, sender: Any, sender_id: int) -> None:
    outcome = made(message(1, from_id=sender))
    assert outcome.messages[0].sender_id == sender_id


def test_a_channel_without_id_is_known_by_its_posts(made: Made) -> None:
    outcome = made(message(1, from_id=None), message(2, from_id="channel9"), id=None)
    (part,) = outcome.parts
    assert part.chat.entity_id == -1000000000009
    assert [note.code for note in part.notes] == ["id_inferred"]
    assert {record.entity_id for record in outcome.messages} == {-1000000000009}


def test_a_private_chat_without_id_is_the_sender_who_is_not_the_account(made: Made) -> None:
    messages = [message(1, from_id="user10"), message(2, from_id="user20")]
    (part,) = made(*messages, type="personal_chat", id="chat_x", options={"account": 10}).parts
    assert str(part.key) == "10_20"


def test_a_chat_nobody_can_name_gets_a_surrogate_of_file_and_position(tmp_path: Path) -> None:
    chats = [export(message(1), id=None, name="Same"), export(message(1), id=None, name="Same")]
    path = written(tmp_path, {"chats": {"list": chats[:1]}, "left_chats": {"list": chats[1:]}})
    first, second = read_whole(path).parts
    assert is_surrogate(first.chat.entity_id)
    assert is_surrogate(second.chat.entity_id)
    assert first.chat.entity_id != second.chat.entity_id
    assert [note.code for note in first.notes] == ["surrogate_id"]
    again = read_whole(path).parts
    assert [part.chat.entity_id for part in again] == [first.chat.entity_id, second.chat.entity_id]


def test_a_chat_of_unknown_type_is_known_only_by_a_sender_of_its_number(made: Made) -> None:
    (known,) = made(message(1, from_id="channel77"), type="new_kind").parts
    assert known.chat.entity_id == -1000000000077
    assert known.chat.type is ChatType.UNKNOWN
    (unknown,) = made(message(1), type="new_kind").parts
    assert is_surrogate(unknown.chat.entity_id)
    assert [note.code for note in unknown.notes] == ["type_unknown", "surrogate_id"]


def test_the_user_can_name_the_chat_of_a_single_chat_file(made: Made, tmp_path: Path) -> None:
    (part,) = made(message(1), options={"chat_id": -1005}).parts
    assert part.chat.entity_id == -1005
    one = written(tmp_path, {"chats": {"list": [export(message(1))]}})
    assert read_whole(one, chat_id=-55).parts[0].chat.entity_id == -55
    two = written(tmp_path, {"chats": {"list": [export(message(1)), export(message(1))]}})
    with pytest.raises(ChatIdNotApplicable):
        read_whole(two, chat_id=-55)


@pytest.mark.parametrize(
    ("header", "senders", "options", "account_id"),
    [
        ({"type": "saved_messages", "id": 5}, ["user5"], {"account": 9}, 5),
        ({"type": "personal_chat", "id": 5}, ["user5", "user7"], {"account": 9}, 7),
        ({"type": "bot_chat", "id": 5}, ["user5", "user7"], {}, 7),
        ({"type": "personal_chat", "id": 5}, ["user5"], {"account": 9}, 9),
        ({"type": "personal_chat", "id": 5}, ["user5"], {}, 0),
        ({"type": "replies", "id": 5}, ["user7"], {}, 0),
        ({"type": "private_group", "id": 5}, ["user5", "user7"], {"account": 9}, 9),
        ({"type": "private_group", "id": 5}, ["user5", "user7"], {}, 0),
        ({"type": "private_group", "id": 5, "personal_information": {"user_id": 3}}, [], {}, 3),
    ],
)
def test_the_account_comes_from_the_file_then_its_senders_then_the_user(
    made: Made, header: dict[str, Any], senders: list[str], options: Any, account_id: int
) -> None:
    messages = [message(n, from_id=sender) for n, sender in enumerate(senders, 1)]
    outcome = made(*messages, options=options, **header)
    (part,) = outcome.parts
    assert (part.account_id, part.chat.account_id) == (account_id, account_id)
    assert {record.account_id for record in outcome.messages} <= {account_id}
    unknown = "account_unknown" in [note.code for note in part.notes]
    assert unknown == (account_id == 0)


def test_history_from_before_a_supergroup_belongs_to_the_account(made: Made) -> None:
    outcome = made(
        message(-999999999), message(1), type="private_supergroup", options={"account": 9}
    )
    assert [record.account_id for record in outcome.messages] == [9, 0]
    assert outcome.parts[0].chat.account_id == 0
