"""What the schedule asks for gets done: nothing that is closed or impossible stands in its way."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from tg_pipeline import flows
from tg_pipeline_tests.exports.rows import execute
from tg_pipeline_tests.orchestration.pipeline import (
    CHAT,
    NAMES,
    Pipeline,
    at,
    failures,
    monthly,
)
from tg_pipeline_tests.orchestration.test_chain import damage
from tg_pipeline_tests.state import local_folder

JANUARY, FEBRUARY, MARCH, APRIL = (f"2024-0{month}-01" for month in range(1, 5))
OTHER = "-1000000000078"


def tick(pipeline: Pipeline) -> Any:
    """Evaluate the schedule as the daemon does."""
    context = dg.build_schedule_context(
        instance=pipeline.instance, resources={NAMES.archive: pipeline.archive}
    )
    return pipeline.repository.get_schedule_def("publish_changed_hourly").evaluate_tick(context)


def follow(pipeline: Pipeline) -> dg.ExecuteInProcessResult:
    """Do what it asks for."""
    assert len(tick(pipeline).run_requests) == 1
    job = pipeline.repository.get_job("publish_changed")
    return job.execute_in_process(instance=pipeline.instance, raise_on_error=False)


def due(pipeline: Pipeline) -> list[str]:
    return [str(chat) for chat in flows.due_chats(pipeline.archive)]


def test_all_chats_with_changes_are_published_in_one_run(pipeline: Pipeline) -> None:
    pipeline.import_("one", *monthly(1, 1))
    pipeline.import_("other", *monthly(1, 1), id=78)
    assert due(pipeline) == [OTHER, CHAT]

    assert follow(pipeline).success

    assert due(pipeline) == []
    assert len(list(pipeline.archive.exports.glob("messages/parquet/*/*/*"))) == 2


def test_a_closed_month_does_not_keep_its_neighbours_back(pipeline: Pipeline) -> None:
    """Regression: a range with a closed month in it never published the others."""
    pipeline.import_("export", *monthly(1, 4))
    damage(pipeline, "2024-02-02")

    result = follow(pipeline)

    assert "reproducible_content_hash" in failures(result)["refresh"]
    assert list(pipeline.published()) == [JANUARY, MARCH, APRIL]
    assert due(pipeline) == []


def test_a_damaged_batch_closes_its_months_and_no_others(pipeline: Pipeline) -> None:
    """Regression: its chat stayed due for ever, and nothing of it was published."""
    pipeline.import_("one", *monthly(1, 3)[:6])
    pipeline.import_("two", *monthly(1, 3)[6:])
    batch = min(
        local_folder(pipeline.archive.zone.folder).glob(f"{CHAT}/*.zst"),
        key=lambda path: path.stat().st_size,
    )
    batch.write_bytes(b"x")

    assert "loaded_is_landed" in failures(follow(pipeline))["refresh"]

    assert list(pipeline.published()) == [JANUARY, FEBRUARY]
    assert due(pipeline) == []


def test_what_was_lost_with_a_damaged_batch_stays_published(pipeline: Pipeline) -> None:
    """Regression: after a rebuild without it, its month looked empty and was withdrawn."""
    pipeline.import_("one", *monthly(1, 2)[:3])
    pipeline.import_("two", *monthly(1, 2)[3:])
    flows.refresh(pipeline.archive)
    for batch in pipeline.archive.zone.manifests(flows.known_chats(pipeline.archive).pop()):
        if f"{batch.first_date:%m}" == "02":
            pipeline.archive.zone.data_path(batch).write_bytes(b"x")
    flows.rebuild(pipeline.archive)

    follow(pipeline)

    assert list(pipeline.published()) == [JANUARY, FEBRUARY]
    assert [one.outcome.value for one in flows.check_windows(pipeline.archive)] == [
        "passed",
        "failed",
    ]


def test_what_arrives_lifts_a_verdict_that_it_was_missing(pipeline: Pipeline) -> None:
    """Regression: loading what changed no message left the failed verdict standing for ever."""
    pipeline.import_("one", *monthly(1, 1))
    execute(pipeline.archive.database, "DELETE FROM batches")
    flows.check_windows(pipeline.archive)
    flows.settle(pipeline.archive)

    assert due(pipeline) == [CHAT]
    assert follow(pipeline).success
    assert list(pipeline.published()) == [JANUARY]


def test_what_was_emptied_is_withdrawn(pipeline: Pipeline) -> None:
    pipeline.import_("one", *monthly(1, 2))
    flows.refresh(pipeline.archive)
    for manifest in local_folder(pipeline.archive.zone.folder).glob(f"{CHAT}/*.json"):
        manifest.rename(manifest.with_suffix(".withdrawn.json"))
    flows.settle(pipeline.archive)
    assert due(pipeline) == [CHAT]

    assert follow(pipeline).success

    assert pipeline.published() == {}
    assert due(pipeline) == []


def test_a_lost_file_and_a_forced_one_are_due(pipeline: Pipeline) -> None:
    pipeline.import_("one", *monthly(1, 1))
    flows.publish_windows(pipeline.archive, force=True)
    assert pipeline.published()[JANUARY]["forced"]
    flows.check_windows(pipeline.archive)
    assert due(pipeline) == [CHAT]
    follow(pipeline)
    assert not pipeline.published()[JANUARY]["forced"]

    (path,) = pipeline.archive.exports.glob("messages/parquet/*/*/*")
    path.unlink()
    assert due(pipeline) == [CHAT]
    follow(pipeline)
    assert path.is_file()


def test_data_that_failed_after_it_was_published_is_told_in_the_manifest(
    pipeline: Pipeline,
) -> None:
    pipeline.import_("one", *monthly(1, 1))
    flows.refresh(pipeline.archive)
    execute(pipeline.archive.database, "UPDATE messages SET text = 'changed' WHERE id = 1")
    flows.check_windows(pipeline.archive)
    assert due(pipeline) == [CHAT]

    follow(pipeline)

    assert pipeline.published()[JANUARY]["verdict"] == "failed"
    assert due(pipeline) == []


def test_messages_dated_outside_of_all_partitions_are_told_to_nobody(pipeline: Pipeline) -> None:
    pipeline.import_("export", *monthly(1, 1), at(datetime(2099, 1, 1, tzinfo=UTC), 9))

    assert "plausible_dates" in failures(follow(pipeline))["refresh"]

    assert list(pipeline.published()) == [JANUARY]
    pipeline.sync()
    assert list(pipeline.materialized("messages")) == [f"{CHAT}|{JANUARY}"]


def test_one_run_at_a_time(pipeline: Pipeline) -> None:
    job = pipeline.repository.get_job("publish_changed")
    running = pipeline.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)

    assert tick(pipeline).run_requests == []
    pipeline.instance.report_run_failed(running)
    assert len(tick(pipeline).run_requests) == 1
