"""Structured logs: readable on a terminal, one JSON object a line everywhere else.

Events have a name and fields (`landing.batch_written chat=… messages=…`), never sentences.
Secrets are masked here, whatever a caller passes.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog

Format = Literal["auto", "text", "json"]
_URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):\S+@")
_QUERY_PASSWORD = re.compile(r"([?&](?:ssl)?password=)[^&\s]+", re.IGNORECASE)
_SECRET_NAME = re.compile(r"password|secret|token|api_hash|session", re.IGNORECASE)
MASK = "********"


def mask(text: str) -> str:
    """Hide the password of any URL in the text."""
    return _QUERY_PASSWORD.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1:{MASK}@", text))


def configure(*, level: str = "warning", fmt: Format = "auto") -> None:
    """Send log events to standard error, so that output stays clean for pipes."""
    text = sys.stderr.isatty() if fmt == "auto" else fmt == "text"
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
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
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: str, value: object) -> object:
    """A field's value without secrets, at any depth; objects become their text."""
    if _SECRET_NAME.search(name):
        return MASK
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(key): _hidden(str(key), inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_hidden("", inner) for inner in value]
        case _:
            return mask(str(value))


if not structlog.is_configured():
    configure()  # as a library we say nothing below a warning, unless the host has other plans
