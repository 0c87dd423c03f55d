"""Every request the server got, in order, for tests to count and look at."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tg_pipeline_tests.telegram_server.tl import TL


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its wrappers taken off.

    Attributes:
        method: Telegram's name, such as `messages.getHistory`.
        arguments: The request object itself.
        account_id: Who asked; None before login.
        takeout_id: Of the takeout session it belonged to.
        at: When, on the monotonic clock.
    """

    method: str
    arguments: TL
    account_id: int | None
    takeout_id: int | None = None
    at: float = field(default_factory=time.monotonic)


class Requests:
    """The requests since the server began, or since a mark."""

    def __init__(self) -> None:
        self._all: list[Request] = []

    def add(self, request: Request) -> None:
        """Append one."""
        self._all.append(request)

    def mark(self) -> int:
        """A point that the other methods can count from."""
        return len(self._all)

    def since(self, mark: int = 0, method: str | None = None) -> list[Request]:
        """Requests from a mark on, of one method or all."""
        return [one for one in self._all[mark:] if method is None or one.method == method]

    def count(self, method: str | None = None, since: int = 0) -> int:
        """How many."""
        return len(self.since(since, method))

    def by_method(self, since: int = 0) -> Counter[str]:
        """How many of each."""
        return Counter(one.method for one in self._all[since:])

    def last(self, method: str) -> Request:
        """The newest of a method; IndexError if there was none."""
        return self.since(method=method)[-1]

    def clear(self) -> None:
        """Forget them all."""
        self._all.clear()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Request]:
        return iter(list(self._all))
