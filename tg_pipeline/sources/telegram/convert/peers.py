"""Marked ids of TL peers."""

from typing import Any

from telethon.tl.types import PeerChannel, PeerChat, PeerUser

from tg_pipeline.contracts.identity import CHANNEL_MARK


def marked(peer: Any) -> int | None:
    """The marked id of a peer; None if there is none."""
    kind = type(peer)
    if kind is PeerUser:
        return int(peer.user_id)
    if kind is PeerChannel:
        return -CHANNEL_MARK - int(peer.channel_id)
    return -int(peer.chat_id) if kind is PeerChat else None
