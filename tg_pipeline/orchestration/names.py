"""What our assets, jobs and sensors are called: they can live twice in one deployment."""

import re
from dataclasses import dataclass
from typing import Final

import dagster as dg

CHAT_TAG: Final = "tg_pipeline/chat"
VERSION: Final = "tg_pipeline/version"
"""Metadata of every event: which state of the truth it tells."""
RAW, MESSAGES, PARQUET, JSONL = "raw_messages", "messages", "messages_parquet", "messages_jsonl"
FILES: Final = {PARQUET: "parquet", JSONL: "jsonl"}
"""The published assets, and the format each of them is."""


@dataclass(frozen=True, slots=True)
class Names:
    """Prefix of keys and names, group of the assets, name of the set of chats."""

    key_prefix: tuple[str, ...] = ()
    group: str = "telegram"
    partitions: str = "telegram_chats"

    def key(self, asset: str) -> dg.AssetKey:
        """The key of one of our assets."""
        return dg.AssetKey([*self.key_prefix, asset])

    def unique(self, name: str) -> str:
        """The name of an op, job, sensor or resource: these share one space in a deployment."""
        return re.sub(r"\W", "_", "__".join([*self.key_prefix, name]))

    @property
    def archive(self) -> str:
        """Key of the resource that opens the archive."""
        return self.unique("archive")
