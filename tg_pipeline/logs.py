"""Structured logs: readable on a terminal, one JSON object a line everywhere else.

Events have a name and fields (`landing.batch_written chat=… messages=…`), never sentences.
Secrets are masked here, whatever a caller passes.
"""

import logging
import re
import sys
from typing import Any, Literal

import structlog

Format = Literal["auto", "text", "json"]
_URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]+):([^@/\s]+)@")
_SECRET_NAME = re.compile(r"password|secret|token|api_hash|session", re.IGNORECASE)
MASK = "********"


def mask(text: str) -> str:
    """Hide the password of any URL in the text."""
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text)


def configure(*, level: str = "warning", fmt: Format = "auto") -> None:
    """Send log events to standard error, so that output stays clean for pipes."""
    text = sys.stderr.isatty() if fmt == "auto" else fmt == "text"
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _hide_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> Any:
    """A logger; bind context with `structlog.contextvars.bound_contextvars`."""
    return structlog.get_logger()


def _hide_secrets(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = MASK
        elif isinstance(value, str):
            event[name] = mask(value)
    return event


if not structlog.is_configured():
    configure()  # as a library we say nothing below a warning, unless the host has other plans
