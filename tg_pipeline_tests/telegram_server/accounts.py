"""Accounts: people who log in, each with ids of their own for private chats and basic groups."""

import hashlib
from dataclasses import dataclass, field

from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.password import Password
from tg_pipeline_tests.telegram_server.peers import Person


@dataclass(slots=True, eq=False)
class Account:
    """A person who can log in.

    Attributes:
        code: The login code they will get.
        code_expired: Whether that code no longer counts.
        password: The second factor, if there is one.
        banned: Whether Telegram has closed the account.
        boxes: Their private chats, saved messages and basic groups, by marked id.
        chats: Marked ids of the channels and supergroups in their list of chats.
        pinned: Marked ids of pinned chats, in order.
        archived: Marked ids of archived chats.
        last_id: Newest id of their common numbering.
        shown: Users as they see them, serialised.
    """

    person: Person
    phone: str
    code: str = "12345"
    code_expired: bool = False
    password: Password | None = None
    banned: bool = False
    boxes: dict[int, Box] = field(default_factory=dict)
    chats: set[int] = field(default_factory=set)
    pinned: list[int] = field(default_factory=list)
    archived: set[int] = field(default_factory=set)
    last_id: int = 0
    shown: dict[Person, bytes] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """User id."""
        return self.person.id

    def box(self, peer_id: int) -> Box:
        """A chat of theirs, made when first asked for."""
        return self.boxes.setdefault(peer_id, Box())

    def next_id(self) -> int:
        """The id their next message gets."""
        self.last_id += 1
        return self.last_id

    def find(self, message_id: int) -> tuple[int, Record] | None:
        """The chat and the message that have this id in their common numbering."""
        for peer_id, box in self.boxes.items():
            if (record := box.get(message_id)) is not None:
                return peer_id, record
        return None

    def access_hash(self, peer_id: int) -> int:
        """What this account must show to name a peer; another account has another."""
        digest = hashlib.blake2b(f"{self.id}/{peer_id}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little", signed=True)
