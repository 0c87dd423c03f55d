"""Memory does not grow with the chat: 300,000 messages need no more than 10,000."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tg_pipeline_tests.flows.live import SWIFT
from tg_pipeline_tests.proofs.running import SUCCESS, Home, Running
from tg_pipeline_tests.proofs.test_memory import MB, SAMPLE_SECONDS

FEW, MANY = 10_000, 300_000
"""The few make two batches: what a batch needs is needed once, however many there are."""
GROWTH = 1.10


@dataclass(slots=True)
class Peaks:
    """The most resident memory of the command, and of the process that loads for it."""

    command: int = 0
    loader: int = 0

    def sample(self, running: Running) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            command = psutil.Process(running.pid)
            self.command = max(self.command, command.memory_info().rss)
            for child in command.children():
                if "tg_pipeline.flows.loader" in child.cmdline():
                    self.loader = max(self.loader, child.memory_info().rss)


@contextlib.contextmanager
def telegram(messages: int, folder: Path) -> Iterator[dict[str, Any]]:
    """A server with one chat, in a process of its own."""
    words = [sys.executable, "-m", "tg_pipeline_tests.telegram_server"]
    words += ["--messages", str(messages), "--key-file", str(folder / "telegram.pem")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def peaks_of(messages: int, folder: Path) -> Peaks:
    """What a fetch of so many messages needs."""
    folder.mkdir()
    with telegram(messages, folder) as facts:
        home = Home(
            folder / "home",
            {
                "TG_PIPELINE_TELEGRAM_API_ID": str(facts["api_id"]),
                "TG_PIPELINE_TELEGRAM_API_HASH": facts["api_hash"],
                "TG_PIPELINE_TELEGRAM_SESSION": facts["session"],
                "TG_PIPELINE_TELEGRAM_SERVER": facts["server"],
                "TG_PIPELINE_TELEGRAM_SERVER_KEY": facts["key_file"],
                "TG_PIPELINE_TELEGRAM_REQUESTS_PER_SECOND": str(SWIFT),
            },
        )
        (chat,) = facts["chats"]
        home.succeed("chats", "add", str(chat["entity_id"]))
        peaks = Peaks()
        running = home.start("fetch", "--no-export", "--json")
        while running.alive:
            peaks.sample(running)
            time.sleep(SAMPLE_SECONDS)
        ended = running.wait()
        assert ended.code in SUCCESS, ended.told
        assert json.loads(ended.out)["new"] == chat["messages"]
    print(
        f"{chat['messages']:,} messages in {running.lasted:.0f} s: command "
        f"{peaks.command / MB:.0f} MB, loader {peaks.loader / MB:.0f} MB"
    )
    home.wait_until_quiet()
    return peaks


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_thirty_times_the_messages_need_no_more_memory(tmp_path: Path) -> None:
    few, many = (peaks_of(size, tmp_path / str(size)) for size in (FEW, MANY))
    assert many.command < GROWTH * few.command
    assert many.loader < GROWTH * few.loader
