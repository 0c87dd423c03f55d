"""Pages against a plain list, and the same rules seen through the real client."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from telethon import functions

from tg_pipeline_tests.telegram_server import Account, TelegramServer, talk
from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.conftest import NOON, Town
from tg_pipeline_tests.telegram_server.paging import Offsets, page
from tg_pipeline_tests.telegram_server.tl import TL

_IDS = st.sets(st.integers(1, 60)).map(sorted)
_ANY = st.integers(0, 62)


def _record(number: int) -> Record:
    """Two messages a second."""
    return Record(number, number // 2, b"", 1, number % 3, ())


def _plain(ids: list[int], at: Offsets) -> list[int]:
    """The rules, said with a list that is newest first."""
    newest_first = sorted(ids, reverse=True)
    if at.offset_id:
        start = sum(one >= at.offset_id for one in newest_first)
    elif at.offset_date:
        start = sum(one // 2 >= at.offset_date for one in newest_first)
    else:
        start = 0
    chosen = range(start + at.add_offset, start + at.add_offset + at.limit)
    found = [one for place, one in enumerate(newest_first) if place in chosen]
    return [one for one in found if one > at.min_id and (at.max_id == 0 or one < at.max_id)]


@given(
    ids=_IDS,
    at=st.builds(
        Offsets,
        limit=st.integers(0, 70),
        offset_id=_ANY,
        offset_date=st.integers(0, 32),
        add_offset=st.integers(-65, 65),
        min_id=_ANY,
        max_id=_ANY,
    ),
)
def test_a_page_is_what_a_plain_list_gives(ids: list[int], at: Offsets) -> None:
    box = Box(map(_record, ids))
    assert [one.id for one in page(box, at)] == _plain(ids, at)


@given(ids=_IDS, limit=st.integers(1, 70))
def test_pages_one_after_another_are_the_whole_chat(ids: list[int], limit: int) -> None:
    box, seen = Box(map(_record, ids)), [10**9]
    while records := page(box, Offsets(limit, offset_id=seen[-1])):
        seen += [one.id for one in records]
    assert seen[1:] == sorted(ids, reverse=True)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 20))))
def test_a_box_is_a_dictionary_in_order(changes: list[tuple[bool, int]]) -> None:
    box, plain = Box(), set[int]()
    for add, number in changes:
        if add:
            box.put(_record(number))
            plain.add(number)
        else:
            assert box.remove(number) == (number in plain)
            plain.discard(number)
        for thread in range(3):
            assert box.thread(thread).ids == sorted(n for n in plain if n % 3 == thread)
    assert box.ids == sorted(plain)
    assert (box.top and box.top.id) == max(plain, default=None)
    assert all((box.get(n) is not None) == (n in plain) for n in range(22))


def _history(peer: TL, **offsets: object) -> TL:
    numbers = ("offset_id", "add_offset", "limit", "max_id", "min_id", "hash")
    facts = {**dict.fromkeys(numbers, 0), "offset_date": None, **offsets}
    return functions.messages.GetHistoryRequest(peer, **facts)


def test_no_page_holds_more_than_a_hundred(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        got = await client(_history("harbour", limit=500))
        assert [one.id for one in got.messages] == list(range(130, 30, -1))
        assert got.count == 130
        assert [one.username for one in got.chats] == ["harbour"]

    talk(server, mira, ask)


def test_bounds_are_exclusive_and_come_after_the_limit(
    server: TelegramServer, mira: Account
) -> None:
    async def ask(client: TL) -> None:
        got = await client(_history("harbour", limit=10, min_id=123, max_id=128))
        assert [one.id for one in got.messages] == [127, 126, 125, 124]
        got = await client(_history("harbour", limit=10, max_id=50))
        assert got.messages == []

    talk(server, mira, ask)


def test_negative_add_offset_reaches_newer_messages(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        got = await client(_history("harbour", limit=5, offset_id=100, add_offset=-5))
        assert [one.id for one in got.messages] == [104, 103, 102, 101, 100]
        got = await client(_history("harbour", limit=5, offset_id=129, add_offset=-5))
        assert [one.id for one in got.messages] == [130, 129]
        got = await client(_history("harbour", limit=5, offset_id=100, add_offset=2))
        assert [one.id for one in got.messages] == [97, 96, 95, 94, 93]

    talk(server, mira, ask)


def test_offset_date_is_exclusive(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        at = datetime(2024, 3, 1, 13, 20, tzinfo=UTC)
        got = await client(_history("harbour", limit=3, offset_date=at))
        assert [one.id for one in got.messages] == [19, 18, 17]
        got = await client(_history("harbour", limit=3, offset_date=NOON))
        assert got.messages == []

    talk(server, mira, ask)


def test_forwards_and_backwards(server: TelegramServer, mira: Account, town: Town) -> None:
    async def ask(client: TL) -> None:
        down = [one.id async for one in client.iter_messages("harbour", wait_time=0)]
        up = [one.id async for one in client.iter_messages("harbour", reverse=True, wait_time=0)]
        middle = client.iter_messages("harbour", min_id=20, max_id=123, wait_time=0)
        between = [one.id async for one in middle]
        assert (down, up) == (town.news.box.ids[::-1], town.news.box.ids)
        assert between == list(range(122, 20, -1))

    talk(server, mira, ask)
