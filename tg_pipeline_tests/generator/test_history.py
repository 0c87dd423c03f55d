import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tg_pipeline.contracts import Kind
from tg_pipeline.generator import (
    DEMO_END,
    ChatPlan,
    DesktopStyle,
    big_history,
    demo_histories,
    desktop_chunks,
    history,
)
from tg_pipeline.generator.model import ChatKind
from tg_pipeline.generator.texts import LONGEST
from tg_pipeline_tests.generator.plans import (
    END,
    MOMENTS,
    MUCH_LATER,
    SUPERGROUP,
    written,
)

KINDS: tuple[ChatKind, ...] = ("channel", "supergroup", "group", "private", "saved")


def test_same_seed_same_bytes() -> None:
    assert written(history(SUPERGROUP, 1)) == written(history(SUPERGROUP, 1))
    assert written(history(SUPERGROUP, 1)) != written(history(SUPERGROUP, 2))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(KINDS),
    count=st.integers(1, 300),
    days=st.integers(1, 2000),
)
def test_ids_and_times_ascend(seed: int, kind: ChatKind, count: int, days: int) -> None:
    start = datetime(2020, 5, 17, 9, 30, tzinfo=UTC)
    plan = ChatPlan(kind, 5_000_001, "X", count, start, start + timedelta(days=days), people=9)
    shown = list(history(plan, seed).as_of(plan.end + timedelta(days=1)))
    assert all(a.id < b.id and a.date <= b.date for a, b in pairwise(shown))
    assert all(start <= message.date <= plan.end for message in shown)


@pytest.mark.parametrize("seed", range(6))
def test_a_known_share_of_the_ids_is_empty(seed: int) -> None:
    plan = replace(SUPERGROUP, before_migration=0, messages=2_000)
    ids = {truth.id for truth in history(plan, seed).versions([MUCH_LATER])}
    deleted = 2_000 - len(ids)
    share = 1 - (len(ids) + deleted) / (max(ids) - min(ids) + 1)
    assert 0.03 < share < 0.21


def test_versions_agree_with_what_was_visible() -> None:
    chat = history(SUPERGROUP, 3)
    views = [{message.id: message for message in chat.as_of(moment)} for moment in MOMENTS]
    truths = {truth.id: truth for truth in chat.versions(MOMENTS)}
    assert truths.keys() == views[0].keys() | views[1].keys() | views[2].keys()
    for key, truth in truths.items():
        seen = [view[key] for view in views if key in view]
        contents = dict.fromkeys(one.content_hash for one in seen if one.content_hash)
        assert truth.hashes == tuple(contents)
        assert truth.last == seen[-1]
        assert truth.deleted == (key not in views[-1])
        assert len(truth.seen) == len(seen)


def test_some_edits_are_taken_back() -> None:
    moments = [SUPERGROUP.start + timedelta(days=day) for day in range(0, 900, 20)]
    plan = replace(SUPERGROUP, kind="channel", before_migration=0, messages=1_500)
    truths = list(history(plan, 1).versions(moments))
    assert any(len(truth.hashes) > 1 and truth.current == truth.hashes[0] for truth in truths)


def test_three_exports_differ_in_every_way() -> None:
    truths = list(history(SUPERGROUP, 1).versions(MOMENTS))
    assert any(truth.deleted for truth in truths)
    assert any(len(truth.hashes) == 2 for truth in truths)
    assert any(truth.last.edited and len(truth.hashes) == 1 for truth in truths)
    first, last = (dict(_reactions(moment)) for moment in (MOMENTS[1], MOMENTS[2]))
    assert any(first[key] != last[key] for key in first.keys() & last.keys())


def _reactions(moment: datetime) -> list[tuple[int, object]]:
    return [(one.id, one.reactions) for one in history(SUPERGROUP, 1).as_of(moment)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), days=st.lists(st.integers(0, 700), min_size=2, max_size=4))
