"""Dagster's own commands on a real archive: as the README has them, killed, and after a loss."""

import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from tg_pipeline.orchestration.names import Names
from tg_pipeline.orchestration.sync import sync_all
from tg_pipeline.store.database import Database
from tg_pipeline.store.embedded import acquire
from tg_pipeline.store.load import empty_all
from tg_pipeline_tests import state
from tg_pipeline_tests.exports.rows import execute
from tg_pipeline_tests.flows.making import chat, written
from tg_pipeline_tests.orchestration.deployment import ASSETS, Deployment, Opened
from tg_pipeline_tests.orchestration.pipeline import monthly

README = Path(__file__).parents[2] / "README.md"
CHAT = "-1001700000001"
MONTHS = [f"{CHAT}|2024-{month:02}-01" for month in range(2, 8)]
REFUSED = 4
STEPS = ["raw_messages", "messages", "judge_messages", "publish_messages"]
AT_ONCE_SECONDS = 90
"""For what takes 6 on an idle machine; nine minutes were lost where a dead run was waited for."""
MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A person's folder in which the README's commands have run; tests leave it whole."""
    made = imported(tmp_path_factory.mktemp("person"))
    for command, seconds in timed(made, readme_commands()):
        print(f"{seconds:>6} s  {command}")
    return in_readmes_shell(made)


def imported(folder: Path) -> Deployment:
    """A person's folder with one of the demo's chats in its archive."""
    export = written(folder / "result.json", chat(*monthly(1, 12, per_month=28), id=int(CHAT[4:])))
    made = Deployment(folder, archive=".tg_pipeline/demo")
    made.succeed(f"tg-pipeline import {export} --home {made.home}")
    return made


def in_readmes_shell(made: Deployment) -> Deployment:
    """What it has from `dagster env`."""
    named = {"TG_PIPELINE_HOME": made.home, "DAGSTER_HOME": made.home / "dagster"}
    return replace(made, environment={name: str(value) for name, value in named.items()})


def readme_commands() -> list[str]:
    """The block that tells how to run Dagster without its pages, command by command."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    block: str
    (block,) = [one for one in blocks if "dagster asset materialize" in one]
    return block.replace("\\\n", "").strip().splitlines()


def timed(made: Deployment, commands: list[str]) -> Iterator[tuple[str, str]]:
    """Run commands in one shell; the seconds that each took."""
    script = "\n".join(f"time {command}" for command in commands)
    done = made.succeed(f"TIMEFORMAT='took %R'\n{script}")
    return zip(commands, re.findall(r"^took (\S+)$", done.err, re.MULTILINE), strict=True)


def test_the_readmes_commands_do_what_they_say(deployment: Deployment) -> None:
    with deployment.opened() as opened:
        one, many = opened.runs()[:2]
        rows = per_month(opened)
        for run, months in ((one, MONTHS[5:]), (many, MONTHS)):
            assert run.status is dg.DagsterRunStatus.SUCCESS
            assert told_rows(opened, run) == {
                (asset, month): rows.get(month, 0) for asset in ASSETS for month in months
            }
        assert len([one for one in opened.checks() if one[1] == MONTHS[5]]) == 7
        for asset in ASSETS:
            assert opened.known()[asset] == sorted(rows)

    files = deployment.manifest()
    assert {file["verdict"] for file in files} <= {"passed", "warning"}
    for file_format in ("parquet", "jsonl"):
        found = {
            f"{CHAT}|{one['period']}": one["rows"] for one in files if one["format"] == file_format
        }
        assert found == rows


def per_month(opened: Opened) -> dict[str, int]:
    with opened.archive.database.snapshot() as connection:
        rows = connection.exec_driver_sql(
            "SELECT to_char(date_trunc('month', date AT TIME ZONE 'UTC'), 'YYYY-MM-DD'), count(*)"
            " FROM messages GROUP BY 1"
        ).all()
    return {f"{CHAT}|{month}": count for month, count in rows}


def told_rows(opened: Opened, run: dg.DagsterRun) -> dict[tuple[str, str], object]:
    """Rows by asset and partition as the run's materializations tell them."""
    events = [
        one.step_materialization_data.materialization for one in opened.events(run, MATERIALIZATION)
    ]
    return {
        (event.asset_key.path[-1], str(event.partition)): event.metadata[
            "dagster/partition_row_count"
        ].value
        for event in events
    }


