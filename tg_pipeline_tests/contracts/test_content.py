"""The content hash: what is content, what is not, and values that must never change."""

from typing import Any

import pytest

from tg_pipeline.contracts import Action, Entity, Media, Poll, PollAnswer, content_hash


def hashed(
    text: str = "",
    *entities: Entity,
    media: str | None = None,
    action: Action | None = None,
    poll: Poll | None = None,
) -> str:
    attached = None if media is None else Media(type=media)
    return content_hash(text, entities, attached, action, poll).hex()


def link(offset: int, length: int, url: str = "https://example.org") -> Entity:
    return Entity(type="text_link", offset=offset, length=length, url=url)


def mention(offset: int, length: int, user_id: int = 42) -> Entity:
    return Entity(type="mention_name", offset=offset, length=length, user_id=user_id)


def bold(offset: int, length: int) -> Entity:
    return Entity(type="bold", offset=offset, length=length)


POLL = Poll(question="Tea?", answers=(PollAnswer(text="yes"), PollAnswer(text="no")))
PINNED: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": (
        "3e5616bdcb52dd6b1240dc6a27dc36eb7f2fafe765edfe0666df283d267d4703",
        {},
    ),
    "plain text": (
        "53d39f8c938f08e6d4edc0e672e2de99a7c995063935c454d40f8c51086c0b7e",
        {"text": "Hello, world"},
    ),
    "many scripts": (
        "6a4624f3f7a653c1cb98cc710b22727116319f15271ff6c002b6940d69503456",
        {"text": "سلام 👋🏽\u200d\n"},
    ),
    "nul": (
        "2b55a8083ed233d1c3f81a2102f8c0faf78e2a6f68f093529462038f8d127bc3",
        {"text": "a\0b"},
    ),
    "links": (
        "2befc7c843c266f34f1b8b193cb456903c4106bf7dddd90b98071938d1940d33",
        {"text": "read this", "entities": [bold(0, 2), link(5, 4), mention(5, 4)]},
    ),
    "photo": (
        "8e19aa6d690dbac524182f883f933c90821acbd0a7c225bfc165987605ee1e75",
        {"text": "look", "media": "photo"},
    ),
    "web page": (
        "e40118310d244b1f724ec25b1488fed5800239395aaf8972f846d0e0c521783f",
        {"text": "https://example.org", "media": "web_page"},
    ),
    "action": (
        "78ca54110803b8e580c9aca72f20e83b1b096fad040d9555b1f1ba4b2ac0e9f1",
        {"action": Action(type="edit_group_title", title="New")},
    ),
    "poll": (
        "85a8192e84575c4346e6222817906164bcbb67e7a1ef2c2e86f26c4fa9b05440",
        {"poll": POLL},
    ),
}


@pytest.mark.parametrize("name", PINNED)
def test_values_never_change(name: str) -> None:
    """A change here makes a false edit of every stored message: raise VERSION and migrate."""
    expected, parts = PINNED[name]
    content = {"text": "", "entities": (), **parts}

    assert hashed(content.pop("text"), *content.pop("entities"), **content) == expected


def test_text_is_neither_trimmed_nor_normalised() -> None:
    forms = ["é", "e\u0301", " é", "é ", "é\n", "É", "\u200dé"]

    assert len({hashed(form) for form in forms}) == len(forms)


def test_nul_is_hashed_as_postgresql_stores_it() -> None:
    assert hashed("a\0b") == hashed("a\ufffdb") != hashed("ab")


def test_links_are_content_with_their_place_and_target() -> None:
    values = {
        hashed("read this"),
        hashed("read this", link(5, 4)),
        hashed("read this", link(0, 4)),
        hashed("read this", link(5, 4, "https://example.com")),
        hashed("read this", mention(5, 4)),
        hashed("read this", mention(5, 4, 43)),
    }
    assert len(values) == 6


def test_other_formatting_is_not_content() -> None:
    custom = Entity(type="custom_emoji", offset=0, length=1, document_id="5")

    assert hashed("read", bold(0, 4)) == hashed("read", custom) == hashed("read")
    assert hashed("read", bold(0, 2), link(2, 2)) == hashed("read", link(2, 2))


def test_a_link_that_starts_inside_a_kept_entity_is_dropped() -> None:
    assert hashed("read this", bold(0, 9), link(5, 4)) == hashed("read this")
    assert hashed("read this", link(0, 9), mention(5, 4)) == hashed("read this", link(0, 9))
    assert hashed("read this", link(0, 5), mention(5, 4)) != hashed("read this", link(0, 5))


def test_a_link_after_a_dropped_entity_is_kept() -> None:
    dropped = bold(2, 30)  # starts inside the first one, so its end does not count

    assert hashed("abcdefgh", link(0, 4), dropped, link(5, 2)) == hashed(
        "abcdefgh", link(0, 4), link(5, 2)
    )


@pytest.mark.parametrize("media", ["web_page", "dice", "story"])
def test_media_that_one_source_does_not_tell_is_not_content(media: str) -> None:
    assert hashed("x", media=media) == hashed("x")


def test_the_kind_of_media_is_content_and_its_details_are_not() -> None:
    big = Media(type="photo", width=1280, remote_id="9", file_name="a.jpg", path="photos/a.jpg")

    assert content_hash("", (), big, None, None).hex() == hashed(media="photo")
    assert hashed(media="photo") != hashed(media="video") != hashed()


def test_an_action_is_its_name_and_title() -> None:
    joined = Action(type="invite_members", fields={"members": ["A"]})
    renamed = Action(type="edit_group_title", title="New")

    assert hashed(action=joined) == hashed(action=Action(type="invite_members"))
    assert hashed(action=renamed) != hashed(action=Action(type="edit_group_title", title="Old"))
    assert hashed(action=joined) != hashed()


def test_votes_are_not_content_but_answers_are() -> None:
    voted = Poll(
        question="Tea?",
        closed=True,
        total_voters=3,
        answers=(PollAnswer(text="yes", voters=3, chosen=True), PollAnswer(text="no", voters=0)),
    )
    other = Poll(question="Tea?", answers=(PollAnswer(text="no"), PollAnswer(text="yes")))

    assert hashed(poll=voted) == hashed(poll=POLL) != hashed(poll=other)
