"""Which followed chats are meant."""

from collections.abc import Sequence

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatNotFollowed
from tg_pipeline.flows.archive import Archive
from tg_pipeline.store.followed import Followed, every


def followed_keys(archive: Archive, account: str, texts: Sequence[str]) -> list[ChatKey]:
    """The keys of followed chats, given by key, id or username.

    Raises:
        ChatNotFollowed: an account does not read such a chat.
    """
    with archive.database.transaction() as connection:
        chats = every(connection, account)
    return [_one(chats, text).key for text in texts]


def _one(chats: Sequence[Followed], text: str) -> Followed:
    name = text.rpartition("t.me/")[2].lstrip("@").lower()
    for chat in chats:
        ids = {str(chat.key), str(chat.key.entity_id)}
        if text in ids or (chat.username or "").lower() == name:
            return chat
    raise ChatNotFollowed(text)
