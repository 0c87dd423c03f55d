"""One true message as the Message or MessageService that Telegram would send."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from telethon.tl import patched, types

from tg_pipeline.contracts import Kind, Reaction
from tg_pipeline.contracts.identity import numbers_its_own_messages
from tg_pipeline.generator.author import MIGRATED_BELOW
from tg_pipeline.generator.model import ChatPlan, Forwarded, Post, TrueMessage
from tg_pipeline_tests.telegram_server.filling.actions import action, answered, old_group_id
from tg_pipeline_tests.telegram_server.filling.media import media
from tg_pipeline_tests.telegram_server.filling.texts import buttons, emoji_document, entities
from tg_pipeline_tests.telegram_server.filling.threads import Threads
from tg_pipeline_tests.telegram_server.records import tl_peer
from tg_pipeline_tests.telegram_server.tl import TL

_ALBUM_BASE = 13_500_000_000_000_000


class Writer:
    """Writes the messages of one chat; they must come by ascending id."""

    def __init__(
        self, plan: ChatPlan, account_id: int, bots: dict[str, int], *, forum: bool
    ) -> None:
        self._plan = plan
        self._account_id = account_id
        self._bots = bots
        self._threads = Threads(forum=forum)
        self._own_ids = numbers_its_own_messages(plan.entity_id)

    def write(self, messages: Iterable[TrueMessage]) -> Iterator[TL]:
        """TL messages; photos that one sender sent together become albums."""
        for key, run in groupby(messages, _album_key):
            members = list(run)
            album = _ALBUM_BASE + members[0].id if key[2] and len(members) > 1 else None
            for one in members:
                yield self._write(one, album)

    def _write(self, message: TrueMessage, album: int | None) -> TL:
        before_migration = message.id < 0
        peer = -old_group_id(self._plan) if before_migration else self._plan.entity_id
        number = message.id + MIGRATED_BELOW if before_migration else message.id
        facts = {
            "out": message.sender_id == self._account_id,
            "post": self._plan.kind == "channel",
            "from_id": self._author(message.sender_id, peer),
        }
        if message.content.action is not None:
            facts |= self._service(message)
            return patched.MessageService(number, tl_peer(peer), message.date, **facts)
        facts |= self._message(message)
        return patched.Message(number, tl_peer(peer), message.date, **facts, grouped_id=album)

    def _author(self, sender: int, peer: int) -> TL | None:
        """Left out where the chat itself is the sender; in saved messages it never is."""
        return None if sender == peer and self._plan.kind != "saved" else tl_peer(sender)

    def _service(self, message: TrueMessage) -> dict[str, object]:
        deed = message.content.action
        if deed is None:
            raise ValueError("no action")
        reply = answered(deed)
        number = self._shifted(reply, message) if reply is not None else None
        if deed.type == "topic_created" and message.id > 0:
            self._threads.begin(message.id)
        return {
            "action": action(message, deed, self._plan),
            "reply_to": types.MessageReplyHeader(reply_to_msg_id=number) if number else None,
        }

    def _message(self, message: TrueMessage) -> dict[str, object]:
        post = message.post
        if post.kind is Kind.UNSUPPORTED:
            return {"message": "", "media": types.MessageMediaUnsupported()}
        return {
            "message": message.text,
            "entities": entities(message.content.parts) or None,
            "media": media(message),
            "reply_markup": buttons(post),
            "reply_to": self._reply(message),
            "fwd_from": _forward(post, post.forwarded) if post.forwarded else None,
            "saved_peer_id": tl_peer(self._account_id) if self._plan.kind == "saved" else None,
            "via_bot_id": self._bots[post.via_bot] if post.via_bot else None,
            "post_author": post.author,
            "edit_date": message.edited_at,
            "reactions": _reactions(message.reactions) if message.reactions else None,
            **self._seen(message),
        }

    def _seen(self, message: TrueMessage) -> dict[str, object]:
        """How often a channel's post was seen and forwarded."""
        if self._plan.kind != "channel":
            return {}
        return {"views": 150 + message.id * 37 % 4_000, "forwards": message.id * 7 % 40}

    def _reply(self, message: TrueMessage) -> TL | None:
        post = message.post
        if post.reply_to_peer is not None:
            peer = tl_peer(post.reply_to_peer)
            return types.MessageReplyHeader(reply_to_msg_id=post.reply_to, reply_to_peer_id=peer)
        number = self._shifted(post.reply_to, message) if post.reply_to is not None else None
        if not self._own_ids or message.id < 0:
            return types.MessageReplyHeader(reply_to_msg_id=number) if number else None
        return self._threads.header(message.id, number)

    @staticmethod
    def _shifted(reply: int, message: TrueMessage) -> int:
        return reply + MIGRATED_BELOW if message.id < 0 else reply


def _album_key(message: TrueMessage) -> tuple[int, int, bool]:
    """Equal for photos that one sender sent in the same second."""
    attached = message.content.media
    alone = message.post.reply_to is not None or message.post.forwarded is not None
    is_photo = attached is not None and attached.kind == "photo" and not alone
    return (message.post.sent, message.sender_id, is_photo) if is_photo else (message.id, 0, False)


def _forward(post: Post, origin: Forwarded) -> TL:
    date = post.sent - 3_600
    return types.MessageFwdHeader(
        date,
        from_id=tl_peer(origin.id) if origin.id is not None else None,
        from_name=origin.name if origin.id is None else None,
        channel_post=date % 9_000 + 1 if origin.id is not None else None,
        saved_from_name=origin.saved_from,
    )


def _reactions(reactions: tuple[Reaction, ...]) -> TL:
    return types.MessageReactions(
        [types.ReactionCount(_reaction(one), one.count) for one in reactions]
    )


def _reaction(one: Reaction) -> TL:
    if one.emoji is not None:
        return types.ReactionEmoji(one.emoji)
    if one.document_id is not None:
        return types.ReactionCustomEmoji(emoji_document(one.document_id))
    return types.ReactionPaid()
