"""What runs by itself: the inbox, and publishing what has changed."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tg_pipeline import flows
from tg_pipeline.flows import inbox
from tg_pipeline_tests.flows.making import Json, chat, written
from tg_pipeline_tests.orchestration.pipeline import NAMES, Pipeline, at, failures, monthly

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
FUTURE = datetime(2090, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries count as settled at once: tests have no ten seconds."""
    monkeypatch.setattr(inbox, "SETTLED_SECONDS", 0)


def drop(pipeline: Pipeline, name: str, *messages: Json) -> Path:
    return written(pipeline.archive.settings.inbox_folder / name, chat(*messages))


def tick(pipeline: Pipeline, name: str) -> Any:
    """Evaluate a sensor as the daemon does."""
    context = dg.build_sensor_context(
        instance=pipeline.instance, resources={NAMES.archive: pipeline.archive}
    )
    return pipeline.repository.get_sensor_def(name).evaluate_tick(context)


def take_in(pipeline: Pipeline) -> dg.ExecuteInProcessResult:
    job = pipeline.repository.get_job("import_inbox")
    return job.execute_in_process(instance=pipeline.instance, raise_on_error=False)


def test_an_empty_inbox_asks_for_nothing(pipeline: Pipeline) -> None:
    data = tick(pipeline, "inbox")

    assert data.run_requests == []
    assert "nothing waits in" in data.skip_message


@pytest.mark.usefixtures("settled")
def test_a_dropped_file_is_asked_for_once_and_again_when_it_is_dropped_again(
    pipeline: Pipeline,
) -> None:
    path = drop(pipeline, "export.json", at(NOON, 1))

    def key() -> str:
        (wanted,) = tick(pipeline, "inbox").run_requests
        return str(wanted.run_key)

    first = key()
    assert key() == first
    time.sleep(0.01)
    path.rename(path.with_name("aside"))
    path.with_name("aside").rename(path)
    assert key() != first


@pytest.mark.usefixtures("settled")
def test_a_dropped_file_is_imported_judged_and_published(pipeline: Pipeline) -> None:
    drop(pipeline, "export.json", *monthly(1, 2))

    result = take_in(pipeline)

    assert result.success
    assert list(pipeline.published()) == ["2024-01-01", "2024-02-01"]
    folder = pipeline.archive.settings.inbox_folder
    assert [path.name for path in folder.glob("imported/*/*")] == ["export.json"]
    assert tick(pipeline, "inbox").run_requests == []


@pytest.mark.usefixtures("settled")
def test_a_refused_file_lies_beside_its_reason_and_the_run_succeeds(pipeline: Pipeline) -> None:
    folder = pipeline.archive.settings.inbox_folder
    written(folder / "broken.json", b"no JSON")
    drop(pipeline, "good.json", at(NOON, 1))

    assert take_in(pipeline).success

    refused = sorted(path.name for path in folder.glob("refused/*/*"))
    assert refused[0] == "broken.json"
    assert any("reason" in name for name in refused)
    assert list(pipeline.published()) == ["2024-01-01"]


@pytest.mark.usefixtures("settled")
def test_bad_data_from_the_inbox_is_imported_and_not_published(pipeline: Pipeline) -> None:
    drop(pipeline, "export.json", at(NOON, 1), at(FUTURE, 2))

    result = take_in(pipeline)

    assert "plausible_dates" in failures(result)["refresh"]
    assert list(pipeline.published()) == ["2024-01-01"]
    assert sum(one.messages for one in flows.status(pipeline.archive)) == 2


def test_lost_files_are_published_again(pipeline: Pipeline) -> None:
    pipeline.import_("one", at(NOON, 1))
    flows.refresh(pipeline.archive)
    (path,) = pipeline.archive.exports.glob("messages/parquet/*/*/*.parquet")
    path.unlink()

    assert pipeline.run("2024-01-01").success

    assert path.is_file()
