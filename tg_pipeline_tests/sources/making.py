"""Small exports for tests, and one call that reads a file whole."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tg_pipeline.contracts import Message, Participant, Rejected
from tg_pipeline.sources.desktop_json import (
    ChatPart,
    DesktopOptions,
    Input,
    Scan,
    Summary,
    read,
    scan,
)

Json = dict[str, Any]


def message(number: int, **fields: Any) -> Json:
    return {
        "id": number,
        "type": "message",
        "date": "2024-01-01T12:00:00",
        "date_unixtime": str(1704106800 + number),
        "from": "Ada",
        "from_id": "user10",
        "text": f"text {number}",
        **fields,
    }


def export(*messages: Any, **header: Any) -> Json:
    return {"name": "Test", "type": "public_channel", "id": 77, **header, "messages": [*messages]}


def written(folder: Path, content: Any, name: str = "result.json") -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


@dataclass
class Outcome:
    scan: Scan
    parts: list[ChatPart]
    by_chat: list[list[Message | Participant | Rejected]]
    summary: Summary

    @property
    def records(self) -> list[Message | Participant | Rejected]:
        return [record for records in self.by_chat for record in records]

    @property
    def messages(self) -> list[Message]:
        return [record for record in self.records if isinstance(record, Message)]

    @property
    def rejected(self) -> list[Rejected]:
        return [record for record in self.records if isinstance(record, Rejected)]

    @property
    def participants(self) -> list[Participant]:
        return [record for record in self.records if isinstance(record, Participant)]


def read_whole(path: Path, **options: Any) -> Outcome:
    chosen = DesktopOptions(**options)
    found = scan(Input(path), chosen)
    reading = read(found, chosen)
    parts, by_chat = [], []
    for part in reading:
        parts.append(part)
        by_chat.append(list(part.records()))
    return Outcome(found, parts, by_chat, reading.summary)


Made = Callable[..., Outcome]
