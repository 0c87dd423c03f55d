"""The rule that stored content gives its content hash: damage in, exact findings out."""

from typing import Any

import pytest

from tg_pipeline.contracts import Action, Entity, Kind, Media, Poll, PollAnswer, Source
from tg_pipeline_tests.quality.house import DAY, SEEN, START, House, sent

RULE = "reproducible_content_hash"
WHAT = "its content does not give its content_hash"
FAILS = [("2024-01-01", 1, WHAT)]
WARNS = [("2024-01-01", 1, f"? {WHAT}")]
POLL = Poll(question="Tea?", answers=(PollAnswer(text="yes"), PollAnswer(text="no")))
VOTED = POLL.model_copy(update={"total_voters": 9, "closed": True})
OTHER = Poll(question="Coffee?", answers=(PollAnswer(text="yes"),))
RICH: dict[str, Any] = {
    "text": "see here, Ada\0",
    "entities": (
        Entity(type="text_link", offset=4, length=4, url="https://mill.example/"),
        Entity(type="bold", offset=5, length=2),
        Entity(type="mention_name", offset=10, length=3, user_id=2**62),
    ),
    "media_meta": Media(type="photo", width=3, path="photos/1.jpg"),
    "action": Action(type="pin_message", title=None, fields={"message_id": 7}),
    "poll": POLL,
}


def test_content_of_every_kind_gives_its_hash(house: House) -> None:
    kinds = [{name: value} for name, value in RICH.items()]
    house.take_in(*(sent(number, **kind) for number, kind in enumerate([RICH, *kinds], start=1)))
    assert house.found(RULE) == []


@pytest.mark.parametrize(
    "change",
    [
        "text = text || ' '",
        "text = ''",
        "entities = entities - 0",
        "entities = jsonb_set(entities, '{0,url}', '\"https://other.example/\"')",
        "entities = jsonb_set(entities, '{2,user_id}', '4611686018427387905')",
        "entities = jsonb_set(entities, '{0,offset}', '3')",
        "media_meta = jsonb_set(media_meta, '{type}', '\"sticker\"')",
        "media_meta = NULL",
        "action = jsonb_set(action, '{type}', '\"phone_call\"')",
        "action = jsonb_set(action, '{title}', '\"x\"')",
        "action = NULL",
        "poll = jsonb_set(poll, '{question}', '\"Coffee?\"')",
        "poll = jsonb_set(poll, '{answers,0,text}', '\"no\"')",
        "poll = NULL",
        "content_hash = decode(repeat('00', 32), 'hex')",
    ],
)
def test_content_that_was_changed_is_found(house: House, change: str) -> None:
    house.take_in(sent(1, **RICH), sent(2, START + DAY, **RICH))
    house.run(f"UPDATE messages SET {change} WHERE id = 1")
    assert house.found(RULE) == FAILS


@pytest.mark.parametrize(
    "change",
    [
        "media_meta = jsonb_set(media_meta, '{width}', '4')",
        "action = jsonb_set(action, '{fields,message_id}', '8')",
        "poll = jsonb_set(poll, '{total_voters}', '8')",
        "entities = jsonb_set(entities, '{1,type}', '\"italic\"')",
        "views = 8",
    ],
)
def test_what_is_no_content_is_left_to_the_digest(house: House, change: str) -> None:
    house.take_in(sent(1, **RICH))
    house.run(f"UPDATE messages SET {change}")
    assert house.found(RULE) == []
    assert len(house.found("true_day_counts")) == 1


def test_unsupported_messages_have_no_content_to_prove(house: House) -> None:
    house.take_in(sent(1, kind=Kind.UNSUPPORTED))
    house.run("UPDATE messages SET text = 'other'")
    assert house.found(RULE) == []


# ---- polls of another sighting --------------------------------------------------------------


def test_votes_of_a_later_export_change_no_content(house: House) -> None:
    house.take_in(sent(1, poll=POLL))
    house.take_in(sent(1, poll=VOTED), seen=SEEN + DAY)
    assert house.found(RULE) == []
    house.run("UPDATE messages SET text = 'other'")
    assert house.found(RULE) == FAILS


def test_a_poll_that_another_version_shows_warns(house: House) -> None:
    house.take_in(sent(1, poll=POLL, edited_at=START + DAY))
    house.take_in(sent(1, poll=OTHER), seen=SEEN + DAY)
    assert house.found(RULE) == WARNS


def test_a_poll_that_another_version_of_the_same_moment_shows_warns(house: House) -> None:
    house.take_in(sent(1, poll=POLL, edited_at=START + DAY))
    house.take_in(sent(1, poll=OTHER, source=Source.TELEGRAM))
    assert house.found(RULE) == WARNS


def test_a_poll_that_another_version_does_not_show_warns(house: House) -> None:
    house.take_in(sent(1, poll=POLL, edited_at=START + DAY))
    house.take_in(sent(1), seen=SEEN + DAY)
    assert house.found(RULE) == WARNS


@pytest.mark.parametrize("later", [0, 1])
def test_a_poll_that_an_older_client_of_the_same_moment_could_not_show_warns(
    house: House, later: int
) -> None:
    """An unsupported sighting makes no version, so nothing told that the poll was not its own."""
    house.take_in(sent(1, poll=POLL))
    house.take_in(sent(1, kind=Kind.UNSUPPORTED, source=Source.TELEGRAM), seen=SEEN + later * DAY)
    assert house.rows("SELECT poll FROM messages") == [(None,)]
    assert house.found(RULE) == WARNS


def test_where_there_is_no_poll_another_version_excuses_nothing(house: House) -> None:
    """The text of every message that was ever seen as another version could be changed."""
    house.take_in(sent(1, text="second", edited_at=START + DAY))
    house.take_in(sent(1, text="first"), seen=SEEN + DAY)
    assert house.found(RULE) == []
    house.run("UPDATE messages SET text = 'third'")
    assert house.found(RULE) == FAILS


# ---- NUL ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        {"entities": (Entity(type="text_link", offset=0, length=4, url="a\0b"),)},
        {"action": Action(type="edit_group_title", title="\0")},
        {"poll": Poll(question="\0")},
    ],
)
def test_a_nul_that_jsonb_could_not_take_warns(house: House, content: dict[str, Any]) -> None:
    """It was hashed as it is and stored as U+FFFD."""
    house.take_in(sent(1, **content))
    assert house.found(RULE) == WARNS
