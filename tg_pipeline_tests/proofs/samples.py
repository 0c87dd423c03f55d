"""Export files to import: several chats in one account export, or one big chat."""

from datetime import UTC, datetime
from pathlib import Path

from tg_pipeline.generator import (
    ChatPlan,
    DesktopStyle,
    big_history,
    history,
    write_desktop_json,
)

START = datetime(2023, 1, 2, tzinfo=UTC)
MIDDLE = datetime(2023, 9, 2, tzinfo=UTC)
END = datetime(2023, 12, 20, tzinfo=UTC)
AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
CHATS = 6


def account_export(path: Path, messages: int, *, seed: int = 1) -> Path:
    """About so many messages in six supergroups: as many batches, landed and loaded by turns."""
    plans = [
        ChatPlan(
            "supergroup", 1_600_000_000 + number, f"Lighthouse {number}", messages // CHATS,
            START, END, people=30,
        )
        for number in range(CHATS)
    ]  # fmt: skip
    chats = [history(plan, seed) for plan in plans]
    write_desktop_json(path, chats, as_of=AS_OF, style=DesktopStyle(account_export=True))
    return path


def chat_export(path: Path, messages: int, *, seed: int = 1, as_of: datetime = AS_OF) -> Path:
    """One supergroup as one export shows it."""
    plan = ChatPlan("supergroup", 1_600_000_100, "Tide Table", messages, START, END, people=30)
    write_desktop_json(path, [history(plan, seed)], as_of=as_of)
    return path


def big_export(path: Path, size_bytes: int) -> Path:
    """One chat in a file of at least this size."""
    messages = size_bytes // 700
    write_desktop_json(path, [big_history(messages)], as_of=datetime(2026, 1, 1, tzinfo=UTC))
    assert path.stat().st_size >= size_bytes
    return path
