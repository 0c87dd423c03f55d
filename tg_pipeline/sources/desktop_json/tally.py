"""What became of a file's records: counted as they go by, told as a summary."""

from collections import Counter
from dataclasses import dataclass

_NAMES_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a file so far.

    Attributes:
        messages: records yielded as Message.
        rejected: records yielded as Rejected, by reason.
        repaired: mended records by kind of repair; one record may count under several.
        truncated_at: byte offset up to which a cut file is whole; None if it is not cut.
    """

    messages: int
    rejected: dict[str, int]
    repaired: dict[str, int]
    repaired_records: int
    truncated_at: int | None

    @property
    def read(self) -> int:
        """All records there were; always messages and rejected together."""
        return self.messages + sum(self.rejected.values())


class Tally:
    """The running counts of one reading, and the names its present chat has shown."""

    __slots__ = ("_names", "messages", "rejected", "repaired", "repaired_records", "truncated_at")

    def __init__(self) -> None:
        self.messages = 0
        self.rejected: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.repaired_records = 0
        self.truncated_at: int | None = None
        self._names: set[tuple[int, str]] = set()

    def summary(self) -> Summary:
        """The counts so far."""
        return Summary(
            messages=self.messages,
            rejected=dict(self.rejected),
            repaired=dict(self.repaired),
            repaired_records=self.repaired_records,
            truncated_at=self.truncated_at,
        )

    def next_chat(self) -> None:
        """Begin a chat: names are facts about a person in a chat."""
        self._names.clear()

    def is_new_name(self, peer_id: int, name: str) -> bool:
        """Whether this name has not been shown; old ones are forgotten now and then."""
        if (peer_id, name) in self._names:
            return False
        if len(self._names) >= _NAMES_REMEMBERED:
            self._names.clear()
        self._names.add((peer_id, name))
        return True
