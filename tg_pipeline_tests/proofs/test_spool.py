"""A spool that was cut anywhere gives its whole pages, and landed twice it is the same batch."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tg_pipeline.contracts import (
    Chat,
    ChatType,
    DatePrecision,
    IdRange,
    Kind,
    Message,
    Participant,
    Record,
    Rejected,
    Source,
)
from tg_pipeline.errors import SpoolDamaged
from tg_pipeline.landing import Covered, LandingZone, Spool
from tg_pipeline_tests.state import landed

SEEN = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHAT = Chat(
    source=Source.TELEGRAM,
    entity_id=-1_001_700_000_001,
    account_id=0,
    type=ChatType.CHANNEL,
    title="Harbour\nNews",
    observed_at=SEEN,
)
TEXTS = ("", "Boat", '{"page":[[[0,1,100]],[]]}', "line\nbreak\r\n", "\u2028 \x00 é🛶", '","raw":')


@dataclass(frozen=True, slots=True)
class Written:
    """A page as it was given to a spool."""

    records: list[Record]
    covered: Covered


def message(number: int, text: str) -> Message:
    return Message(
        source=Source.TELEGRAM,
        entity_id=CHAT.entity_id,
        account_id=0,
        id=number,
        kind=Kind.MESSAGE,
        date=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number),
        date_precision=DatePrecision.EXACT,
        sender_id=CHAT.entity_id,
        text=text,
        observed_at=SEEN,
        raw=b'{"_":"Message"}',
        content_hash=bytes(32),
    )


def rejected(number: int) -> Rejected:
    return Rejected(
        source=Source.TELEGRAM,
        entity_id=CHAT.entity_id,
        account_id=0,
        id=number,
        reason="unknown_constructor",
        detail="\n",
        place="messages.getHistory",
        observed_at=SEEN,
        raw=b'\n{"page":\n',
    )


def participant(number: int) -> Participant:
    return Participant(
        source=Source.TELEGRAM,
        participant_id=number,
        name="Ada\n",
        observed_at=SEEN,
    )


def pages_of(sizes: Sequence[int], texts: Sequence[str]) -> list[Written]:
    """Pages of so many messages each, newest first, the third message of each unreadable."""
    number = sum(sizes) + len(sizes)
    found = []
    for size in sizes:
        high, records = number, list[Record]()
        for place in range(size):
            text = texts[number % len(texts)]
            records.append(rejected(number) if place == 2 else message(number, text))
            number -= 1
        low = number = min(number, high - 1) + 1
        number -= 1
        records.append(participant(1 + size % 2))
        one = IdRange(account_id=0, low=low, high=high)
        found.append(Written(records, Covered((one,), (one,))))
    return found


def spooled(path: Path, pages: Sequence[Written]) -> tuple[Spool, list[int]]:
    """Pages written to a new spool, and how long its file was after each."""
    path.unlink(missing_ok=True)
    spool, ends = Spool(path, CHAT, "main"), []
    for page in pages:
        spool.add(page.records, page.covered)
        ends.append(path.stat().st_size)
    return spool, ends


def facts(spool: Spool | None) -> object:
    """What a spool says of itself."""
    if spool is None:
        return None
    return (spool.chat, spool.covered, spool.contents.told())


def test_cut_at_every_byte_it_gives_its_whole_pages(tmp_path: Path) -> None:
    pages = pages_of([3, 1, 0, 4], TEXTS)
    whole, ends = spooled(tmp_path / "whole.jsonl", pages)
    data = whole.path.read_bytes()
    path = tmp_path / "cut.jsonl"
    expected = [None, *(spooled(tmp_path / f"{n}.jsonl", pages[:n])[0] for n in range(1, 5))]
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        there = sum(end <= length for end in ends)
        found = Spool.left(path)
        assert facts(found) == facts(expected[there]), length
        if found is not None:
            assert path.stat().st_size == ends[there - 1], "what was cut is gone"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    texts=st.lists(st.one_of(st.sampled_from(TEXTS), st.text()), min_size=1, max_size=4),
    share=st.floats(0, 1),
    new=st.booleans(),
)
def test_cut_and_continued_it_lands_as_if_never_cut(
    sizes: list[int], texts: list[str], share: float, new: bool, tmp_path: Path
) -> None:
    pages = pages_of(sizes, [one.encode("utf-8", "replace").decode() for one in texts])
    whole, ends = spooled(tmp_path / "whole.jsonl", pages)
    zones = count(1)

    def zone() -> LandingZone:
        return LandingZone(tmp_path / f"landing{next(zones)}-{id(sizes)}")

    undisturbed = zone()
    first = whole.land(undisturbed)
    before = landed(undisturbed.folder)
    assert whole.land(undisturbed) == first, "landed twice"
    assert landed(undisturbed.folder) == before

    path = tmp_path / "cut.jsonl"
    path.write_bytes(whole.path.read_bytes()[: int(share * ends[-1])])
    found = Spool.left(path)
    there = 0 if found is None else ends.index(path.stat().st_size) + 1
    if found is None:
        path.unlink()
        found = Spool(path, CHAT, "main")
    if new and there:
        found = Spool.left(path)
        assert found is not None
    for page in pages[there:]:
        found.add(page.records, page.covered)
    other = zone()
    assert found.land(other).batch == first.batch
    assert landed(other.folder) == before


def test_a_page_that_could_not_be_written_whole_leaves_those_before_it(tmp_path: Path) -> None:
    """What was written of it went into the batch as a broken record, and was counted."""
    pages = pages_of([40, 40, 400], ("A boat in the harbour " * 8,))
    expected, _ends = spooled(tmp_path / "expected.jsonl", pages[:2])
    spool, _ends = spooled(tmp_path / "spool.jsonl", pages[:2])
    with (
        no_file_larger_than(spool.path.stat().st_size + 9_000),
        pytest.raises(OSError, match="File too large"),
    ):
        spool.add(pages[2].records, pages[2].covered)
    assert facts(spool) == facts(expected)
    zones = [LandingZone(tmp_path / name) for name in ("here", "there")]
    assert spool.land(zones[0]).batch == expected.land(zones[1]).batch
    assert landed(zones[0].folder) == landed(zones[1].folder)
    assert facts(Spool.left(spool.path)) == facts(expected)
    spool.add(pages[2].records, pages[2].covered)
    assert spool.contents.messages == sum(len(page.records) - 2 for page in pages)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As if the disk were full there: the beginning of what is written fits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("change", [b"", b"null", b"[1]", b'{"record":"message"}', b"\xff"])
@pytest.mark.parametrize("line", [0, 1, 2])
def test_what_was_never_written_so_is_refused_by_name(
    change: bytes, line: int, tmp_path: Path
) -> None:
    spool, _ends = spooled(tmp_path / "spool.jsonl", pages_of([2], ("Boat",)))
    lines = spool.path.read_bytes().split(b"\n")
    lines[line] = change
    spool.path.write_bytes(b"\n".join(lines))
    with pytest.raises(SpoolDamaged) as told:
        Spool.left(spool.path)
    assert str(spool.path) in told.value.message
