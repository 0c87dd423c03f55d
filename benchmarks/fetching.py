"""Fetching beside the bare client, both from a Telegram on loopback in a process of its own.

The bare client stores nothing; ours converts, lands and loads into PostgreSQL. Without delay the
processor is the limit, with answers after 40 ms, which is a good connection, the waiting is.
"""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.stage import Stage, Told, Watch
from tg_pipeline import flows
from tg_pipeline.contracts import ChatType
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram.client import connected

SERVERS: Final = {"at_once": (120_000, 0), "after_40_ms": (50_000, 40)}
"""Messages of the one chat, and milliseconds until an answer."""


@contextmanager
def telegrams(stage: Stage) -> Iterator[None]:
    """Servers for all contestants, each in a process of its own."""
    processes = [_serve(stage, name, *facts) for name, facts in SERVERS.items()]
    try:
        for name, process in zip(SERVERS, processes, strict=True):
            if process.stdout is not None:  # it says one line when it is ready
                _facts(stage, name).write_text(process.stdout.readline(), "utf-8")
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _serve(stage: Stage, name: str, messages: int, milliseconds: int) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "tg_pipeline_tests.telegram_server"]
    words += ["--chats", "1", "--messages", str(messages), "--latency-ms", str(milliseconds)]
    words += ["--key-file", str(stage.folder / f"{name}.pem")]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words


def _facts(stage: Stage, name: str) -> Path:
    return stage.folder / f"telegram_{name}.json"


def _settings(stage: Stage, name: str) -> Settings:
    facts: dict[str, Any] = json.loads(_facts(stage, name).read_text("utf-8"))
    return stage.fresh.model_copy(
        update={
            "telegram_api_id": facts["api_id"],
            "telegram_api_hash": facts["api_hash"],
            "telegram_session": facts["session"],
            "telegram_server": facts["server"],
            "telegram_server_key": Path(facts["key_file"]),
            "telegram_requests_per_second": 100_000.0,
            "chats_file": stage.folder / f"chats_{stage.turn}.yaml",
        }
    )


def _bare(stage: Stage, name: str) -> Told:
    settings = _settings(stage, name)
    watch = Watch()

    async def read() -> int:
        async with connected(settings, "main", settings.telegram_session) as client:
            (dialog,) = await client.get_dialogs()
            with watch.running():
                return sum([1 async for _ in client.iter_messages(dialog.entity, wait_time=0)])

    return Told(items=asyncio.run(read()), seconds=watch.seconds)


def _ours(stage: Stage, name: str) -> Told:
    watch = Watch()
    with flows.open_archive(_settings(stage, name)) as archive:
        flows.discover_chats(archive, add=[ChatType.SUPERGROUP])
        with watch.running():
            report = flows.fetch_chats(archive)
    return Told(watch.seconds, report.counts.new)


def bare_at_once(stage: Stage) -> Told:
    """Telethon's `iter_messages(wait_time=0)`, storing nothing: the limit."""
    return _bare(stage, "at_once")


def ours_at_once(stage: Stage) -> Told:
    """`fetch_chats`: connect, plan, fetch, convert, land, load."""
    return _ours(stage, "at_once")


def bare_after_40_ms(stage: Stage) -> Told:
    """The bare client, each answer 40 ms later."""
    return _bare(stage, "after_40_ms")


def ours_after_40_ms(stage: Stage) -> Told:
    """`fetch_chats`, each answer 40 ms later."""
    return _ours(stage, "after_40_ms")


CONTESTANTS: Final[dict[str, Callable[[Stage], Told]]] = {
    one.__name__: one for one in (bare_at_once, ours_at_once, bare_after_40_ms, ours_after_40_ms)
}
