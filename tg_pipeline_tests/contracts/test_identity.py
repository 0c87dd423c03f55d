"""Which chat, which numbering: only numberings that accounts share name the account."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tg_pipeline.contracts import ChatKey
from tg_pipeline.contracts.identity import (
    channel_peer,
    is_surrogate,
    message_account,
    numbers_its_own_messages,
    surrogate_peer,
)

USER, GROUP, CHANNEL = 777000, -4042, channel_peer(1613744721)


@given(st.integers(), st.integers(min_value=0))
def test_a_key_survives_its_text(entity_id: int, account_id: int) -> None:
    key = ChatKey(entity_id, account_id)

    assert ChatKey.parse(str(key)) == key


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ChatKey(-1001613744721), "-1001613744721"),
        (ChatKey(12345, 777), "777_12345"),
        (ChatKey(-4042, 777), "777_-4042"),
    ],
)
def test_keys_are_written_as_documented(key: ChatKey, text: str) -> None:
    assert str(key) == text


@pytest.mark.parametrize(
    "text",
    ["", "-", "1_", "_1", "-1_2", "1_2_3", "1|2", "1/2", "..", "1.0", "١٢", " 1", "1\n", "+1"],
)
def test_anything_else_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="is not a chat key"):
        ChatKey.parse(text)


def test_channels_number_their_own_messages() -> None:
    assert CHANNEL == -1001613744721
    assert ChatKey.of(CHANNEL, 777) == ChatKey(CHANNEL)
    assert ChatKey.of(USER, 777) == ChatKey(USER, 777)
    assert ChatKey.of(GROUP, 777) == ChatKey(GROUP, 777)


@pytest.mark.parametrize(
    ("entity_id", "message_id", "account"),
    [
        (CHANNEL, 5, 0),
        (CHANNEL, -999_999_995, 777),  # from before the group became a supergroup
        (GROUP, 5, 777),
        (USER, 5, 777),
        (surrogate_peer(bytes(8)), 5, 0),
    ],
)
def test_the_account_is_part_of_identity_only_where_it_counts(
    entity_id: int, message_id: int, account: int
) -> None:
    assert message_account(entity_id, message_id, 777) == account


@given(st.binary(min_size=32, max_size=32))
def test_surrogates_have_a_range_of_their_own(seed: bytes) -> None:
    peer = surrogate_peer(seed)

    assert is_surrogate(peer)
    assert numbers_its_own_messages(peer)
    assert -9 * 10**15 < peer <= -5 * 10**15
    assert abs(peer) < 2**53  # exact in every JSON reader


@given(st.integers(1, 10**13))
def test_no_real_channel_falls_into_the_range_of_surrogates(channel: int) -> None:
    assert not is_surrogate(channel_peer(channel))
    assert numbers_its_own_messages(channel_peer(channel))


def test_a_surrogate_never_changes() -> None:
    assert surrogate_peer(hashlib.sha256(b"result.json#0").digest()) == -7175101549557998
