"""In somebody else's deployment: two archives, their assets, their storage and executor."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tg_pipeline.flows import open_archive
from tg_pipeline.orchestration.names import Names
from tg_pipeline.settings import Settings
from tg_pipeline_tests.flows.making import chat, written
from tg_pipeline_tests.orchestration.deployment import Deployment
from tg_pipeline_tests.orchestration.pipeline import monthly

DOCS = Path(__file__).parents[2] / "docs" / "embed.md"
FAMILY, WORK = (f"-10000000000{number}" for number in (77, 78))
JANUARY, FEBRUARY = "2024-01-01", "2024-02-01"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A folder with the code of docs/embed.md and a Dagster home of its own."""
    folder = tmp_path_factory.mktemp("foreign")
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "theirs.py").write_text(code.replace("/srv/telegram", str(folder / "archives")))
    written(folder / "dagster" / "dagster.yaml", b"telemetry: {enabled: false}\n")
    named = {"DAGSTER_HOME": folder / "dagster", "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": 1}
    return Deployment(folder, {name: str(value) for name, value in named.items()})


@pytest.fixture
def instance(foreign: Deployment) -> Iterator[dg.DagsterInstance]:
    """Theirs, on SQLite; it knows the chats of both archives from the sensors."""
    with dg.DagsterInstance.from_config(foreign.environment["DAGSTER_HOME"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def filled(foreign: Deployment) -> Deployment:
    """A chat in each archive, two months of it imported, judged and published."""
    for name, number in (("family", 77), ("work", 78)):
        file = written(foreign.folder / f"{name}.json", chat(*monthly(1, 2), id=number))
        foreign.succeed(f"tg-pipeline import {file} --home {foreign.folder}/archives/{name}")
    return foreign


def test_loading_it_touches_nothing(foreign: Deployment) -> None:
    before = sorted(foreign.folder.rglob("*"))

    foreign.succeed("python -W error -c 'import theirs'")

    assert sorted(foreign.folder.rglob("*")) == before


def test_dagster_finds_it_valid(foreign: Deployment) -> None:
    done = foreign.succeed("dagster definitions validate -m theirs")

    assert "All code locations passed validation" in done.err + done.out


def test_its_sensors_tell_of_two_archives_apart(
    filled: Deployment, instance: dg.DagsterInstance
) -> None:
    for name in ("family", "work"):
        tick(filled, instance, name)

    assert instance.get_dynamic_partitions("family_chats") == [FAMILY]
    assert instance.get_dynamic_partitions("work_chats") == [WORK]
    for name, key in (("family", FAMILY), ("work", WORK)):
        for asset in ("raw_messages", "messages", "messages_parquet", "messages_jsonl"):
            found = instance.get_materialized_partitions(dg.AssetKey([name, asset]))
            assert found == {f"{key}|{JANUARY}", f"{key}|{FEBRUARY}"}
    assert "recorded 0 materializations and 0 results" in tick(filled, instance, "family")


def test_both_materialize_a_partition(filled: Deployment, instance: dg.DagsterInstance) -> None:
    for name in ("family", "work"):
        tick(filled, instance, name)

    filled.succeed(  # by their executor: each step in a process of its own
        "dagster asset materialize -m theirs --select 'key:\"family/messages\"' "
        f"--partition '{FAMILY}|{FEBRUARY}'"
    )
    job = definitions(filled).resolve_implicit_global_asset_job_def()
    done = job.execute_in_process(
        instance=instance,
        partition_key=f"{WORK}|{FEBRUARY}",
        asset_selection=[
            dg.AssetKey(["work", "messages"]),
            dg.AssetKey(["work", "messages_jsonl"]),
        ],
    )

    assert done.success
    runs = instance.get_runs()
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert [run.tags["tg_pipeline/chat"] for run in runs] == [WORK, FAMILY]
    for name, key in (("family", FAMILY), ("work", WORK)):
        assert checked(instance, name) >= {f"{key}|{FEBRUARY}"}


def definitions(foreign: Deployment) -> dg.Definitions:
    spec = importlib.util.spec_from_file_location("theirs", foreign.folder / "theirs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dg.Definitions = module.defs
    return found


def tick(foreign: Deployment, instance: dg.DagsterInstance, name: str) -> str:
    """What the sensor that syncs one of the archives says."""
    names = Names((name,))
    sensor: Any = definitions(foreign).resolve_sensor_def(names.unique("sync"))
    with open_archive(Settings(home=foreign.folder / "archives" / name)) as archive:
        context = dg.build_sensor_context(instance=instance, resources={names.archive: archive})
        return str(sensor.evaluate_tick(context).skip_message)


def checked(instance: dg.DagsterInstance, name: str) -> set[str]:
    """Partitions on which a check has succeeded."""
    check = dg.AssetCheckKey(dg.AssetKey([name, "messages"]), "unique_keys")
    found = instance.event_log_storage.get_asset_check_partition_info([check])
    return {
        str(one.partition_key) for one in found if one.latest_execution_status.value == "SUCCEEDED"
    }
