"""The tables, as the migrations make them (a check in CI holds the two equal)."""

from tg_pipeline.store.tables.archive import (
    batches,
    chat_days,
    chats,
    complete_ranges,
    exports,
    messages,
    participant_names,
    quality_results,
    quarantine,
    superseded_versions,
)
from tg_pipeline.store.tables.base import HEAD, UtcTime, metadata
from tg_pipeline.store.tables.telegram import (
    account_limits,
    account_requests,
    accounts,
    chat_access,
    chat_snapshots,
    checkpoints,
    fetched_ranges,
    followed_chats,
)

__all__ = [
    "HEAD",
    "UtcTime",
    "account_limits",
    "account_requests",
    "accounts",
    "batches",
    "chat_access",
    "chat_days",
    "chat_snapshots",
    "chats",
    "checkpoints",
    "complete_ranges",
    "exports",
    "fetched_ranges",
    "followed_chats",
    "messages",
    "metadata",
    "participant_names",
    "quality_results",
    "quarantine",
    "superseded_versions",
]