# ---- kill -9 --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extent:
    """How often to kill at each of these steps."""

    steps: list[str]
    times: int


EXTENTS = [
    pytest.param(Extent(["messages"], 1), id="short"),
    pytest.param(Extent(STEPS, 5), id="long", marks=[pytest.mark.prove, pytest.mark.timeout(3600)]),
]


@pytest.mark.parametrize("extent", EXTENTS)
def test_a_killed_run_is_reported_and_the_same_command_again_ends_right(
    deployment: Deployment, extent: Extent
) -> None:
    command = whole_history(deployment)
    deployment.succeed(command)
    expected = held(deployment)

    for step in extent.steps * extent.times:
        forget_all_but_landing(deployment)
        killed = kill_in(step, deployment.start(command))
        began = time.monotonic()
        deployment.succeed(command)
        lasted = time.monotonic() - began

        print(f"killed in {step}: the same again took {lasted:.1f} s")
        assert lasted < AT_ONCE_SECONDS
        state.assert_same(held(deployment), expected)
        with deployment.opened() as opened:
            *_, before, after = opened.runs()
            assert (before.run_id, before.status) == (killed, dg.DagsterRunStatus.FAILURE)
            assert after.status is dg.DagsterRunStatus.SUCCESS
            synced = sync_all(opened.instance, opened.archive, Names(), lambda _: None)
        assert (synced.materializations, synced.results) == (0, 0)


def whole_history(deployment: Deployment) -> str:
    with deployment.opened() as opened:
        months = sorted(per_month(opened))
    return (
        "exec dagster asset materialize -m tg_pipeline.definitions --select '*' "
        f"--partition-range '{months[0]}...{months[-1]}'"
    )


def held(deployment: Deployment) -> dict[str, Any]:
    """What tables, files and Dagster have."""
    with deployment.opened() as opened:
        return {
            **state.contents(opened.archive.database),
            "published": state.published(deployment.home / "exports"),
            **{f"Dagster's {name}": told for name, told in opened.known().items()},
        }


def forget_all_but_landing(deployment: Deployment) -> None:
    """So that every step of a run has work to do."""
    with deployment.opened() as opened:
        empty_all(opened.archive.database)
        execute(opened.archive.database, "TRUNCATE exports")
    shutil.rmtree(deployment.home / "exports")


def kill_in(step: str, process: "subprocess.Popen[str]") -> str:
    """Kill -9 as soon as the step has started, or a moment later; the id of the run."""
    with process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if f" - {step} - STEP_START" in line:
                time.sleep(random.uniform(0, 0.05))
                process.kill()
                break
    assert process.returncode == -9, "".join(lines)
    return line.split(" - ")[4]


# ---- a lost instance ------------------------------------------------------------------------


def test_a_lost_instance_is_rebuilt_as_it_was(tmp_path: Path) -> None:
    deployment = in_readmes_shell(imported(tmp_path))
    deployment.succeed("tg-pipeline dagster sync")
    deployment.succeed(whole_history(deployment))
    with deployment.opened() as opened:
        damage(opened.archive.database, "2024-02-01")
    assert deployment.run("tg-pipeline check").code == REFUSED
    deployment.succeed("tg-pipeline dagster sync")
    with deployment.opened() as opened:
        before = opened.known(where=per_month(opened))
    assert before["checks"]["reproducible_content_hash", MONTHS[0]] == ("FAILED", True)

    server = acquire(deployment.home / "postgres")
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE dagster WITH (FORCE)")
        connection.execute("CREATE DATABASE dagster OWNER tg_pipeline")
    deployment.succeed("tg-pipeline dagster sync")
    server.close()

    with deployment.opened() as opened:
        assert opened.known() == before  # empty months that a run went over are not told again
        assert opened.runs() == []


def damage(database: Database, month: str) -> None:
    """Change what is held of a month behind everybody's back, and count it as if it were right."""
    execute(
        database,
        "UPDATE messages SET text = 'changed'"
        f" WHERE date_trunc('month', date AT TIME ZONE 'UTC') = '{month}'",
    )
    execute(database, f"UPDATE chat_days SET digest = 1 WHERE date_trunc('month', day) = '{month}'")
