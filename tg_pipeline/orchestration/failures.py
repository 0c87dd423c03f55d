"""Our errors as Dagster's: what may pass by itself is retried, the rest is told with its remedy."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from tg_pipeline.errors import TgPipelineError, Transient
from tg_pipeline.flows import Progress, Step

RETRIES = dg.RetryPolicy(
    max_retries=3,
    delay=5,  # seconds, then 10 and 20: as long as a database takes to come back
    backoff=dg.Backoff.EXPONENTIAL,
    jitter=dg.Jitter.FULL,
)
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


def logged(context: Any) -> Progress:
    """Progress as log lines, one in ten seconds at most."""
    last = time.monotonic()

    def report(step: Step) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _LOG_EVERY_SECONDS:
            last = now
            context.log.info(f"{step.what}: {step.done:,} of {step.total:,} {step.unit}")

    return report
