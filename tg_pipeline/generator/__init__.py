"""Deterministic Telegram histories with known truth: for the demo, the tests and the benchmarks.

A `ChatPlan` and a seed determine a `History`; a history says what Telegram shows at any moment and
can be written as the export a given Telegram Desktop would make then.
"""

from tg_pipeline.generator.cast import ACCOUNT, person
from tg_pipeline.generator.demo import (
    DEMO_END,
    DEMO_PLANS,
    DEMO_START,
    big_history,
    demo_histories,
)
from tg_pipeline.generator.desktop_json import desktop_chunks, write_desktop_json
from tg_pipeline.generator.history import History, Truth, history
from tg_pipeline.generator.model import ChatPlan, Peer, TrueMessage
from tg_pipeline.generator.style import DesktopStyle

__all__ = [
    "ACCOUNT",
    "DEMO_END",
    "DEMO_PLANS",
    "DEMO_START",
    "ChatPlan",
    "DesktopStyle",
    "History",
    "Peer",
    "TrueMessage",
    "Truth",
    "big_history",
    "demo_histories",
    "desktop_chunks",
    "history",
    "person",
    "write_desktop_json",
]
