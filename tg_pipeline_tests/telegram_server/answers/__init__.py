"""What the server answers, one function for each method; each module is one subject."""

from tg_pipeline_tests.telegram_server.answers import (
    dialogs,
    history,
    login,
    people,
    qr,
    service,
    takeout,
    topics,
)
from tg_pipeline_tests.telegram_server.answers.registry import Ask, answer

__all__ = [
    "Ask",
    "answer",
    "dialogs",
    "history",
    "login",
    "people",
    "qr",
    "service",
    "takeout",
    "topics",
]
