"""The life of one message: born, edited, reacted to, perhaps deleted; and how it looks when."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from tg_pipeline.contracts import Kind, Reaction
from tg_pipeline.generator.draws import Draw
from tg_pipeline.generator.media import EDITABLE
from tg_pipeline.generator.model import Content, Post, TrueMessage
from tg_pipeline.generator.phrases import CUSTOM_EMOJI
from tg_pipeline.generator.texts import amend

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_LAGS = (2 * _MINUTE, 2 * _MINUTE, _HOUR, _DAY, 30 * _DAY, 120 * _DAY)
_PACES = (_HOUR, _HOUR, 6 * _HOUR, 3 * _DAY, 30 * _DAY)
_REACTIONS = ("👍", "❤", "🔥", "🎉", "😁", "🤔", "👏", "💯", "❤‍🔥", "👨‍💻")


class Cheer(NamedTuple):
    """A reaction and how often it will have been given in the end."""

    type: str
    value: str | None
    final: int


class Revision(NamedTuple):
    """What an edit made of a message."""

    at: int
    content: Content


@dataclass(frozen=True, slots=True)
class Life:
    """Everything that ever happens to one message. Times are unix seconds."""

    post: Post
    born: Content
    revisions: tuple[Revision, ...] = ()
    touched: int | None = None
    deleted: int | None = None
    cheers: tuple[Cheer, ...] = ()
    pace: int = _HOUR
    poll_closes: int | None = None

    def at(self, moment: int) -> TrueMessage | None:
        """How Telegram shows it at a moment; None before it is sent and after it is deleted."""
        age = moment - self.post.sent
        if age < 0 or (self.deleted is not None and self.deleted <= moment):
            return None
        content, edited = self._content(moment)
        return TrueMessage(
            self.post,
            content,
            edited,
            tuple(self._reactions(age)) if self.cheers else (),
            tuple(_grown(votes, age, self.pace) for votes in content.poll.final_votes)
            if content.poll
            else (),
            self.poll_closes is not None and self.poll_closes <= moment,
        )

    def _content(self, moment: int) -> tuple[Content, int | None]:
        content = self.born
        edited = self.touched if self.touched is not None and self.touched <= moment else None
        for at, revised in self.revisions:
            if at <= moment:
                content, edited = revised, max(at, edited or 0)
        return content, edited

    def _reactions(self, age: int) -> Iterator[Reaction]:
        for kind, value, final in self.cheers:
            if count := _grown(final, age, self.pace):
                yield Reaction.model_construct(
                    type=kind,
                    emoji=value if kind == "emoji" else None,
                    document_id=value if kind == "custom_emoji" else None,
                    count=count,
                )


@dataclass(frozen=True, slots=True)
class Draft:
    """A message just written, and the language its author would amend it in."""

    post: Post
    content: Content
    language: str = "en"


def live(draw: Draw, draft: Draft, *, edit_rate: int, cheer_rate: int) -> Life:
    """Decide a message's fate. Rates are per mille."""
    post, born = draft.post, draft.content
    if post.kind is Kind.UNSUPPORTED:
        return Life(post, born)
    service = post.kind is Kind.SERVICE
    return Life(
        post,
        born,
        revisions=tuple(_revisions(draw, draft)) if draw.chance(edit_rate) else (),
        touched=post.sent + _lag(draw) if not service and draw.chance(25) else None,
        deleted=post.sent + _lag(draw) if draw.chance(20) else None,
        cheers=tuple(_cheers(draw)) if not service and draw.chance(cheer_rate) else (),
        pace=draw.pick(_PACES),
        poll_closes=post.sent + 7 * _DAY if born.poll and draw.chance(500) else None,
    )


def _revisions(draw: Draw, draft: Draft) -> Iterator[Revision]:
    post, born = draft.post, draft.content
    if born.action or born.poll or post.forwarded:
        return
    if born.media and born.media.kind not in EDITABLE:
        return
    at, content = post.sent, born
    for edit in range(draw.pick((1, 1, 1, 1, 2, 3))):
        at += _lag(draw)
        if edit == 2 and draw.chance(400):
            content = born  # taken back: the first version becomes current again
        else:
            content = replace(content, parts=amend(draw, content.parts, edit, draft.language))
        yield Revision(at, content)


def _cheers(draw: Draw) -> Iterator[Cheer]:
    for emoji in {draw.pick(_REACTIONS): None for _ in range(draw.between(1, 3))}:
        yield Cheer("emoji", emoji, draw.pick((1, 2, 3, 5, 9, 24)))
    if draw.chance(60):
        yield Cheer("custom_emoji", f"emoji-{draw.below(len(CUSTOM_EMOJI))}", draw.between(1, 6))
    if draw.chance(25):
        yield Cheer("paid", None, draw.between(1, 50))


def _lag(draw: Draw) -> int:
    """Seconds until something happens: mostly soon, sometimes months later."""
    return 1 + draw.below(draw.pick(_LAGS))


def _grown(final: int, age: int, pace: int) -> int:
    """How much of a final count has come together after some time; never shrinks."""
    return final * (age + pace // 8) // (age + pace)
