"""Logs are JSON where nobody reads along, and hold no secrets whatever a caller passes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline import logs

URL = "postgresql://ada:s3cr3t@db.example/archive"
Logged = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Logged:
    """Log one event and give what was written, as JSON."""

    def logging(method: str, name: str, **fields: object) -> list[dict[str, Any]]:
        logs.configure(level="info")
        getattr(logs.get_logger(), method)(name, **fields)
        captured = capsys.readouterr()
        assert captured.out == "", "standard output belongs to results"
        return [json.loads(line) for line in captured.err.splitlines()]

    return logging


def test_one_json_object_a_line_when_not_on_a_terminal(logged: Logged) -> None:
    written = {"chat": "-100", "messages": 3, "folder": Path("a/b")}

    (event,) = logged("info", "landing.batch_written", **written)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "landing.batch_written",
        "level": "info",
        "chat": "-100",
        "messages": 3,
        "folder": "a/b",
    }


def test_text_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(fmt="text")
    logs.get_logger().warning("store.slow", seconds=3)

    text = capsys.readouterr().err
    assert "store.slow" in text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


def test_below_the_level_nothing_is_written(logged: Logged) -> None:
    assert logged("debug", "not.wanted") == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (URL, "postgresql://ada:********@db.example/archive"),
        ("postgresql://:s3cr3t@db.example", "postgresql://:********@db.example"),
        ("postgresql://ada:s3@cr3t@db.example", "postgresql://ada:********@db.example"),
        ("postgresql://ada:s3/cr3t@db.example", "postgresql://ada:********@db.example"),
        (
            "postgresql://ada@db/x?password=s3cr3t&a=1",
            "postgresql://ada@db/x?password=********&a=1",
        ),
        ("no answer at redis://:s3cr3t@h:6379 yet", "no answer at redis://:********@h:6379 yet"),
        ("postgresql://db.example:5432/archive", "postgresql://db.example:5432/archive"),
        (
            "https://example.org/a:b mail ada@example.org",
            "https://example.org/a:b mail ada@example.org",
        ),
    ],
)
def test_passwords_in_urls_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert logs.mask(text) == masked


@pytest.mark.parametrize(
    "name", ["password", "api_hash", "bot_token", "session", "client_secret", "PASSWORD"]
)
def test_fields_with_secret_names_are_masked(logged: Logged, name: str) -> None:
    (event,) = logged("warning", "x", **{name: "s3cr3t", "nested": {name: ["s3cr3t"]}})

    assert event[name] == event["nested"][name] == logs.MASK


@pytest.mark.parametrize(
    "value", [URL, [URL], {"at": {"url": URL}}, (URL,), ConnectionError(f"cannot reach {URL}")]
)
def test_urls_are_masked_at_any_depth(logged: Logged, value: object) -> None:
    assert "s3cr3t" not in json.dumps(logged("warning", "x", value=value))


@pytest.mark.parametrize("fmt", ["json", "text"])
def test_tracebacks_are_masked(capsys: pytest.CaptureFixture[str], fmt: logs.Format) -> None:
    logs.configure(fmt=fmt)
    try:
        raise ConnectionError(f"cannot reach {URL}")  # noqa: TRY301 - for its traceback
    except ConnectionError:
        logs.get_logger().exception("store.failed")

    text = capsys.readouterr().err
    assert "cannot reach" in text
    assert "s3cr3t@" not in text
