"""Basic groups that became supergroups since they were last looked at: they are followed there.

The supergroup is a chat of its own, and the group's messages are fetched once more as its past, so
that both are one timeline. What is archived of the group stays.
"""

from collections.abc import Sequence
from typing import Any

from telethon.tl import types

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.listing import followed_by, known_refs, rewrite
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram.chat_ref import ChatRef
from tg_pipeline.sources.telegram.news import News
from tg_pipeline.store import accounts, followed
from tg_pipeline.store.followed import Followed
from tg_pipeline.store.reading import Readable


def follow_moved(
    archive: Archive, wanted: Sequence[Readable], told: News
) -> dict[ChatKey, ChatKey]:
    """Follow the supergroups that some of these chats have become; their keys, by the groups'."""
    moved = [
        (chat.followed, entity.migrated_to)
        for chat in wanted
        if isinstance(entity := told.entities.get(chat.key.entity_id), types.Chat)
        and isinstance(entity.migrated_to, types.InputChannel)
    ]
    return {group.key: _follow(archive, group, channel) for group, channel in moved}


def _follow(archive: Archive, group: Followed, channel: Any) -> ChatKey:
    """The file first: killed before the database, the next run does the same once more."""
    key = ChatKey(channel_peer(channel.channel_id))
    ref = _heir(archive, key, group, channel.access_hash)
    if archive.settings.chats_file.exists():
        rewrite(archive, fresh={key: ref}, gone={group.key})
    with archive.database.transaction() as connection:
        followed.follow(connection, [followed_by(ref, key)])
        accounts.may_access(connection, group.account, {key.entity_id: channel.access_hash})
        followed.unfollow(connection, [group.key])
    get_logger().warning("chat.migrated", chat=str(group.key), now=str(key))
    return key


def _heir(archive: Archive, key: ChatKey, group: Followed, access_hash: int) -> ChatRef:
    """The supergroup that goes on for a group; it may be followed by itself already."""
    new = ChatRef(
        id=key.entity_id, type=ChatType.SUPERGROUP, title=group.title, account=group.account
    )
    ref = known_refs(archive).get(key, new)
    hashes = ref.access_hash | {group.account: access_hash}
    past = group.key.entity_id
    return ref.model_copy(update={"access_hash": hashes, "migrated_from": past})
