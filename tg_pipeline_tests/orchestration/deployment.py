"""An archive and its Dagster as a person has them: a folder, a shell, and commands."""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
import pytest

from tg_pipeline.flows import Archive, open_archive
from tg_pipeline.orchestration.instance import open_instance
from tg_pipeline.orchestration.names import JSONL, MESSAGES, PARQUET, RAW
from tg_pipeline.quality import RULES
from tg_pipeline.settings import load
from tg_pipeline_tests.cli.running import Outcome

BIN = Path(sys.executable).parent
ASSETS = (RAW, MESSAGES, PARQUET, JSONL)
SECONDS = 120


@dataclass(frozen=True)
class Deployment:
    """What was made in a folder by commands alone; the archive's home lies in it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    archive: str = ".tg_pipeline"

    @property
    def home(self) -> Path:
        return self.folder / self.archive

    @property
    def surroundings(self) -> dict[str, str]:
        """Nothing of the person who tests, but their programs."""
        kept = {name: os.environ[name] for name in ("LANG",) if name in os.environ}
        path = f"{BIN}:{os.environ['PATH']}"
        return {**kept, "PATH": path, "HOME": str(self.folder), **self.environment}

    def start(self, command: str) -> "subprocess.Popen[str]":
        """A command in a shell that becomes it, so that its pid is the command's own."""
        return subprocess.Popen(
            ["bash", "-euc", command],
            cwd=self.folder,
            env=self.surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str, seconds: float = SECONDS) -> Outcome:
        process = self.start(command)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Outcome(process.returncode, out, err)

    def succeed(self, command: str, seconds: float = SECONDS) -> Outcome:
        done = self.run(command, seconds)
        assert done.code == 0, f"{command}: {done.code}\n{done.out}\n{done.err}"
        return done

    @contextmanager
    def opened(self) -> Iterator["Opened"]:
        """Archive and instance, looked at from this process."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TG_PIPELINE_HOME", str(self.home))
            patch.setenv("DAGSTER_HOME", str(self.home / "dagster"))
            with open_archive(load().settings) as archive, open_instance() as instance:
                yield Opened(archive, instance)

    def manifest(self) -> list[dict[str, Any]]:
        """The published files."""
        path = self.home / "exports" / "messages" / "_manifest.json"
        files: list[dict[str, Any]] = orjson.loads(path.read_bytes())["files"]
        return files


@dataclass(frozen=True)
class Opened:
    """What is true, and what Dagster knows of it."""

    archive: Archive
    instance: dg.DagsterInstance

    def known(self, where: Collection[str] | None = None) -> dict[str, Any]:
        """Partitions of every asset and the result of every check on them: all, or some."""
        partitions = {
            asset: sorted(
                key
                for key in self.instance.get_materialized_partitions(dg.AssetKey([asset]))
                if where is None or key in where
            )
            for asset in ASSETS
        }
        checks = {
            key: told for key, told in self.checks().items() if where is None or key[1] in where
        }
        return {**partitions, "checks": checks}

    def checks(self) -> dict[tuple[str, str], tuple[str, bool]]:
        """The latest result by check and partition, and whether it is about what is there now."""
        keys = [dg.AssetCheckKey(dg.AssetKey([MESSAGES]), rule.name) for rule in RULES]
        found = self.instance.event_log_storage.get_asset_check_partition_info(keys)
        return {
            (one.check_key.name, str(one.partition_key)): (
                one.latest_execution_status.value,
                one.is_current,
            )
            for one in found
        }

    def runs(self) -> list[dg.DagsterRun]:
        """Oldest first."""
        return list(reversed(self.instance.get_runs()))

    def events(self, run: dg.DagsterRun, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        logs = self.instance.all_logs(run.run_id, of_type=kind)
        return [log.dagster_event for log in logs if log.dagster_event]
