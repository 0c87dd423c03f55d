"""The messages of one chat in one numbering, kept as the bytes that go over the wire."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

UNKNOWN_CONSTRUCTOR = b"\xef\xbe\xad\xde"
_OUT = 1 << 1


class Record(NamedTuple):
    """One message.

    Attributes:
        id: Its number.
        date: Unix time.
        data: Serialised, its `out` flag not set.
        sender: Marked id of who sent it.
        thread: Topic or comment root it belongs to; 0 for none.
        peers: Marked ids of all whom it names, for the users and chats of an answer.
    """

    id: int
    date: int
    data: bytes
    sender: int
    thread: int
    peers: tuple[int, ...]

    def seen_by(self, user_id: int) -> bytes:
        """Its bytes for one reader: their own messages are `out`."""
        if self.sender != user_id:
            return self.data
        flags = int.from_bytes(self.data[4:8], "little") | _OUT
        return b"".join((self.data[:4], flags.to_bytes(4, "little"), self.data[8:]))

    def garbled(self) -> bytes:
        """Its bytes with a constructor that nobody knows."""
        return UNKNOWN_CONSTRUCTOR + self.data[4:]


class Box:
    """Messages by ascending id. Dates ascend with ids, as Telegram's do."""

    __slots__ = ("_ids", "_records", "_threads")

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records = sorted(records)
        self._ids = [record.id for record in self._records]
        self._threads: dict[int, Box] = {}

    def put(self, record: Record) -> None:
        """Add a message, or replace it."""
        at = bisect_left(self._ids, record.id)
        if at < len(self._ids) and self._ids[at] == record.id:
            self._records[at] = record
        else:
            self._ids.insert(at, record.id)
            self._records.insert(at, record)
        self._threads.clear()

    def remove(self, message_id: int) -> bool:
        """Delete a message; False where there is none."""
        at = bisect_left(self._ids, message_id)
        if at == len(self._ids) or self._ids[at] != message_id:
            return False
        del self._ids[at], self._records[at]
        self._threads.clear()
        return True

    def get(self, message_id: int) -> Record | None:
        """One message."""
        at = bisect_left(self._ids, message_id)
        found = at < len(self._ids) and self._ids[at] == message_id
        return self._records[at] if found else None

    @property
    def top(self) -> Record | None:
        """The newest message."""
        return self._records[-1] if self._records else None

    @property
    def ids(self) -> list[int]:
        """All ids, ascending."""
        return list(self._ids)

    def thread(self, root: int) -> "Box":
        """The messages of one topic or one post's comments."""
        if root not in self._threads:
            self._threads[root] = self.where(lambda record: record.thread == root)
        return self._threads[root]

    def where(self, keep: Callable[[Record], bool]) -> "Box":
        """Some of the messages."""
        return Box(filter(keep, self._records))

    def below(self, message_id: int) -> int:
        """How many have a lesser id."""
        return bisect_left(self._ids, message_id)

    def before(self, date: int) -> int:
        """How many were sent earlier."""
        return bisect_left(self._records, date, key=lambda record: record.date)

    def slice(self, low: int, high: int) -> list[Record]:
        """Records by position, ascending; positions outside are ignored."""
        return self._records[max(low, 0) : max(high, 0)]

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)
