"""Ready-made histories: a small set to look at, and one of any size to measure with."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tg_pipeline.generator.cast import ACCOUNT
from tg_pipeline.generator.history import History, history
from tg_pipeline.generator.model import ChatPlan

DEMO_START = datetime(2024, 2, 1, 8, tzinfo=UTC)
DEMO_END = datetime(2025, 8, 1, 20, tzinfo=UTC)
DEMO_PLANS: Sequence[ChatPlan] = (
    ChatPlan(
        "channel", 1_700_000_001, "Harbour Lantern News", 420, DEMO_START, DEMO_END, public=True
    ),
    ChatPlan(
        "supergroup", 1_700_000_002, "Teahouse Atlas", 1_350, DEMO_START, DEMO_END,
        people=24, before_migration=260, public=True,
    ),
    ChatPlan(
        "private", 700_400_017, "Elowen Tidewell", 420, DEMO_START, DEMO_END, first_id=20_001
    ),
    ChatPlan("saved", ACCOUNT.id, "Saved Messages", 60, DEMO_START, DEMO_END, first_id=30_001),
    ChatPlan(
        "group", 900_003, "Swift Watch at the Mill", 250, DEMO_START, DEMO_END,
        people=7, first_id=40_001,
    ),
)  # fmt: skip
"""About 2,500 messages in 18 months, in chats and with people that do not exist."""


def demo_histories(seed: int = 1) -> tuple[History, ...]:
    """A handful of chats worth looking at."""
    return tuple(history(plan, seed) for plan in DEMO_PLANS)


def big_history(messages: int, *, seed: int = 1, people: int = 400) -> History:
    """One supergroup of any size; about 800 bytes a message in Desktop's JSON."""
    plan = ChatPlan(
        "supergroup",
        1_700_000_009,
        "Lanterns of the World",
        messages,
        datetime(2022, 1, 3, tzinfo=UTC),
        datetime(2025, 12, 31, tzinfo=UTC),
        people=people,
        extra_sentences=2,
        public=True,
    )
    return history(plan, seed)
