"""Memory does not grow with the file: the importing process and the watchdog stay small."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.proofs.running import SUCCESS, Home, Running

LIMIT_MB = 400
MB = 1 << 20
SAMPLE_SECONDS = 0.1
LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
SIZES = [pytest.param(25 * MB, id="25MB"), pytest.param(1024 * MB, id="1GB", marks=LONG)]


@dataclass(slots=True)
class Peak:
    """The most resident memory of our Python processes together, sampled from outside."""

    bytes: int = 0

    def sample(self, running: Running, home: Home) -> None:
        if self._watchdog is None:
            self._watchdog = _watchdog(home)
        found = []
        if running.alive:  # it, and the process that loads for it
            command = psutil.Process(running.pid)
            found = [command, *(one for one in command.children() if _loads(one))]
        total = 0
        for process in [*found, *([self._watchdog] if self._watchdog else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        self.bytes = max(self.bytes, total)

    _watchdog: psutil.Process | None = None


def _loads(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "tg_pipeline.flows.loader" in process.cmdline()
    return False


def _watchdog(home: Home) -> psutil.Process | None:
    postmaster = home.postmaster()
    return postmaster.parent() if postmaster is not None else None


@pytest.mark.parametrize("size_bytes", SIZES)
def test_import_of_a_large_file_stays_below_400_mb(size_bytes: int, tmp_path: Path) -> None:
    file = samples.big_export(tmp_path / "result.json", size_bytes)
    home = Home(tmp_path / "home")
    home.succeed("status")
    peak = Peak()
    running = home.start("import", file, "--quiet")
    while running.alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            peak.sample(running, home)
        running.sleep_until(time.monotonic() - running.began + SAMPLE_SECONDS)
    ended = running.wait()
    assert ended.code in SUCCESS, ended.told
    messages = int(ended.out.partition("imported: ")[2].partition(" read")[0].replace(",", ""))
    print(
        f"{file.stat().st_size / MB:.0f} MB, {messages:,} records in {running.lasted:.1f} s: "
        f"{messages / running.lasted:,.0f} a second, peak {peak.bytes / MB:.0f} MB"
    )
    assert peak.bytes < LIMIT_MB * MB
    home.wait_until_quiet()
