"""A script of what goes wrong: which requests fail, how, and how often. All of it is repeatable."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from tg_pipeline_tests.telegram_server.errors import RpcFailure


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


@dataclass(frozen=True, slots=True)
class Trouble:
    """All that shall happen to one request."""

    delay: float = 0.0
    failure: RpcFailure | None = None
    hang_up_before: bool = False
    hang_up_after: bool = False
    truncate: bool = False


@dataclass(slots=True)
class Fault:
    """A rule: what happens to which requests. `method` None means any; login and setup too."""

    method: str | None
    when: When
    delay: float = 0.0
    failure: RpcFailure | None = None
    hang_up_before: bool = False
    hang_up_after: bool = False
    truncate: bool = False


class Faults:
    """The rules in force; each call adds one.

    Attributes:
        latency: Seconds that every answer takes.
        garbled: Messages, as (marked chat id, message id), that no client can read.
        takeout_delay: Seconds of TAKEOUT_INIT_DELAY_X; None lets takeouts begin.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.garbled: set[tuple[int, int]] = set()
        self.takeout_delay: int | None = None
        self._rules: list[Fault] = []
        self._lock = Lock()

    def error(self, method: str | None, code: int, name: str, when: When | None = None) -> None:
        """Answer with an RPC error, such as 500 RPC_CALL_FAIL."""
        self._add(Fault(method, when or When(), failure=RpcFailure(code, name)))

    def flood(self, method: str | None, seconds: int, when: When | None = None) -> None:
        """Answer FLOOD_WAIT_seconds."""
        self.error(method, 420, f"FLOOD_WAIT_{seconds}", when)

    def hang_up(
        self, method: str | None, when: When | None = None, *, answer_first: bool = False
    ) -> None:
        """Close the connection instead of answering, or after it."""
        moment = {"hang_up_after" if answer_first else "hang_up_before": True}
        self._add(Fault(method, when or When(), **moment))  # type: ignore[arg-type]

    def delay(self, method: str | None, seconds: float, when: When | None = None) -> None:
        """Answer later."""
        self._add(Fault(method, when or When(), delay=seconds))

    def truncate(self, method: str | None, when: When | None = None) -> None:
        """Answer with the first half of the answer's bytes."""
        self._add(Fault(method, when or When(), truncate=True))

    def garble(self, chat_id: int, ids: Iterable[int]) -> None:
        """Give messages a constructor that no client knows, wherever they are shown."""
        self.garbled.update((chat_id, one) for one in ids)

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._rules.clear()
        self.garbled.clear()
        self.latency, self.takeout_delay = 0.0, None

    def of(self, method: str) -> Trouble:
        """What happens to this request; each rule that matches counts it."""
        with self._lock:
            hits = [
                rule for rule in self._rules if rule.method in (None, method) and rule.when.hits()
            ]
        return Trouble(
            delay=self.latency + sum(rule.delay for rule in hits),
            failure=next((rule.failure for rule in hits if rule.failure), None),
            hang_up_before=any(rule.hang_up_before for rule in hits),
            hang_up_after=any(rule.hang_up_after for rule in hits),
            truncate=any(rule.truncate for rule in hits),
        )

    def _add(self, rule: Fault) -> None:
        with self._lock:
            self._rules.append(rule)
