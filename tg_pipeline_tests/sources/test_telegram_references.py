"""What people type for a chat is read as that chat, or refused; it never ends in another error."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_pipeline.errors import ReferenceUnreadable
from tg_pipeline.sources.telegram.references import (
    ME,
    Named,
    Reference,
    read_list,
    read_reference,
)

LETTERS = string.ascii_letters
WORD = f"{LETTERS}{string.digits}_"
USERNAMES = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(LETTERS),
    st.text(WORD, min_size=4, max_size=31),
).filter(lambda name: name.lower() not in {"addlist", "addtheme", "login", "share", "proxy"})
CODES = st.text(f"{WORD}-", min_size=16, max_size=32).filter(lambda code: not code.isdigit())
BARE = st.integers(1, 10**11)
SCHEMES = st.sampled_from(["", "https://", "http://", "HTTPS://"])
HOSTS = st.sampled_from(["t.me", "telegram.me", "telegram.dog", "www.t.me", "T.ME"])
TAILS = st.sampled_from(["", "/", "/17", "/17?comment=5", "?start=x", "/5/17", "#x"])


@given(USERNAMES, SCHEMES, HOSTS, TAILS)
def test_usernames_in_all_spellings(name: str, scheme: str, host: str, tail: str) -> None:
    expected = Reference(Named.USERNAME, name)
    links = [f"{scheme}{host}/{before}{name}{tail}" for before in ("", "s/", "@")]
    spellings = (name, f"@{name}", f" {name}\n", f"tg://resolve?domain={name}&post=17", *links)
    assert {read_reference(text) for text in spellings} == {expected}


@given(CODES, SCHEMES, HOSTS)
def test_invitations_in_all_spellings(code: str, scheme: str, host: str) -> None:
    spellings = (f"{scheme}{host}/+{code}", f"{scheme}{host}/joinchat/{code}",
                 f"{scheme}{host}/%2B{code}", f"tg://join?invite={code}")  # fmt: skip
    assert {read_reference(text) for text in spellings} == {Reference(Named.INVITE, code)}


@given(BARE, SCHEMES, HOSTS, TAILS)
def test_links_to_private_channels_are_ids(number: int, scheme: str, host: str, tail: str) -> None:
    found = read_reference(f"{scheme}{host}/c/{number}{tail}")
    assert found == read_reference(str(-(10**12) - number))
    assert found.id == -(10**12) - number


@given(st.one_of(
    st.just(ME),
    USERNAMES.map(lambda name: Reference(Named.USERNAME, name)),
    CODES.map(lambda code: Reference(Named.INVITE, code)),
    st.integers(-(2**63), 2**63 - 1).filter(bool).map(lambda one: Reference(Named.ID, str(one))),
))  # fmt: skip
def test_what_is_written_is_read_as_the_same(reference: Reference) -> None:
    assert read_reference(str(reference)) == reference


@given(st.one_of(st.text(), st.text().map(lambda text: f"https://t.me/{text}")))
def test_any_text_is_a_chat_or_is_refused(text: str) -> None:
    with suppress(ReferenceUnreadable):
        found = read_reference(text)
        assert read_reference(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "ab", "9lives", "harbour news", "0", "-0", "1e5", str(2**63), "https://example.org/x",
        "t.me", "t.me/", "t.me/+4915112345678", "t.me/addstickers/Boats", "t.me/addlist/AbCdEf",
        "t.me/share/url?url=x", "t.me/c/", "t.me/c/harbour", "t.me/c/-5", "tg://settings",
        "mailto:x@t.me", "https://[t.me/x", "not.t.me.example/harbour", "t.me/joinchat/short",
        "file:///t.me/harbour", "@", "@@harbour", "t.me/\x00harbour", "хэллоу", "٣٤٥٦٧",
    ],
)  # fmt: skip
def test_what_names_no_chat(text: str) -> None:
    with pytest.raises(ReferenceUnreadable):
        read_reference(text)


def test_a_list_has_comments_and_empty_lines_and_tells_where_it_is_wrong() -> None:
    lines = ["\ufeff@harbour", "", "# t.me/none", "t.me/c/5/7 # the fifth", "  me,", "-1001;"]
    assert [str(one) for one in read_list(lines, "x")] == [
        "@harbour",
        "-1000000000005",
        "me",
        "-1001",
    ]
    with pytest.raises(ReferenceUnreadable, match=r"list.txt, line 3: 'a b' names no chat"):
        list(read_list(["@harbour", "", "a b"], "list.txt"))
