"""Reading a chat ahead for facts that stand behind its messages or in them.

The file is opened a second time at the chat's own offset; nothing is kept but the facts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tg_pipeline.sources.desktop_json.identity import USERS_ONLY, chat_type, peer
from tg_pipeline.sources.desktop_json.inputs import Input
from tg_pipeline.sources.desktop_json.layout import Header, one_chat
from tg_pipeline.sources.desktop_json.reader import Cut, Malformed, Window, elements
from tg_pipeline.sources.desktop_json.records import Cutter


@dataclass(frozen=True, slots=True)
class Ahead:
    """A way to read one chat again from its beginning."""

    source: Input
    offset: int
    windows_1251: bool

    def complete(self, header: Header) -> Header:
        """The header with what stands behind the messages."""
        wanted = {"type", "id"} if header.type == "saved_messages" else {"type", "id", "name"}
        if wanted <= header.said:
            return header
        whole = Header(header.offset, header.position)
        try:
            with self.source.open() as file:
                window = Window(file, self.source, offset=self.offset)
                for at_messages in one_chat(window, whole, self.windows_1251):
                    if at_messages.has_messages:
                        window.skip()
        except (Cut, Malformed):
            pass  # what was learned before the fault still holds; reading will meet it too
        return whole

    def senders(self, header: Header) -> Iterator[int]:
        """Marked ids of the senders of the chat's messages, in order, lazily."""
        users_only = chat_type(header.type)[0] in USERS_ONLY
        try:
            with self.source.open() as file:
                window = Window(file, self.source, offset=self.offset)
                for at_messages in one_chat(window, Header(0, 0), self.windows_1251):
                    if at_messages.has_messages:
                        yield from self._senders_here(window, users_only)
        except (Cut, Malformed):
            return

    def _senders_here(self, window: Window, users_only: bool) -> Iterator[int]:
        cutter = Cutter(window, windows_1251=self.windows_1251)
        for _ in elements(window):
            understood = cutter.cut().understood
            if understood is not None and isinstance(fields := understood.value, dict):
                sender = fields.get("from_id")
                if sender is None:
                    sender = fields.get("actor_id")
                if (marked := peer(sender, users_only=users_only)) is not None:
                    yield marked
