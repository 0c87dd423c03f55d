"""Every rule once, in the order in which they are told."""

from typing import Final

from tg_pipeline.quality.findings import Rule
from tg_pipeline.quality.hashes import changed_content
from tg_pipeline.quality.landed import lost_messages
from tg_pipeline.quality.queries import (
    falling_dates,
    implausible_dates,
    miscounted_days,
    missing_reply_targets,
    shared_keys,
)

RULE_SET: Final = "1"
"""Raise it when a rule is added or judges otherwise: all verdicts are then given anew."""

RULES: Final = (
    Rule("unique_keys", "No two messages share the key chat:day:id.", shared_keys),
    Rule(
        "plausible_dates",
        "Dates are UTC, the instant the source tells, not before Telegram and not in the future.",
        implausible_dates,
    ),
    Rule(
        "reproducible_content_hash",
        "The stored content gives the content_hash it was stored under.",
        changed_content,
    ),
    Rule(
        "loaded_is_landed",
        "Every landed message is in the tables or in quarantine.",
        lost_messages,
    ),
    Rule(
        "true_day_counts",
        "Count and digest of each day, which the data version is made of, are those of its rows.",
        miscounted_days,
    ),
    Rule(
        "reply_targets",
        "Messages that are replied to are held.",
        missing_reply_targets,
        only_warns=True,
    ),
    Rule("rising_ids", "Ids rise with time.", falling_dates, only_warns=True),
)
