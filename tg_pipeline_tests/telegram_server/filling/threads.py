"""Reply headers in supergroups: which thread or topic a message belongs to."""

from telethon.tl import types

from tg_pipeline_tests.telegram_server.tl import TL


class Threads:
    """Follows a chat from its first message on.

    In a plain supergroup an answer to an answer names the root of its thread. In a forum every
    message is in General or in a topic begun before it, and an answer stays where its target is.
    """

    def __init__(self, *, forum: bool) -> None:
        self._forum = forum
        self._topics: list[int] = []
        self._root: dict[int, int] = {}

    def begin(self, topic: int) -> None:
        """A topic begins with this message."""
        if self._forum:
            self._topics.append(topic)
            self._root[topic] = topic

    def header(self, message_id: int, reply_to: int | None) -> TL | None:
        """The reply header of a message."""
        if self._forum:
            return self._in_topic(message_id, reply_to)
        if reply_to is None:
            return None
        root = self._root[message_id] = self._root.get(reply_to, reply_to)
        top = root if root != reply_to else None
        return types.MessageReplyHeader(reply_to_msg_id=reply_to, reply_to_top_id=top)

    def _in_topic(self, message_id: int, reply_to: int | None) -> TL | None:
        topic = self._drawn(message_id) if reply_to is None else self._root.get(reply_to)
        if topic is None:
            return types.MessageReplyHeader(reply_to_msg_id=reply_to) if reply_to else None
        self._root[message_id] = topic
        if reply_to is None or reply_to == topic:
            return types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=topic)
        return types.MessageReplyHeader(
            forum_topic=True, reply_to_msg_id=reply_to, reply_to_top_id=topic
        )

    def _drawn(self, message_id: int) -> int | None:
        """Some topic that exists already; None for General."""
        lot = message_id * 7_919 % (len(self._topics) + 1)
        return self._topics[lot - 1] if lot else None
