"""A chat's history, made message by message from plan and seed, and what was visible when.

Nothing is kept: a history of millions of messages takes no more memory than a short one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tg_pipeline.generator.author import Author
from tg_pipeline.generator.cast import ACCOUNT, Cast
from tg_pipeline.generator.life import Life
from tg_pipeline.generator.model import ChatPlan, Peer, TrueMessage
from tg_pipeline.generator.timeline import BLOCK, Timeline

_BASIC_GROUP_IDS = 4_001


@dataclass(frozen=True, slots=True)
class Truth:
    """What a reader of several exports must know about one message.

    Attributes:
        last: The message as it was last visible.
        hashes: Its distinct contents in the order they became visible; empty if unsupported.
        deleted: Whether it was visible at one moment and gone at a later one.
        seen: The moments at which it was visible.
    """

    last: TrueMessage
    hashes: tuple[bytes, ...]
    deleted: bool
    seen: tuple[datetime, ...]

    @property
    def id(self) -> int:
        """Message id."""
        return self.last.id

    @property
    def account_id(self) -> int:
        """Whose numbering the id is."""
        return self.last.account_id

    @property
    def current(self) -> bytes | None:
        """The content hash last visible."""
        return self.last.content_hash


class History:
    """All that ever happens in one chat."""

    def __init__(self, plan: ChatPlan, seed: int, account: Peer) -> None:
        _check(plan)
        self.plan = plan
        self.account = account
        self.cast = Cast(plan, account)
        self._authors = tuple(self._segments(seed))

    @property
    def entity_id(self) -> int:
        """Marked peer id of the chat."""
        return self.plan.entity_id

    def as_of(self, moment: datetime) -> Iterator[TrueMessage]:
        """What Telegram shows at that moment, by id: no deleted messages, edits applied."""
        at = int(moment.timestamp())
        for life in self._lives(at):
            if (message := life.at(at)) is not None:
                yield message

    def versions(self, moments: Sequence[datetime]) -> Iterator[Truth]:
        """What somebody who looked at these moments knows, for each message they ever saw."""
        ordered = sorted(moments)
        stamps = [int(moment.timestamp()) for moment in ordered]
        for life in self._lives(max(stamps, default=0)):
            views = [life.at(stamp) for stamp in stamps]
            seen = [
                (moment, view)
                for moment, view in zip(ordered, views, strict=True)
                if view is not None
            ]
            if seen:
                yield _truth(seen, gone=views[-1] is None)

    def _lives(self, until: int) -> Iterator[Life]:
        for author in self._authors:
            for block in range(-(-author.timeline.count // BLOCK)):
                for slot in author.timeline.block(block):
                    if slot.sent > until:
                        return
                    yield author.life(slot)

    def _segments(self, seed: int) -> Iterator[Author]:
        plan, before = self.plan, self.plan.before_migration
        migrated = plan.start + (plan.end - plan.start) * (before / plan.messages)
        if before:
            timeline = Timeline(
                seed,
                plan.peer_id,
                count=before,
                first_id=_BASIC_GROUP_IDS,
                start=plan.start,
                end=migrated,
            )
            yield Author(seed, self.cast, timeline, basic_group=True)
        timeline = Timeline(
            seed,
            plan.peer_id,
            count=plan.messages - before,
            first_id=plan.first_id,
            start=migrated,
            end=plan.end,
        )
        yield Author(seed, self.cast, timeline, basic_group=False)


def history(plan: ChatPlan, seed: int, *, account: Peer = ACCOUNT) -> History:
    """The history that plan and seed determine, as `account` sees it."""
    return History(plan, seed, account)


def _truth(seen: Sequence[tuple[datetime, TrueMessage]], *, gone: bool) -> Truth:
    hashes = (message.content_hash for message in _changes(seen))
    return Truth(
        last=seen[-1][1],
        hashes=tuple(dict.fromkeys(found for found in hashes if found is not None)),
        deleted=gone,
        seen=tuple(moment for moment, _ in seen),
    )


def _changes(seen: Sequence[tuple[datetime, TrueMessage]]) -> Iterator[TrueMessage]:
    """Those views that show other content than the view before."""
    shown = None
    for _, message in seen:
        if message.content is not shown:
            shown = message.content
            yield message


def _check(plan: ChatPlan) -> None:
    if plan.messages < 1 or plan.end <= plan.start:
        raise ValueError("a chat needs a message and an end after its start")
    if plan.before_migration and plan.kind != "supergroup":
        raise ValueError("only a supergroup stems from a basic group")
    if not 0 <= plan.before_migration < plan.messages:
        raise ValueError("before_migration is a part of messages")
