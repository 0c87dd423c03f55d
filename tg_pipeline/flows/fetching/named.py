"""Which followed chats are meant."""

from collections.abc import Sequence

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatNotFollowed
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.listing import is_meant
from tg_pipeline.sources.telegram.references import read_reference
from tg_pipeline.store.followed import Followed, every


def followed_keys(archive: Archive, account: str, texts: Sequence[str]) -> list[ChatKey]:
    """The keys of chats that an account reads, given by key, id, username or link.

    Raises:
        ChatNotFollowed: it does not read such a chat.
        ReferenceUnreadable: a text names no chat at all.
    """
    with archive.database.transaction() as connection:
        chats = every(connection, account)
    return [_meant(chats, text) for text in texts]


def _meant(chats: Sequence[Followed], text: str) -> ChatKey:
    keys = [chat.key for chat in chats if str(chat.key) == text] or [
        chat.key for chat in chats if is_meant(chat, read_reference(text))
    ]
    if not keys:
        raise ChatNotFollowed(text)
    return keys[0]
