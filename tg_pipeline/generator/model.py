"""What is true of a generated message: who wrote what, and how it changed with time.

`Post` never changes; `Content` changes by edits; reactions, votes and the edit stamp belong to a
moment. A `TrueMessage` is what Telegram shows of a message at one moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from tg_pipeline.contracts import (
    Action,
    Entity,
    Kind,
    Media,
    Poll,
    PollAnswer,
    Reaction,
    content_hash,
)

ChatKind = Literal["channel", "supergroup", "group", "private", "saved"]
MODERN_SINCE = 2022
"""Custom emoji, topics, unsupported messages and ids beyond 32 bits appear from this year on."""


@dataclass(frozen=True, slots=True)
class ChatPlan:
    """What a chat shall look like; with a seed it determines every byte.

    Attributes:
        kind: What sort of chat.
        peer_id: Bare id, as Telegram Desktop writes it.
        title: Name of the chat; of the other person in a private chat.
        messages: How many messages are ever sent, later deleted ones and service messages included.
        start: First message, aware.
        end: No message is sent later; edits, votes and reactions may be.
        people: How many take part.
        before_migration: For supergroups, how many of the messages stem from the basic group.
        first_id: Where message ids begin.
        public: Whether a channel or supergroup has a public name.
        extra_sentences: How much longer than usual texts are.
        left: Whether the account has left the chat; account exports list those apart.
    """

    kind: ChatKind
    peer_id: int
    title: str
    messages: int
    start: datetime
    end: datetime
    people: int = 2
    before_migration: int = 0
    first_id: int = 1
    public: bool = False
    extra_sentences: int = 0
    left: bool = False

    @property
    def entity_id(self) -> int:
        """Marked peer id."""
        if self.kind in ("channel", "supergroup"):
            return -(10**12 + self.peer_id)
        return -self.peer_id if self.kind == "group" else self.peer_id

    @property
    def modern(self) -> bool:
        """Whether the chat began after Telegram had all its present features."""
        return self.start.year >= MODERN_SINCE


class Peer(NamedTuple):
    """A sender: marked id and name; the name of a deleted account is None."""

    id: int
    name: str | None


class Part(NamedTuple):
    """A stretch of text as Desktop writes it; `value` is the link, user, language or emoji key."""

    type: str
    text: str
    value: str | int | bool | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """Media of a message; `fields` are those that are not common to files."""

    kind: str
    stem: str = ""
    mime_type: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    duration: int = 0
    thumbnail: bool = False
    absent: str = ""
    fields: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class PollSheet:
    """Question, answers, and how many will have voted for each in the end."""

    question: str
    answers: tuple[str, ...]
    final_votes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """A service action; peers among its fields are written by name."""

    type: str
    title: str | None = None
    fields: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Where a forwarded message came from."""

    name: str
    id: int | None = None
    saved_from: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """All that an edit may change and that the content hash covers."""

    parts: tuple[Part, ...] = ()
    media: Attachment | None = None
    poll: PollSheet | None = None
    action: Deed | None = None

    @property
    def text(self) -> str:
        """The plain text."""
        return "".join(part.text for part in self.parts)

    @property
    def entities(self) -> tuple[Entity, ...]:
        """Formatting in code points."""
        return tuple(_entities(self.parts))

    @property
    def hash(self) -> bytes:
        """What an importer must find."""
        media, action, poll = self.media, self.action, self.poll
        return content_hash(
            self.text,
            self.entities,
            Media(type=media.kind) if media else None,
            Action(type=action.type, title=action.title) if action else None,
            _poll(poll) if poll else None,
        )


@dataclass(frozen=True, slots=True)
class Post:
    """All of a message that never changes."""

    id: int
    account_id: int
    sent: int
    kind: Kind
    sender: Peer
    author: str | None = None
    reply_to: int | None = None
    reply_to_peer: int | None = None
    forwarded: Forwarded | None = None
    via_bot: str | None = None
    buttons: tuple[tuple[tuple[tuple[str, object], ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TrueMessage:
    """A message as Telegram shows it at one moment."""

    post: Post
    content: Content
    edited: int | None = None
    reactions: tuple[Reaction, ...] = ()
    votes: tuple[int, ...] = ()
    poll_closed: bool = False

    @property
    def id(self) -> int:
        """Message id; negative before migration to a supergroup."""
        return self.post.id

    @property
    def account_id(self) -> int:
        """Whose numbering the id is; 0 where it is the chat's own."""
        return self.post.account_id

    @property
    def kind(self) -> Kind:
        """Message, service or unsupported."""
        return self.post.kind

    @property
    def date(self) -> datetime:
        """When it was sent, UTC."""
        return datetime.fromtimestamp(self.post.sent, UTC)

    @property
    def edited_at(self) -> datetime | None:
        """When Telegram says it was edited; a reaction may have moved this."""
        return None if self.edited is None else datetime.fromtimestamp(self.edited, UTC)

    @property
    def sender_id(self) -> int:
        """Marked peer id of the sender."""
        return self.post.sender.id

    @property
    def text(self) -> str:
        """The plain text."""
        return self.content.text

    @property
    def content_hash(self) -> bytes | None:
        """What an importer must find; None for unsupported messages."""
        return None if self.kind is Kind.UNSUPPORTED else self.content.hash


_VALUES = {
    "text_link": "url",
    "mention_name": "user_id",
    "pre": "language",
    "blockquote": "collapsed",
}


def _entities(parts: tuple[Part, ...]) -> Iterator[Entity]:
    offset = 0
    for part in parts:
        length = len(part.text)
        if part.type != "plain":
            facts: dict[str, object] = {"type": part.type, "offset": offset, "length": length}
            if name := _VALUES.get(part.type):
                facts[name] = part.value
            yield Entity.model_validate(facts)
        offset += length


def _poll(sheet: PollSheet) -> Poll:
    answers = tuple(PollAnswer(text=text) for text in sheet.answers)
    return Poll(question=sheet.question, answers=answers)
