"""What a record may hold: no NUL, no lone surrogate, no integer beyond 64 bits."""

import re
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_INT64 = 2**63


def storable_text(text: str) -> str:
    """The text with NUL and lone surrogates as U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def storable(value: Any) -> Any:
    """The value with NUL and lone surrogates as U+FFFD and integers that 64 bits can hold."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if type(value) is int and not -_INT64 <= value < 2 * _INT64:
        return float(value)
    return value
