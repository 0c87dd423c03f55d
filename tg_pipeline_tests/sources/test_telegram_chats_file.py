"""chats.yaml: what is written is read as the same, in the same order, whoever writes it."""

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tg_pipeline.contracts import ChatType
from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline.errors import ChatsFileInvalid
from tg_pipeline.sources.telegram.chat_ref import ChatRef
from tg_pipeline.sources.telegram.chats_file import Entry, read_chats, same_chat, write_chats
from tg_pipeline.sources.telegram.references import Named, Reference
from tg_pipeline_tests.sources.test_telegram_references import CODES, USERNAMES

ACCOUNTS = st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True)
IDS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)
REFS = st.builds(
    ChatRef,
    id=st.one_of(IDS, st.integers(1, 10**11).map(channel_peer)),
    type=st.sampled_from(ChatType),
    username=st.none() | USERNAMES | st.sampled_from(["null", "yes", "0x10", "1_0", "on"]),
    title=st.none() | TEXTS,
    account=ACCOUNTS,
    access_hash=st.dictionaries(ACCOUNTS, IDS, max_size=3),
    comments_of=st.none() | IDS,
    migrated_from=st.none() | IDS,
)
REFERENCES = st.one_of(
    USERNAMES.map(lambda name: Reference(Named.USERNAME, name)),
    CODES.map(lambda code: Reference(Named.INVITE, code)),
    IDS.filter(bool).map(lambda one: Reference(Named.ID, str(one))),
)
ENTRIES = st.one_of(
    REFS.map(lambda ref: Entry(ref.account, ref=ref)),
    st.builds(lambda account, one: Entry(account, reference=one), ACCOUNTS, REFERENCES),
)


def _name(entry: Entry) -> object:
    return same_chat(entry.ref) if entry.ref else (entry.account, entry.reference)


@settings(deadline=None)
@given(st.lists(ENTRIES, max_size=8, unique_by=_name))
def test_what_is_written_is_read_as_the_same(entries: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.yaml"
        write_chats(path, entries)
        once = path.read_bytes()
        found = read_chats(path)
        assert sorted(map(repr, found)) == sorted(map(repr, entries))
        write_chats(path, reversed(found))
        assert path.read_bytes() == once


def test_what_people_write(tmp_path: Path) -> None:
    path = tmp_path / "chats.yaml"
    path.write_text(
        """
- harbour
- -1001613744721
- https://t.me/+AbCdEfGhIjKlMnOp
- {username: '@mill', account: second}
- {id: 5}
- {link: t.me/ferry/7}
- {id: -1001, type: channel, title: ночь}
- me
"""
    )
    entries = read_chats(path)
    assert [one.called for one in entries] == [
        "@harbour", "-1001613744721", "https://t.me/+AbCdEfGhIjKlMnOp", "@mill", "5", "@ferry",
        "ночь", "me",
    ]  # fmt: skip
    assert [one.account for one in entries] == ["main"] * 3 + ["second"] + ["main"] * 4
    write_chats(path, entries)
    assert {one.called for one in read_chats(path)} == {one.called for one in entries}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_list_of_chats_or_is_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with suppress(ChatsFileInvalid):
            read_chats(path)


def test_nothing_is_there(tmp_path: Path) -> None:
    path = tmp_path / "below" / "chats.yaml"
    assert read_chats(path) == []
    write_chats(path, [])
    assert read_chats(path) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(ChatsFileInvalid):
        read_chats(tmp_path / "folder")
