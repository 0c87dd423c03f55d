"""`tg-pipeline dev` at work, and what its pages show: asked for as the pages ask for it."""

import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from tg_pipeline_tests.orchestration.deployment import Deployment
from tg_pipeline_tests.orchestration.test_dev import (
    END_SECONDS,
    MARK,
    START_SECONDS,
    answers,
    free_port,
    processes,
    until,
)

_PARTITIONS = """
query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetPartitionStatuses { ... on MultiPartitionStatuses { ranges {
    primaryDimStartKey primaryDimEndKey
    secondaryDim { ... on DefaultPartitionStatuses { materializedPartitions } } } } } } } }
"""
_CHECK = """
query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name
    partitionStatuses { ... on AssetCheckMultiPartitionStatuses { ranges {
      primaryDimStartKey primaryDimEndKey
      secondaryDim { ... on AssetCheckDefaultPartitionStatuses {
        succeededPartitions failedPartitions } } } } } } } } } } }
"""
_RUNS = "{ runsOrError { ... on Runs { results { jobName status } } } }"


@dataclass(frozen=True)
class Pages:
    """The web server of one deployment."""

    process: "subprocess.Popen[str]"
    url: str

    def ask(self, query: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=orjson.dumps({"query": query, "variables": variables}),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = orjson.loads(answer.read())
        assert "errors" not in told, told
        return told["data"]

    def partitions(self, asset: str) -> set[str]:
        """Partitions that are shown as materialized."""
        found = self.ask(_PARTITIONS, key={"path": [asset]})["assetNodeOrError"]
        return _keys(found["assetPartitionStatuses"], "materializedPartitions")

    def checks(self, outcome: str) -> set[tuple[str, str]]:
        """Checks and partitions shown as `failed` or `succeeded`."""
        found = self.ask(_CHECK, key={"path": ["messages"]})["assetNodeOrError"]
        return {
            (check["name"], key)
            for check in found["assetChecksOrError"]["checks"]
            for key in _keys(check["partitionStatuses"], f"{outcome}Partitions")
        }

    def runs(self) -> list[tuple[str, str]]:
        """Job and status of each run, newest first."""
        runs = self.ask(_RUNS)["runsOrError"]["results"]
        return [(run["jobName"], run["status"]) for run in runs]

    def until(self, true: Callable[[], object], seconds: float) -> float:
        """Wait for something while it serves; how long it took."""
        began = time.monotonic()
        until(lambda: true() or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, self.process.communicate()
        return time.monotonic() - began


def _keys(statuses: Any, kind: str) -> set[str]:
    return {
        f"{chat}|{month}"
        for stretch in statuses["ranges"]
        for month in _months(stretch["primaryDimStartKey"], stretch["primaryDimEndKey"])
        for chat in stretch["secondaryDim"][kind]
    }


def _months(first: str, last: str) -> Iterator[str]:
    month = date.fromisoformat(first)
    while month <= date.fromisoformat(last):
        yield f"{month}"
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


@contextmanager
def serving(deployment: Deployment) -> Iterator[Pages]:
    """`tg-pipeline dev` on a free port, once it answers; nothing of it is left afterwards."""
    port = free_port()
    mark = str(deployment.folder)  # whole: other workers have folders of this name
    deployment.environment[MARK] = mark
    process = deployment.start(f"exec tg-pipeline dev --port {port}")
    try:
        until(lambda: answers(port) or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, process.communicate()
        yield Pages(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.communicate(timeout=END_SECONDS)
        for left in processes(mark):
            left.kill()
