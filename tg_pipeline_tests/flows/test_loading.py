"""A file of more than one batch is loaded by a process beside the one that reads it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest

from tg_pipeline import flows
from tg_pipeline.errors import LoaderLost
from tg_pipeline.flows import Archive, Step
from tg_pipeline.landing import BATCH_MESSAGES
from tg_pipeline_tests import state
from tg_pipeline_tests.flows.conftest import archives
from tg_pipeline_tests.proofs import samples

MESSAGES = BATCH_MESSAGES + 4_000
Tables: TypeAlias = dict[str, Any]
GONE_WITHIN_SECONDS = 30

_IMPORT = """
import sys
from pathlib import Path
from tg_pipeline import flows
from tg_pipeline.settings import Settings

settings = Settings.model_validate_json(sys.argv[1])
with flows.open_archive(settings) as archive:
    for report in flows.import_files(archive, [Path(sys.argv[2])]):
        print(report.outcome)
"""


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six chats, each less than a batch, together more than one."""
    return samples.account_export(tmp_path_factory.mktemp("large") / "result.json", MESSAGES)


def loaders(of: int) -> list[psutil.Process]:
    """The processes that load for a process."""
    found = []
    for one in psutil.Process(of).children():
        with suppress(psutil.ZombieProcess):
            if "tg_pipeline.flows.loader" in one.cmdline():
                found.append(one)
    return found


def imported(archive: Archive, path: Path) -> list[int]:
    """Import in this process; the number of loaders at each step."""
    seen: list[int] = []
    (report,) = flows.import_files(
        archive, [path], progress=lambda _: seen.append(len(loaders(os.getpid())))
    )
    assert report.error is None
    return seen


@pytest.fixture(scope="module")
def undisturbed(
    server_url: str, export: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tables]:
    """What loading beside gives, which is what loading here gives."""
    for new_archive in archives(server_url, tmp_path_factory.mktemp("undisturbed")):
        archive = new_archive()
        assert max(imported(archive, export)) == 1
        assert not loaders(os.getpid())
        beside = state.archived(archive.database)
        flows.rebuild(archive)
        assert state.archived(archive.database) == beside
        yield beside


def test_import_whose_loader_is_killed_says_so_and_is_finished_by_the_next(
    archive: Archive, export: Path, undisturbed: Tables
) -> None:

    def progress(_step: Step) -> None:
        if any(archive.zone.batches(chat) for chat in archive.zone.chats()):
            for one in loaders(os.getpid()):
                one.kill()

    with pytest.raises(LoaderLost, match="killed by signal 9") as caught:
        list(flows.import_files(archive, [export], progress=progress))
    assert caught.value.exit_code == 75
    assert not loaders(os.getpid())
    imported(archive, export)
    assert state.archived(archive.database) == undisturbed


def test_loader_ends_when_the_process_it_loads_for_is_killed(
    archive: Archive, export: Path, undisturbed: Tables
) -> None:
    settings = archive.settings.model_dump_json()
    with subprocess.Popen([sys.executable, "-c", _IMPORT, settings, str(export)]) as importing:
        while not (found := loaders(importing.pid)):
            assert importing.poll() is None
        importing.send_signal(signal.SIGKILL)
    psutil.wait_procs(found, timeout=GONE_WITHIN_SECONDS)
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in found)
    list(flows.import_files(archive, [export]))
    assert state.archived(archive.database) == undisturbed


def test_small_file_needs_no_process(archive: Archive, tmp_path: Path) -> None:
    small = samples.account_export(tmp_path / "result.json", 600)
    assert not any(imported(archive, small))
