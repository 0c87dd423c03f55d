"""Every error names what happened and what to do, has a code of its own, and can be pickled."""

import inspect
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline import errors
from tg_pipeline.errors import DataError, Fatal, TgPipelineError, Transient

SAMPLES: dict[object, Any] = {
    Path: Path("x.json"),
    str: "some words",
    int: 7,
    object: "value",
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
}
BRANCHES = (Transient, Fatal, DataError)
EXIT_CODES = {
    errors.EXIT_FAILED,
    errors.EXIT_USAGE,
    errors.EXIT_QUARANTINED,
    errors.EXIT_REFUSED,
    errors.EXIT_TRY_LATER,
}


def family(kind: type[TgPipelineError]) -> Iterator[type[TgPipelineError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from family(below)


ALL = [kind for kind in family(TgPipelineError) if kind.__module__.startswith(errors.__name__)]


def built(kind: type[TgPipelineError]) -> TgPipelineError:
    """An instance, its arguments made up from the annotations."""
    given: dict[str, Any] = {}
    positional: list[Any] = []
    for parameter in inspect.signature(kind).parameters.values():
        options = getattr(parameter.annotation, "__args__", (parameter.annotation,))
        value = next(SAMPLES[option] for option in options if option in SAMPLES)
        if parameter.kind is parameter.KEYWORD_ONLY:
            given[parameter.name] = value
        else:
            positional.append(value)
    return kind(*positional, **given)


def test_codes_are_unique_and_each_class_has_its_own() -> None:
    codes = [kind.__dict__["code"] for kind in ALL]

    assert len(set(codes)) == len(codes) > 30


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_says_what_and_what_to_do(kind: type[TgPipelineError]) -> None:
    error = built(kind)

    assert error.message.strip()
    assert error.remedy.strip()
    assert str(error) == f"{error.message} ({kind.code}). {error.remedy}"
    assert kind.__doc__
    assert kind.exit_code in EXIT_CODES


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_can_be_pickled(kind: type[TgPipelineError]) -> None:
    error = built(kind)
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in (TgPipelineError, *BRANCHES)])
def test_every_error_stands_on_one_branch(kind: type[TgPipelineError]) -> None:
    assert sum(issubclass(kind, branch) for branch in BRANCHES) == 1


def test_only_what_may_pass_by_itself_asks_to_try_later() -> None:
    for kind in ALL:
        assert (kind.exit_code == errors.EXIT_TRY_LATER) == issubclass(kind, Transient)
