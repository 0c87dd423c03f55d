"""A script of what goes wrong: which requests fail, how, and how often. All of it is repeatable."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from tg_pipeline_tests.telegram_server.errors import RpcFailure
from tg_pipeline_tests.telegram_server.tl import TL

Where = Callable[[TL], bool]
"""Which requests are meant, by what they ask."""


class Schedule(Protocol):
    """Which of the requests that match a rule are hit."""

    def hits(self) -> bool:
        """Whether the next one is."""


@dataclass(slots=True)
class When:
    """Which of the matching requests are hit, counting from 1.

    Attributes:
        times: How many are hit at most; None for no end.
        skip: How many pass first.
        every: Of those after, each so manieth.
        chance: Of those, this part, drawn with the seed.
    """

    times: int | None = 1
    skip: int = 0
    every: int = 1
    chance: float = 1.0
    seed: int = 0
    _seen: int = 0
    _hit: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def hits(self) -> bool:
        """Whether the next matching request is hit."""
        self._seen += 1
        if self.times is not None and self._hit >= self.times:
            return False
        if self._seen <= self.skip or (self._seen - self.skip) % self.every:
            return False
        if self.chance < 1 and self._random.random() >= self.chance:
            return False
        self._hit += 1
        return True


def always() -> When:
    """Every matching request."""
    return When(times=None)


@dataclass(slots=True)
class Above:
    """Requests beyond so many within so many seconds: a limit such as Telegram has."""

    requests: int
    seconds: float
    _passed: deque[float] = field(default_factory=deque)

    def hits(self) -> bool:
        """Whether the next matching request is one too many; only others count."""
        now = time.monotonic()
        while self._passed and self._passed[0] <= now - self.seconds:
            self._passed.popleft()
        if len(self._passed) >= self.requests:
            return True
        self._passed.append(now)
        return False


@dataclass(frozen=True, slots=True)
class Trouble:
    """All that shall happen to one request."""

    delay: float = 0.0
    failure: RpcFailure | None = None
    hang_up_before: bool = False
    hang_up_after: bool = False
    truncate: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to which requests."""

    trouble: Trouble
    method: str | None
    when: Schedule
    where: Where | None

    def hits(self, method: str, request: TL) -> bool:
        """Whether this request is hit; each that matches is counted."""
        if self.method not in (None, method) or (self.where and not self.where(request)):
            return False
        return self.when.hits()


class Faults:
    """The rules in force; each call adds one.

    Rules name a method, such as `messages.getHistory`, or None for every request, those of
    connecting and logging in too. `when` says how often, once by default; `where` narrows a rule to
    some requests, by their arguments.

    Attributes:
        latency: Seconds that every answer takes.
        garbled: Messages, as (marked chat id, message id), that no client can read.
        garbled_chats: Chats, by their marked ids, that no client can read.
        takeout_delay: Seconds of TAKEOUT_INIT_DELAY_X; None lets takeouts begin.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.garbled: set[tuple[int, int]] = set()
        self.garbled_chats: set[int] = set()
        self.takeout_delay: int | None = None
        self._rules: list[Rule] = []
        self._lock = Lock()

    def error(
        self,
        method: str | None,
        code: int,
        name: str,
        when: Schedule | None = None,
        where: Where | None = None,
    ) -> None:
        """Answer with an RPC error, such as 500 RPC_CALL_FAIL."""
        self._add(Trouble(failure=RpcFailure(code, name)), method, when, where)

    def flood(
        self,
        method: str | None,
        seconds: int,
        when: Schedule | None = None,
        where: Where | None = None,
    ) -> None:
        """Answer FLOOD_WAIT_seconds."""
        self.error(method, 420, f"FLOOD_WAIT_{seconds}", when, where)

    def hang_up(
        self,
        method: str | None,
        when: Schedule | None = None,
        where: Where | None = None,
        *,
        answer_first: bool = False,
    ) -> None:
        """Close the connection instead of answering, or after it."""
        trouble = Trouble(hang_up_before=not answer_first, hang_up_after=answer_first)
        self._add(trouble, method, when, where)

    def delay(
        self,
        method: str | None,
        seconds: float,
        when: Schedule | None = None,
        where: Where | None = None,
    ) -> None:
        """Answer later."""
        self._add(Trouble(delay=seconds), method, when, where)

    def truncate(
        self, method: str | None, when: Schedule | None = None, where: Where | None = None
    ) -> None:
        """Answer with the first half of the answer's bytes."""
        self._add(Trouble(truncate=True), method, when, where)

    def garble(self, chat_id: int, ids: Iterable[int]) -> None:
        """Give messages a constructor that no client knows, wherever they are shown."""
        self.garbled.update((chat_id, one) for one in ids)

    def garble_chat(self, chat_id: int) -> None:
        """Give a channel or group a constructor that no client knows, wherever it is shown."""
        self.garbled_chats.add(chat_id)

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._rules.clear()
        self.garbled.clear()
        self.garbled_chats.clear()
        self.latency, self.takeout_delay = 0.0, None

    def of(self, method: str, request: TL) -> Trouble:
        """All that happens to this request."""
        with self._lock:
            hits = [rule.trouble for rule in self._rules if rule.hits(method, request)]
        return Trouble(
            delay=self.latency + sum(one.delay for one in hits),
            failure=next((one.failure for one in hits if one.failure), None),
            hang_up_before=any(one.hang_up_before for one in hits),
            hang_up_after=any(one.hang_up_after for one in hits),
            truncate=any(one.truncate for one in hits),
        )

    def _add(
        self,
        trouble: Trouble,
        method: str | None,
        when: Schedule | None,
        where: Where | None,
    ) -> None:
        with self._lock:
            self._rules.append(Rule(trouble, method, when or When(), where))
