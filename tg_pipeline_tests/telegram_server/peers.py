"""People, basic groups, and channels: what the world is made of, without Telethon's objects."""

from dataclasses import dataclass, field
from datetime import datetime

from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline_tests.telegram_server.box import Box


@dataclass(frozen=True, slots=True)
class Person:
    """A user or a bot; a first name of None is a deleted account."""

    id: int
    first_name: str | None
    last_name: str | None = None
    username: str | None = None
    phone: str | None = None
    bot: bool = False

    @property
    def peer_id(self) -> int:
        """Marked id."""
        return self.id


@dataclass(slots=True, eq=False)
class Group:
    """A basic group. Each member has its messages under ids of their own.

    Attributes:
        banned: Whom it has thrown out; they keep what they had.
    """

    id: int
    title: str
    made: datetime
    members: set[int] = field(default_factory=set)
    banned: set[int] = field(default_factory=set)
    noforwards: bool = False
    migrated_to: "Channel | None" = None

    @property
    def peer_id(self) -> int:
        """Marked id."""
        return -self.id


@dataclass(slots=True)
class Topic:
    """A topic of a forum; its id is that of the message that made it."""

    id: int
    title: str
    date: datetime
    creator: int
    closed: bool = False
    pinned: bool = False


@dataclass(slots=True, eq=False)
class Channel:
    """A channel (`broadcast`) or supergroup.

    Attributes:
        username: Whoever knows it may read.
        invite: The hash of an invitation link.
        banned: Whom it has thrown out.
        linked: A channel's discussion group, or the channel a group discusses.
        roots: In a channel, the discussion group's copy of each post.
        shown_members: A participants_count to tell instead of the true one.
    """

    id: int
    title: str
    made: datetime
    broadcast: bool = False
    forum: bool = False
    username: str | None = None
    invite: str | None = None
    members: set[int] = field(default_factory=set)
    banned: set[int] = field(default_factory=set)
    noforwards: bool = False
    signatures: bool = False
    linked: "Channel | None" = None
    migrated_from: Group | None = None
    topics: dict[int, Topic] = field(default_factory=dict)
    roots: dict[int, int] = field(default_factory=dict)
    shown_members: int | None = None
    pts: int = 1
    box: Box = field(default_factory=Box)

    @property
    def peer_id(self) -> int:
        """Marked id."""
        return channel_peer(self.id)

    @property
    def megagroup(self) -> bool:
        """Whether it is a supergroup."""
        return not self.broadcast


Peer = Person | Group | Channel
