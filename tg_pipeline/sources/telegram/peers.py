"""From a marked peer id to what Telegram wants to be asked with."""

from typing import Any

from telethon.tl import types

from tg_pipeline.contracts import ChatType
from tg_pipeline.contracts.identity import CHANNEL_MARK


def input_peer(entity_id: int, kind: ChatType, access_hash: int | None) -> Any:
    """The InputPeer of a chat, with this account's hash where it takes one."""
    if kind is ChatType.SAVED:
        return types.InputPeerSelf()
    if entity_id > 0:
        return types.InputPeerUser(entity_id, access_hash or 0)
    if entity_id > -CHANNEL_MARK:
        return types.InputPeerChat(-entity_id)
    return types.InputPeerChannel(-entity_id - CHANNEL_MARK, access_hash or 0)
