"""From a marked peer id to what Telegram wants to be asked with."""

from typing import Any

from telethon.tl import types

from tg_pipeline.contracts.identity import CHANNEL_MARK


def input_peer(entity_id: int, access_hash: int | None) -> Any:
    """The InputPeer of a user, basic group, channel or supergroup, with this account's hash."""
    if entity_id > 0:
        return types.InputPeerUser(entity_id, access_hash or 0)
    if entity_id > -CHANNEL_MARK:
        return types.InputPeerChat(-entity_id)
    return types.InputPeerChannel(-entity_id - CHANNEL_MARK, access_hash or 0)


def marked(peer: Any) -> int:
    """The marked id of a Peer or InputPeer."""
    match peer:
        case types.PeerUser() | types.InputPeerUser():
            return int(peer.user_id)
        case types.PeerChat() | types.InputPeerChat():
            return -int(peer.chat_id)
        case _:
            return -(CHANNEL_MARK + int(peer.channel_id))
