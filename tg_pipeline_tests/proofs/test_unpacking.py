"""Unpacking an archive: a kill leaves nothing, a full disk is told, the same command finishes."""

import contextlib
import json
import zipfile
from pathlib import Path

import psutil
import pytest

from tg_pipeline_tests.flows.making import chat, message
from tg_pipeline_tests.proofs.running import FAILED, Home, Running, assert_one_message
from tg_pipeline_tests.proofs.test_disk_full import ROOMY, Disk, disk

__all__ = ["disk"]
MB = 1 << 20


def big_archive(path: Path, size_mb: int) -> Path:
    """A few messages behind much that is passed over; small when packed."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("result.json", "w", force_zip64=True) as member,
    ):
        member.write(b'{"padding": "')
        for _ in range(size_mb):
            member.write(b"padding " * (MB // 8))
        member.write(b'", ' + json.dumps(chat(message(1), message(2))).encode()[1:])
    return path


def unpacks(running: Running) -> bool:
    """Whether a good part is in the temporary file that has no name."""
    with contextlib.suppress(psutil.Error, OSError):
        for entry in Path(f"/proc/{running.pid}/fd").iterdir():
            if str(entry.readlink()).endswith("(deleted)") and entry.stat().st_size > 16 * MB:
                return True
    return False


def files_below(folder: Path) -> list[Path]:
    """Files of the home but those of the database."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in found if "postgres" not in path.relative_to(folder).parts]


def test_a_kill_while_unpacking_leaves_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    archive = big_archive(tmp_path / "chat.zip", 400)
    home.succeed("status")
    before = files_below(home.folder)
    running = home.start("import", archive)
    running.wait_for(lambda: unpacks(running))
    running.process.kill()
    running.wait()
    home.wait_until_quiet()
    assert files_below(home.folder) == before
    assert "2 new" in home.succeed("import", archive).out
    home.wait_until_quiet()


@pytest.mark.parametrize(
    "fits_when_it_begins", [False, pytest.param(True, marks=pytest.mark.prove)]
)
def test_a_disk_that_is_full_while_unpacking(
    disk: Disk, tmp_path: Path, fits_when_it_begins: bool
) -> None:
    home = Home(disk.folder / "home", {"TG_PIPELINE_LANDING": str(tmp_path / "landing")})
    home.succeed("status")
    home.wait_until_quiet()
    size_mb = 800 if fits_when_it_begins else 100
    archive = big_archive(tmp_path / "chat.zip", size_mb)
    if fits_when_it_begins:
        running = home.start("import", archive)
        running.wait_for(lambda: unpacks(running))
        disk.shrink_to(200 * MB)  # room that is gone before the last of the 800
        ended = running.wait()
    else:
        disk.shrink_to(64 * MB)
        ended = home.run("import", archive)
    assert ended.code == FAILED, ended.told
    assert_one_message(ended, "disk.full")
    home.wait_until_quiet()
    disk.resize(ROOMY)
    assert "2 new" in home.succeed("import", archive).out
    home.wait_until_quiet()
