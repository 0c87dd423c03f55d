"""Comments: a channel's posts are copied to its discussion group, and answered there."""

from datetime import datetime

from telethon.tl import types

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.peers import Channel, Person
from tg_pipeline_tests.telegram_server.records import tl_peer
from tg_pipeline_tests.telegram_server.tl import TL
from tg_pipeline_tests.telegram_server.world import EPOCH, World


def publish(world: World, channel: Channel, text: str, *, date: datetime = EPOCH) -> int:
    """Post in a channel that has a discussion group; the group gets its copy at once."""
    group = _group(channel)
    post = world.post(channel, text, by=channel, date=date)
    origin = tl_peer(channel.peer_id)
    header = types.MessageFwdHeader(
        date,
        from_id=origin,
        channel_post=post,
        saved_from_peer=origin,
        saved_from_msg_id=post,
    )
    channel.roots[post] = world.post(group, text, by=channel, date=date, fwd_from=header)
    _count(world, channel, post)
    return post


def comment(
    world: World,
    channel: Channel,
    post: int,
    text: str,
    *,
    by: Account | Person,
    date: datetime = EPOCH,
    reply_to: int | None = None,
) -> int:
    """Answer a post, or a comment on it; the id of the comment in the discussion group."""
    group, root = _group(channel), channel.roots[post]
    header = types.MessageReplyHeader(
        reply_to_msg_id=reply_to or root, reply_to_top_id=root if reply_to else None
    )
    made = world.post(group, text, by=by, date=date, reply_to=header)
    _count(world, channel, post)
    return made


def _count(world: World, channel: Channel, post: int) -> None:
    """Tell the number of comments at the post and at its copy."""
    group, root = _group(channel), channel.roots[post]
    comments = group.box.thread(root)
    newest = comments.top.id if comments.top else None
    counted: TL = types.MessageReplies(
        len(comments), group.pts, comments=True, channel_id=group.id, max_id=newest
    )
    world.edit(channel, post, replies=counted)
    world.edit(group, root, replies=types.MessageReplies(len(comments), group.pts, max_id=newest))


def _group(channel: Channel) -> Channel:
    if channel.linked is None:
        raise ValueError(f"{channel.title} has no discussion group")
    return channel.linked
