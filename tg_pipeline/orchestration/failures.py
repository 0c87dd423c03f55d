"""Our errors as Dagster's: what may pass by itself is retried, the rest is told with its remedy."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from tg_pipeline.errors import PUT_OFF, AccountBusy, TgPipelineError, Transient
from tg_pipeline.flows import Progress, Step

RETRIES = dg.RetryPolicy(
    max_retries=3,
    delay=5,  # seconds, then 10 and 20: as long as a database takes to come back
    backoff=dg.Backoff.EXPONENTIAL,
    jitter=dg.Jitter.FULL,
)
WAITS: Final = 3
"""So often a step waits for Telegram before it says that it has to be run another time."""
LONGEST_WAIT: Final = 3_600
"""Seconds; whoever has to wait for longer need not keep a run open."""
_UNKNOWN_WAIT: Final = 60
_LATER: Final = (AccountBusy, *PUT_OFF)
_LOG_EVERY_SECONDS = 10


@contextmanager
def told() -> Iterator[None]:
    """Let transient errors be retried; end the step at once on all others of ours."""
    try:
        yield
    except Transient:
        raise
    except TgPipelineError as error:
        raise dg.Failure(
            f"{error.message} {error.remedy}",
            metadata={"code": error.code, "remedy": error.remedy},
            allow_retries=False,
        ) from error


@contextmanager
def patient(context: Any) -> Iterator[None]:
    """Let what Telegram puts off be tried again then; end the step where that is too far off."""
    try:
        yield
    except _LATER as error:
        raise _put_off(error, context.retry_number) from error


def _put_off(error: Transient, tries: int) -> dg.RetryRequested | dg.Failure:
    until: datetime | None = getattr(error, "until", None)
    left = _UNKNOWN_WAIT if until is None else (until - datetime.now(UTC)).total_seconds()
    seconds = max(1, math.ceil(left))
    if tries < WAITS and seconds <= LONGEST_WAIT:
        return dg.RetryRequested(max_retries=WAITS, seconds_to_wait=seconds)
    known: dict[str, Any] = {} if until is None else {"until": dg.MetadataValue.timestamp(until)}
    return dg.Failure(
        f"{error.message} {error.remedy} What came before is landed and loaded.",
        metadata={"code": error.code, "remedy": error.remedy, **known},
        allow_retries=False,
    )


def logged(context: Any) -> Progress:
    """Progress as log lines, one in ten seconds at most."""
    last = time.monotonic()

    def report(step: Step) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _LOG_EVERY_SECONDS:
            last = now
            detail = f"; {step.detail}" if step.detail else ""
            context.log.info(f"{step.what}: {step.done:,} of {step.total:,} {step.unit}{detail}")

    return report
