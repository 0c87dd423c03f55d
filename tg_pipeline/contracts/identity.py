"""Which chat and which numbering a message belongs to.

Peer ids are marked as Telethon's `get_peer_id` marks them: a user is positive, a basic group
negative, a channel or supergroup -100 followed by its id. Message ids of channels and supergroups
are the chat's own; in every other chat, and in the history from before a group became a
supergroup, they are counted per account, so the account is part of the identity.
"""

import re
from dataclasses import dataclass

CHANNEL_MARK = 10**12
SURROGATE_BASE = 5 * 10**15
SURROGATE_SPAN = 4 * 10**15
_KEY = re.compile(r"(?:(\d+)_)?(-?\d+)", re.ASCII)


def channel_peer(channel_id: int) -> int:
    """The marked id of a channel or supergroup: 1613744721 becomes -1001613744721."""
    return -(CHANNEL_MARK + channel_id)


def numbers_its_own_messages(entity_id: int) -> bool:
    """Whether the chat, not the account, counts message ids: channels and supergroups."""
    return -SURROGATE_BASE < entity_id <= -CHANNEL_MARK or is_surrogate(entity_id)


def is_surrogate(entity_id: int) -> bool:
    """Whether the id stands in for one that the source did not tell."""
    return -(SURROGATE_BASE + SURROGATE_SPAN) < entity_id <= -SURROGATE_BASE


def surrogate_peer(seed: bytes) -> int:
    """An id for a chat without one, from the SHA-256 of file and position; never from a name."""
    return -(SURROGATE_BASE + int.from_bytes(seed[:8], "big") % SURROGATE_SPAN)


def message_account(entity_id: int, message_id: int, account_id: int) -> int:
    """The account that counted this message id; 0 where the chat counts itself."""
    return 0 if message_id > 0 and numbers_its_own_messages(entity_id) else account_id


@dataclass(frozen=True, slots=True, order=True)
class ChatKey:
    """A chat, and the account that numbers its messages (0 where the chat does so itself)."""

    entity_id: int
    account_id: int = 0

    @classmethod
    def of(cls, entity_id: int, account_id: int) -> "ChatKey":
        """The key of a chat as an account sees it."""
        return cls(entity_id, 0 if numbers_its_own_messages(entity_id) else account_id)

    @classmethod
    def parse(cls, text: str) -> "ChatKey":
        """Read `-1001613744721` or `<account>_<entity>`; ValueError for anything else."""
        match = _KEY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a chat key such as -1001613744721 or 777_12345")
        return cls(int(match[2]), int(match[1] or 0))

    def __str__(self) -> str:
        """The text used for folders and partitions."""
        return f"{self.account_id}_{self.entity_id}" if self.account_id else str(self.entity_id)
