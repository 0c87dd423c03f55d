"""What Dagster loads: the graph as it is on purpose, and nothing opened on the way."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg

from tg_pipeline.orchestration import build_definitions
from tg_pipeline.settings import Settings

ROOT = Path(__file__).parents[2]
GRAPH = Path(__file__).with_name("graph.json")
BUILD = """
import os, sys
from pathlib import Path
from tg_pipeline.settings import Settings
from tg_pipeline.orchestration import build_definitions

settings = Settings(home=Path("nowhere"), database_url="postgresql://nobody@127.0.0.1:1/none")
build_definitions(settings).get_repository_def()
print(sorted(os.listdir()))
"""


def graph(definitions: dg.Definitions) -> Any:
    """What people see of the definitions and rely on: keys, dependencies, policies, names."""
    repository = definitions.get_repository_def()
    assets = {
        spec.key.to_user_string(): {
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "group": spec.group_name,
            "kinds": sorted(spec.kinds),
            "owners": list(spec.owners),
            "tags": {
                name: value for name, value in spec.tags.items() if not name.startswith("dagster/")
            },
            "described": bool(spec.description),
            "columns": len(spec.metadata["dagster/column_schema"].columns),
            "partitions": str(type(spec.partitions_def).__name__),
        }
        for spec in definitions.resolve_all_asset_specs()
    }
    checks = {
        check.name: {"on": check.asset_key.to_user_string(), "blocking": check.blocking}
        for checked in definitions.asset_checks or ()
        for check in getattr(checked, "check_specs", ())
    }
    return {
        "assets": assets,
        "checks": checks,
        "jobs": sorted(name for name in repository.job_names if not name.startswith("__")),
        "sensors": {one.name: one.default_status.value for one in repository.sensor_defs},
        "schedules": {
            one.name: [str(one.cron_schedule), one.default_status.value]
            for one in repository.schedule_defs
        },
        "resources": sorted(definitions.resources or {}),
    }


def test_the_graph_changes_only_on_purpose() -> None:
    """After a change on purpose: write `graph.json` anew from what the failure shows."""
    found = graph(build_definitions(Settings()))

    assert found == json.loads(GRAPH.read_text("utf-8")), json.dumps(found, indent=1)


def test_nothing_is_opened_or_read_when_definitions_are_built(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (0, "[]\n"), run.stderr


def test_building_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_definitions(Settings())


def test_names_are_all_prefixed(tmp_path: Path) -> None:
    one = build_definitions(Settings(home=tmp_path / "a"), key_prefix=["a"], partitions_name="a")
    other = build_definitions(Settings(home=tmp_path / "b"), key_prefix=["b"], partitions_name="b")

    merged = dg.Definitions.merge(one, other)

    dg.Definitions.validate_loadable(merged)
    keys = {key.to_user_string() for key in merged.resolve_asset_graph().get_all_asset_keys()}
    assert {"a/messages", "b/messages"} <= keys
    assert len(keys) == 8


def test_the_grain_of_partitions_is_a_setting() -> None:
    daily = build_definitions(Settings(period="day")).resolve_asset_graph()

    (definition,) = {daily.get(key).partitions_def for key in daily.get_all_asset_keys()}
    assert isinstance(definition, dg.MultiPartitionsDefinition)
    periods = {one.name: one.partitions_def for one in definition.partitions_defs}["date"]
    assert isinstance(periods, dg.DailyPartitionsDefinition)


def test_a_secret_is_in_no_definition(tmp_path: Path) -> None:
    url = "postgresql://ada:s3cr3t@127.0.0.1:1/none"
    repository = build_definitions(Settings(database_url=url)).get_repository_def()

    told = json.dumps(
        [
            str(resource.config_schema.as_field().default_provided)
            for resource in repository.get_top_level_resources().values()
        ]
    )
    assert "s3cr3t" not in told


def test_definitions_are_valid_for_dagster(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("dagster")
    run = subprocess.run(
        [command, "definitions", "validate"],
        cwd=ROOT,
        env={**os.environ, "TG_PIPELINE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    shown = [line for line in run.stderr.splitlines() if "Warning" in line]
    assert all("SupersessionWarning" in line for line in shown), shown
