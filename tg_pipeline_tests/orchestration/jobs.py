"""Small jobs in processes of their own: `python -m … KIND SECONDS` runs one and says what it does.

KIND is `marked`, `unmarked` or `apart`, whose steps have processes of their own.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tg_pipeline.orchestration.instance import open_instance
from tg_pipeline.orchestration.runs import mark

POOL = "account"
DURATION = "seconds"


@dg.resource
def marked(context: dg.InitResourceContext) -> None:
    assert context.instance is not None
    assert context.run is not None
    mark(context.instance, context.run.run_id)


@dg.op(pool=POOL, required_resource_keys={"marked"})
def work(context: dg.OpExecutionContext) -> None:
    print(context.run_id, flush=True)
    time.sleep(float(context.run.tags[DURATION]))


def job(resource: dg.ResourceDefinition, executor: dg.ExecutorDefinition) -> dg.JobDefinition:
    @dg.job(resource_defs={"marked": resource}, executor_def=executor)
    def of_one_step() -> None:
        work()

    return of_one_step


def apart() -> dg.JobDefinition:
    return job(marked, dg.multiprocess_executor)


JOBS = {
    "marked": job(marked, dg.in_process_executor),
    "unmarked": job(dg.ResourceDefinition.none_resource(), dg.in_process_executor),
}


@contextmanager
def running(kind: str, seconds: float = 600) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process that is inside the step, and the run's id; killed afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, kind, str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def run(kind: str, instance: dg.DagsterInstance, seconds: float = 0) -> bool:
    """Run a job here; whether it went well."""
    tags = {DURATION: str(seconds)}
    if kind == "apart":
        return dg.execute_job(dg.reconstructable(apart), instance=instance, tags=tags).success
    return JOBS[kind].execute_in_process(instance=instance, tags=tags).success


if __name__ == "__main__":
    with open_instance() as opened:
        run(sys.argv[1], opened, float(sys.argv[2]))