def test_an_edit_stamp_moves_whenever_content_does(seed: int, days: list[int]) -> None:
    chat = history(replace(SUPERGROUP, messages=260), seed)
    moments = [SUPERGROUP.start + timedelta(days=day) for day in sorted(days)]
    views = [{one.id: one for one in chat.as_of(moment)} for moment in moments]
    for earlier, later in pairwise(views):
        for key in earlier.keys() & later.keys():
            before, after = earlier[key], later[key]
            assert (before.edited or 0) <= (after.edited or 0)
            if before.content != after.content:
                assert (before.edited or 0) < (after.edited or 0)
                assert before.content_hash != after.content_hash
            assert sum(before.votes) <= sum(after.votes)


def test_migration_keeps_both_histories_apart() -> None:
    chat = history(SUPERGROUP, 1)
    shown = list(chat.as_of(MUCH_LATER))
    before = [one for one in shown if one.id < 0]
    after = [one for one in shown if one.id > 0]
    assert {one.account_id for one in before} == {chat.account.id}
    assert {one.account_id for one in after} == {0}
    actions = [one.content.action.type for one in shown if one.content.action]
    assert actions[0] == "create_group"
    assert before[-1].content.action
    assert before[-1].content.action.type == "migrate_to_supergroup"
    assert after[0].content.action
    assert after[0].content.action.type == "migrate_from_group"


def test_unsupported_messages_have_no_hash() -> None:
    shown = list(history(replace(SUPERGROUP, messages=2_000), 1).as_of(MUCH_LATER))
    unsupported = [one for one in shown if one.kind is Kind.UNSUPPORTED]
    assert unsupported
    assert {one.content_hash for one in unsupported} == {None}
    assert all(one.content_hash for one in shown if one.kind is not Kind.UNSUPPORTED)


def test_the_demo_has_everything() -> None:
    shown = [one for chat in demo_histories() for one in chat.as_of(DEMO_END)]
    assert 2_000 < len(shown) < 3_000
    entities = Counter(part.type for one in shown for part in one.content.parts)
    assert entities.keys() > {"text_link", "mention_name", "custom_emoji", "pre", "blockquote"}
    media = Counter(one.content.media.kind for one in shown if one.content.media)
    assert media.keys() > {"photo", "sticker", "voice_message", "video_message", "file", "contact"}
    actions = Counter(one.content.action.type for one in shown if one.content.action)
    assert actions.keys() > {"create_channel", "pin_message", "phone_call", "topic_created"}
    assert any(one.content.poll for one in shown)
    assert any(one.post.sender.name is None for one in shown)
    assert any(one.post.reply_to_peer for one in shown)
    assert max(Counter(one.date for one in shown).values()) >= 20
    text = "".join(one.text for one in shown)
    assert all(sign in text for sign in ("\u200c", "۱", "ש", "क", "了", "です", "👨‍👩‍👧‍👦"))


def test_texts_reach_but_never_pass_the_limit() -> None:
    lengths = [len(one.text) for one in big_history(4_000).as_of(MUCH_LATER)]
    assert max(lengths) == LONGEST
    assert min(lengths) == 0


def test_replies_are_sometimes_missing() -> None:
    shown = list(history(SUPERGROUP, 1).as_of(END))
    ids = {one.id for one in shown}
    targets = [
        one.post.reply_to for one in shown if one.post.reply_to and not one.post.reply_to_peer
    ]
    missing = [target for target in targets if target not in ids]
    assert 0 < len(missing) < len(targets) / 5


def test_memory_does_not_grow_with_the_history() -> None:
    _peak(300)  # fills the caches that the first use fills
    assert _peak(9_000) < _peak(3_000) + 6_000 * 60  # bytes


def _peak(count: int) -> int:
    tracemalloc.start()
    for _ in desktop_chunks([big_history(count)], as_of=MUCH_LATER, style=DesktopStyle()):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "change",
    [{"messages": 0}, {"end": SUPERGROUP.start}, {"before_migration": 900}, {"kind": "channel"}],
)
def test_impossible_plans_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"chat|supergroup|before_migration"):
        history(replace(SUPERGROUP, **change), 1)  # type: ignore[arg-type]
