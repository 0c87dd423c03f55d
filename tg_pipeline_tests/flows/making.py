"""Small exports for tests."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FIRST_STAMP = 1_704_106_800


def message(number: int, **fields: Any) -> Json:
    return {
        "id": number,
        "type": "message",
        "date": "2024-01-01T12:00:00",
        "date_unixtime": str(FIRST_STAMP + number),
        "from": "Ada",
        "from_id": "user10",
        "text": f"text {number}",
        **fields,
    }


def chat(*messages: Any, **header: Any) -> Json:
    return {"name": "Test", "type": "public_supergroup", "id": 77, **header, "messages": messages}


def account(*chats: Json, **fields: Any) -> Json:
    return {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 42, "first_name": "Mira"},
        **fields,
        "chats": {"about": "This page lists all chats.", "list": chats},
    }


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path
