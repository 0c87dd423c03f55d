"""What the schedule asks for gets done: nothing that is closed or impossible stands in its way."""

from datetime import UTC, datetime

import dagster as dg

from tg_pipeline_tests.orchestration.pipeline import CHAT, NAMES, Pipeline, at, monthly
from tg_pipeline_tests.orchestration.test_chain import damage

JANUARY, FEBRUARY, MARCH, APRIL = (f"2024-0{month}-01" for month in range(1, 5))
OTHER = "-1000000000078"


def tick(pipeline: Pipeline) -> list[dg.RunRequest]:
    context = dg.build_schedule_context(
        instance=pipeline.instance,
        resources={NAMES.archive: pipeline.archive},
    )
    schedule = pipeline.repository.get_schedule_def("publish_changed")
    return list(schedule.evaluate_tick(context).run_requests or [])


def follow(pipeline: Pipeline, asked: list[dg.RunRequest]) -> list[bool]:
    """Do what was asked for; what became of each run."""
    job = pipeline.repository.get_job("archive_chat")
    return [
        job.execute_in_process(
            instance=pipeline.instance, tags=dict(one.tags), raise_on_error=False
        ).success
        for one in asked
    ]


def test_several_chats_are_asked_for_in_one_tick(pipeline: Pipeline) -> None:
    pipeline.import_("one", *monthly(1, 1))
    pipeline.import_("other", *monthly(1, 1), id=78)

    asked = tick(pipeline)

    assert [one.tags["tg_pipeline/chat"] for one in asked] == [OTHER, CHAT]
    assert follow(pipeline, asked) == [True, True]
    assert tick(pipeline) == []


def test_a_closed_month_does_not_keep_its_neighbours_back(pipeline: Pipeline) -> None:
    """A run stops as a whole: a range with a closed month in it never published the others."""
    pipeline.import_("export", *monthly(1, 4))
    damage(pipeline, "2024-02-02")

    assert follow(pipeline, tick(pipeline)) == [False]  # nobody had judged February yet
    assert follow(pipeline, tick(pipeline)) == [True, True]

    assert list(pipeline.published()) == [JANUARY, MARCH, APRIL]
    assert tick(pipeline) == []


def test_messages_dated_outside_of_all_partitions_are_passed_over(pipeline: Pipeline) -> None:
    pipeline.import_("export", *monthly(1, 1), at(datetime(2099, 1, 1, tzinfo=UTC), 9))

    assert follow(pipeline, tick(pipeline)) == [True]
    assert list(pipeline.published()) == [JANUARY]
