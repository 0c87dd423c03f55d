"""A full disk: one message with a remedy; with room again, the same command finishes."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.errors import DiskFull
from tg_pipeline.settings import Settings
from tg_pipeline.store.database import open_database
from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.proofs.running import FAILED, Home, assert_one_message, kill
from tg_pipeline_tests.state import assert_same

ROOMY = "2g"
LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
EXTENTS = [pytest.param(4_500, id="short"), pytest.param(60_000, id="long", marks=LONG)]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    messages: int
    file: Path
    state: dict[str, Any]


@pytest.fixture(scope="module", params=EXTENTS)
def undisturbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    """An export and what its import makes of an archive."""
    place = tmp_path_factory.mktemp("undisturbed")
    file = samples.account_export(place / "result.json", request.param)
    home = Home(place / "home")
    home.succeed("import", file)
    return Undisturbed(request.param, file, home.state())


class Disk:
    """A file system of a size of our choice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, size: str | int) -> None:
        _mount("-o", f"remount,size={size}", str(self.folder))

    def shrink_to(self, free_bytes: int) -> None:
        """Leave so much room."""
        self.resize(shutil.disk_usage(self.folder).used + free_bytes)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A tmpfs, where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o755)
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a small disk")
    try:
        _mount("-t", "tmpfs", "-o", f"size={ROOMY}", "tg_pipeline_test", str(folder))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"a small disk cannot be mounted here: {error.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True)


def test_disk_full_while_landing(undisturbed: Undisturbed, disk: Disk, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", {"TG_PIPELINE_LANDING": str(disk.folder / "landing")})
    disk.resize(undisturbed.messages * 60)
    _fails_then_finishes(home, undisturbed, disk)


def test_disk_full_in_the_database(undisturbed: Undisturbed, disk: Disk, tmp_path: Path) -> None:
    """What is short is room for tables and WAL; landing is elsewhere."""
    home = Home(disk.folder / "home", {"TG_PIPELINE_LANDING": str(tmp_path / "landing")})
    home.succeed("status")
    home.wait_until_quiet()
    disk.shrink_to(40 << 20 if undisturbed.messages > 10_000 else 4 << 20)
    _fails_then_finishes(home, undisturbed, disk)


def test_disk_too_small_for_a_new_database(
    undisturbed: Undisturbed, disk: Disk, tmp_path: Path
) -> None:
    home = Home(disk.folder / "home", {"TG_PIPELINE_LANDING": str(tmp_path / "landing")})
    disk.resize("20m")
    _fails_then_finishes(home, undisturbed, disk)


def test_server_lost_on_a_full_disk_is_told_as_a_full_disk(disk: Disk) -> None:
    """PostgreSQL's WAL writer panics for all: the others only hear that the server crashed."""
    home = Home(disk.folder / "home")
    with open_database(Settings(home=home.folder)) as database:
        disk.shrink_to(1 << 20)
        postmaster = home.postmaster()
        assert postmaster is not None
        kill([postmaster])
        postmaster.wait(10)
        with pytest.raises(DiskFull) as told, database.transaction() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(5)")
        assert "Free some space" in told.value.remedy
    home.wait_until_quiet()


def _fails_then_finishes(home: Home, undisturbed: Undisturbed, disk: Disk) -> None:
    for _ in range(2):  # again without room: the same answer, nothing worse
        ended = home.run("import", undisturbed.file)
        assert ended.code == FAILED, ended.told
        assert_one_message(ended, "disk.full")
        assert "Free some space" in ended.err
        home.wait_until_quiet()
    assert not list(home.landing.rglob("*.tmp"))
    disk.resize(ROOMY)
    home.succeed("import", undisturbed.file)
    assert_same(home.state(), undisturbed.state)
    home.wait_until_quiet()
