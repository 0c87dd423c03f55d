"""Folders that cannot be made are told of with their remedy."""

from pathlib import Path

import pytest

from tg_pipeline.errors import FolderNotWritable
from tg_pipeline.files import make_folder


def test_a_file_system_that_takes_no_folders_is_no_traceback() -> None:
    """Regression: Dagster's home below /proc ended in a traceback."""
    if not Path("/proc/self").is_dir():
        pytest.skip("this system has no /proc")
    with pytest.raises(FolderNotWritable, match="/proc/nowhere"):
        make_folder(Path("/proc/nowhere/dagster"))


def test_a_link_to_nowhere_is_no_traceback(tmp_path: Path) -> None:
    link = tmp_path / "home"
    link.symlink_to(tmp_path / "gone")

    with pytest.raises(FolderNotWritable, match="home"):
        make_folder(link)


def test_a_file_in_the_way_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")

    with pytest.raises(FolderNotWritable, match="home"):
        make_folder(tmp_path / "home")


def test_folders_on_the_way_are_closed_to_others_too(tmp_path: Path) -> None:
    """They had the usual mode, and names in them could be read."""
    make_folder(tmp_path / "home" / "spool" / "main")

    for made in ("home", "home/spool", "home/spool/main"):
        assert (tmp_path / made).stat().st_mode & 0o777 == 0o700
    make_folder(tmp_path / "home" / "spool" / "main")  # it is there already
