"""Writes one message of a chat: who says what, answering whom, with what attached."""

from tg_pipeline.contracts import Kind
from tg_pipeline.generator.cast import Cast
from tg_pipeline.generator.draws import Draw
from tg_pipeline.generator.life import Draft, Life, live
from tg_pipeline.generator.media import attach, photo, poll
from tg_pipeline.generator.model import ChatKind, Content, Deed, Forwarded, Peer, Post
from tg_pipeline.generator.phrases import CHANNELS, INLINE_BOTS, SIGNATURES
from tg_pipeline.generator.services import Scene, announce, founding
from tg_pipeline.generator.texts import Voice, caption, compose, language_of
from tg_pipeline.generator.timeline import BLOCK, NO_ALBUM, Slot, Timeline

MIGRATED_BELOW = 1_000_000_000
"""Ids from before migration are the original ones minus this."""

# Per mille of a chat's messages.
_SERVICES: dict[ChatKind, int] = {
    "channel": 6, "supergroup": 35, "group": 25, "private": 40, "saved": 2,
}  # fmt: skip
_REPLIES: dict[ChatKind, int] = {
    "channel": 30, "supergroup": 280, "group": 250, "private": 120, "saved": 0,
}  # fmt: skip
_FORWARDS: dict[ChatKind, int] = {
    "channel": 40, "supergroup": 40, "group": 40, "private": 30, "saved": 600,
}  # fmt: skip
_EDITS: dict[ChatKind, int] = {
    "channel": 220, "supergroup": 80, "group": 60, "private": 60, "saved": 40,
}  # fmt: skip
_REACTIONS: dict[ChatKind, int] = {
    "channel": 800, "supergroup": 350, "group": 200, "private": 150, "saved": 10,
}  # fmt: skip
_BUTTONS: dict[ChatKind, int] = {
    "channel": 50, "supergroup": 8, "group": 5, "private": 0, "saved": 0,
}  # fmt: skip

Buttons = tuple[tuple[tuple[tuple[str, object], ...], ...], ...]


