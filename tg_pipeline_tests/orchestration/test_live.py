"""`tg-pipeline dev` with its real daemon: what is dropped gets in, what is bad stays in."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tg_pipeline_tests.flows.making import chat, written
from tg_pipeline_tests.orchestration.deployment import Deployment
from tg_pipeline_tests.orchestration.pages import serving
from tg_pipeline_tests.orchestration.pipeline import at, monthly
from tg_pipeline_tests.orchestration.test_dev import END_SECONDS, processes, until

GOOD, BAD, ALONE = (f"-100000000007{number}" for number in (7, 8, 9))
JANUARY, FEBRUARY, MARCH = (f"2024-0{month}-01" for month in (1, 2, 3))
FAR = datetime(2099, 2, 1, tzinfo=UTC)
EDITED_IN_2099 = {
    "edited": f"{FAR:%Y-%m-%dT%H:%M:%S}",
    "edited_unixtime": str(int(FAR.timestamp())),
}
TAKEN_IN_SECONDS = 90
SHOWN_SECONDS = 60


@pytest.mark.timeout(300)
def test_what_is_dropped_and_what_the_command_line_does_is_shown(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path / "person")
    inbox = deployment.home / "inbox"
    written(inbox / "good.json", chat(*monthly(1, 2), id=77))
    messages = monthly(1, 3)
    messages[4] |= EDITED_IN_2099
    written(inbox / "bad.json", chat(*messages, at(FAR, 60), id=78))
    alone = written(deployment.folder / "alone.json", chat(*monthly(1, 1), id=79))

    with serving(deployment) as pages:
        assert deployment.run(f"tg-pipeline import {alone}").code == 0
        seconds = pages.until(
            lambda: f"{ALONE}|{JANUARY}" in pages.partitions("messages"), SHOWN_SECONDS
        )
        print(f"shown {seconds:.0f} s after it was imported elsewhere")
        seconds = pages.until(lambda: dropped(inbox) == [], TAKEN_IN_SECONDS)
        print(f"the inbox is empty {seconds:.0f} s later")
        everywhere = {f"{GOOD}|{JANUARY}", f"{GOOD}|{FEBRUARY}", f"{ALONE}|{JANUARY}"}
        everywhere |= {f"{BAD}|{JANUARY}", f"{BAD}|{MARCH}"}
        seconds = pages.until(
            lambda: pages.partitions("messages_jsonl") == everywhere, SHOWN_SECONDS
        )
        print(f"shown {seconds:.0f} s later")

        closed = f"{BAD}|{FEBRUARY}"
        assert pages.partitions("messages_parquet") == everywhere
        assert pages.partitions("messages") == pages.partitions("raw_messages")
        assert pages.partitions("messages") == {*everywhere, closed}
        assert pages.checks("failed") == {("plausible_dates", closed)}
        assert len(pages.checks("succeeded")) == 7 * 6 - 1
        assert pages.runs() == [("import_inbox", "FAILURE")]

        pages.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert pages.process.wait(END_SECONDS) == 0
        until(lambda: not processes(str(deployment.folder)), END_SECONDS)
        print(f"ended within {time.monotonic() - began:.0f} s")

    assert sorted(path.name for path in inbox.glob("imported/*/*")) == ["bad.json", "good.json"]
    published = {f"{one['chat']}|{one['period']}" for one in deployment.manifest()}
    assert published == everywhere
    assert not (deployment.home / "postgres" / "data" / "postmaster.pid").exists()


def dropped(inbox: Path) -> list[Path]:
    return list(inbox.glob("*.json"))
