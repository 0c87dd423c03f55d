"""What Dagster loads: our own deployment, with settings from the environment."""

import dagster as dg

from tg_pipeline.orchestration.build import build_definitions, expect_warnings
from tg_pipeline.settings import load

expect_warnings()


@dg.definitions
def defs() -> dg.Definitions:
    """The archive that the settings name; its sensors and schedule run."""
    return dg.Definitions.merge(
        build_definitions(load().settings, automation=True),
        # A process for each step would cost seconds where the work takes milliseconds.
        dg.Definitions(executor=dg.in_process_executor),
    )