class Author:
    """Makes the messages of one timeline."""

    def __init__(self, seed: int, cast: Cast, timeline: Timeline, *, basic_group: bool) -> None:
        self.timeline = timeline
        self._cast = cast
        self._plan = cast.plan
        self._kind: ChatKind = "group" if basic_group else cast.plan.kind
        self._basic_group = basic_group
        self._shift = MIGRATED_BELOW if basic_group else 0
        self._account_id = 0 if self._kind in ("channel", "supergroup") else cast.account.id
        self._key = (seed, cast.plan.peer_id, self._kind)

    def life(self, slot: Slot) -> Life:
        """The message of this slot and all that happens to it."""
        draw = Draw(*self._key, slot.index)
        if milestone := self._milestone(slot.index):
            actor, action = milestone
            return Life(self._service(slot, actor), Content(action=action))
        if slot.album != NO_ALBUM:
            return self._live(draw, self._photo(draw, slot))
        if draw.chance(_SERVICES[self._kind]):
            return self._live(draw, self._announcement(draw, slot))
        return self._live(draw, self._message(draw, slot))

    def _live(self, draw: Draw, draft: Draft) -> Life:
        edits, reactions = _EDITS[self._kind], _REACTIONS[self._kind]
        return live(draw, draft, edit_rate=edits, cheer_rate=reactions)

    def _milestone(self, index: int) -> tuple[Peer, Deed] | None:
        """How a chat begins, and how a basic group ends and a supergroup takes over."""
        plan, cast = self._plan, self._cast
        if self._kind not in ("channel", "supergroup", "group"):
            return None
        if index == 0:
            if plan.before_migration and not self._basic_group:
                return cast.chat, Deed("migrate_from_group", plan.title)
            deed = founding(plan, cast, basic_group=self._kind == "group")
            return (cast.account if self._kind == "group" else cast.chat), deed
        if self._basic_group and index == self.timeline.count - 1:
            return cast.account, Deed("migrate_to_supergroup")
        return None

    def _service(self, slot: Slot, actor: Peer) -> Post:
        return Post(self._id(slot), self._account_id, slot.sent, Kind.SERVICE, actor)

    def _announcement(self, draw: Draw, slot: Slot) -> Draft:
        sender, _ = self._cast.speaker(draw)
        earlier = self._id(self.timeline.slot(max(0, slot.index - 1 - draw.below(8))))
        deed = announce(Scene(draw, self._cast, earlier, slot.sent))
        return Draft(self._service(slot, sender), Content(action=deed))

    def _photo(self, draw: Draw, slot: Slot) -> Draft:
        """A photo of an album; only the first has a caption."""
        sender, number = self._cast.speaker(Draw(*self._key, "album", slot.album))
        first = slot.index == slot.album
        voice = self._voice(draw, number)
        parts = caption(draw, voice) if first else ()
        post = Post(self._id(slot), self._account_id, slot.sent, Kind.MESSAGE, sender)
        return Draft(post, Content(parts, photo(draw)), voice.language)

    def _message(self, draw: Draw, slot: Slot) -> Draft:
        sender, number = self._cast.speaker(draw)
        if self._plan.modern and draw.chance(4):
            post = Post(self._id(slot), self._account_id, slot.sent, Kind.UNSUPPORTED, sender)
            return Draft(post, Content())
        reply_to, reply_to_peer = self._reply(draw, slot)
        forwarded = draw.chance(_FORWARDS[self._kind])
        post = Post(
            id=self._id(slot),
            account_id=self._account_id,
            sent=slot.sent,
            kind=Kind.MESSAGE,
            sender=sender,
            author=draw.pick(SIGNATURES) if sender.id < 0 and draw.chance(400) else None,
            reply_to=None if forwarded else reply_to,
            reply_to_peer=None if forwarded else reply_to_peer,
            forwarded=self._forwarded(draw) if forwarded else None,
            via_bot=draw.pick(INLINE_BOTS) if draw.chance(10) else None,
            buttons=_buttons(draw) if draw.chance(_BUTTONS[self._kind]) else (),
        )
        voice = self._voice(draw, number)
        return Draft(post, self._content(draw, voice), voice.language)

    def _content(self, draw: Draw, voice: Voice) -> Content:
        lot = draw.below(1000)
        if lot < 200:
            media = attach(draw)
            return Content(caption(draw, voice) if media.kind == "photo" else (), media)
        if lot < 208 and self._kind != "saved":
            return Content(poll=poll(draw))
        return Content(compose(draw, voice))

    def _voice(self, draw: Draw, number: int) -> Voice:
        channel = self._kind == "channel"
        language = draw.pick(("en", "en", "en", "ru", "de")) if channel else language_of(number)
        return Voice(
            language,
            self._cast.somebody(draw),
            channel=channel,
            modern=self._plan.modern,
            extra=self._plan.extra_sentences,
        )

    def _reply(self, draw: Draw, slot: Slot) -> tuple[int | None, int | None]:
        """Message and, where it leads elsewhere, chat that is answered; some are missing."""
        if slot.index == 0 or not draw.chance(_REPLIES[self._kind]):
            return None, None
        lot = draw.below(100)
        if lot < 2 and self._plan.modern:
            return draw.between(5, 4_000), -(10**12 + draw.pick(CHANNELS)[0])
        if lot < 5:
            return self.timeline.hole(slot.index // BLOCK) - self._shift, None
        return self._id(self.timeline.slot(max(0, slot.index - 1 - draw.below(12)))), None

    def _forwarded(self, draw: Draw) -> Forwarded:
        saved_from = self._cast.somebody(draw).name if self._kind == "saved" else None
        if draw.chance(500):
            peer_id, name = draw.pick(CHANNELS)
            return Forwarded(name, -(10**12 + peer_id), saved_from)
        return Forwarded("Hidden reader", None, saved_from)

    def _id(self, slot: Slot) -> int:
        return slot.number - self._shift


def _buttons(draw: Draw) -> Buttons:
    """Rows of buttons; the data of some holds control characters."""
    number = draw.between(1, 99_999)
    link = (("type", "url"), ("text", "Open map"), ("data", f"https://map.example/?n={number}"))
    data = f"1={number}\x012={number * 3}\x013=go"
    vote = (("type", "callback"), ("text", "I come! 🏮"), ("data", data))
    return draw.pick((((link,),), ((vote,), (link,)), ((link, vote),)))
