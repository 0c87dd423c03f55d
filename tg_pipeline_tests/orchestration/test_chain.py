"""The chain as Dagster runs it: one month, a range, and what keeps exports back."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from tg_pipeline import flows
from tg_pipeline_tests.exports.rows import execute
from tg_pipeline_tests.orchestration.pipeline import CHAT, Pipeline, at, failures, monthly, steps
from tg_pipeline_tests.state import local_folder

ALL = ["raw_messages", "messages", "judge_messages", "publish_messages"]
FILES = ["messages_parquet", "messages_jsonl"]
JANUARY, FEBRUARY, MARCH = "2024-01-01", "2024-02-01", "2024-03-01"


@pytest.fixture
def filled(pipeline: Pipeline) -> Pipeline:
    """Three messages in each of the first three months."""
    pipeline.import_("export", *monthly(1, 3))
    return pipeline


def damage(pipeline: Pipeline, day: str) -> None:
    """Change the content of one day behind everybody's back, and count it as if it were right."""
    execute(
        pipeline.archive.database,
        f"UPDATE messages SET text = 'changed' WHERE date::date = '{day}'",
    )
    execute(pipeline.archive.database, f"UPDATE chat_days SET digest = 1 WHERE day = '{day}'")


def test_one_month_goes_through_the_chain(filled: Pipeline) -> None:
    result = filled.run(FEBRUARY)

    key = f"{CHAT}|{FEBRUARY}"
    assert (result.success, steps(result)) == (True, ALL)
    assert list(filled.published()) == [FEBRUARY]
    assert filled.published()[FEBRUARY]["verdict"] == "passed"
    told = {
        asset: filled.materialized(asset)[key] for asset in ("raw_messages", "messages", *FILES)
    }
    assert [metadata["dagster/partition_row_count"] for metadata in told.values()] == [3] * 4
    assert told["raw_messages"]["files"] == ["export.json"]
    assert told["messages"]["messages per day"].startswith("![3 messages by day](data:image/svg")
    assert told["messages"]["sample"] == "TableMetadataValue"
    assert told["messages_parquet"]["sha256"] == filled.published()[FEBRUARY]["sha256"]
    check = filled.checked("reproducible_content_hash", key)
    assert check is not None
    assert check.passed
    assert check.target_materialization_data is not None


def test_what_a_run_has_told_is_not_told_again(filled: Pipeline) -> None:
    filled.run(JANUARY)
    filled.run(FEBRUARY, MARCH)

    synced = filled.sync()

    assert (synced.windows, synced.materializations, synced.results) == (3, 0, 0)


def test_a_range_is_one_run_and_each_month_has_its_own_facts(filled: Pipeline) -> None:
    result = filled.run("2023-12-01", MARCH)

    assert result.success
    assert list(filled.published()) == [JANUARY, FEBRUARY, MARCH]
    counts = {
        key.partition("|")[2]: metadata["dagster/partition_row_count"]
        for key, metadata in filled.materialized("messages").items()
    }
    assert counts == {"2023-12-01": 0, JANUARY: 3, FEBRUARY: 3, MARCH: 3}
    assert len(filled.instance.get_runs()) == 1
    for month in (JANUARY, FEBRUARY, MARCH):
        check = filled.checked("unique_keys", f"{CHAT}|{month}")
        assert check is not None
        assert check.passed


def test_bad_data_stops_the_exports_of_the_same_run(filled: Pipeline) -> None:
    damage(filled, "2024-02-02")

    result = filled.run(FEBRUARY)

    assert not result.success
    assert steps(result) == ["raw_messages", "messages"]
    assert filled.published() == {}
    check = filled.checked("reproducible_content_hash", f"{CHAT}|{FEBRUARY}")
    assert check is not None
    assert (check.passed, check.severity, check.blocking) == (
        False,
        dg.AssetCheckSeverity.ERROR,
        True,
    )


def test_bad_data_stops_the_exports_of_a_run_of_their_own(filled: Pipeline) -> None:
    damage(filled, "2024-02-02")
    filled.run(FEBRUARY)

    result = filled.run(FEBRUARY, selection=FILES)

    assert filled.published() == {}
    assert "reproducible_content_hash" in failures(result)["publish_messages"]
    assert "tg-pipeline check" in failures(result)["publish_messages"]


def test_bad_data_stops_its_month_in_a_range_and_no_other(filled: Pipeline) -> None:
    damage(filled, "2024-02-02")
    filled.run(JANUARY, MARCH)

    result = filled.run(JANUARY, MARCH, selection=FILES)

    assert list(failures(result)) == ["publish_messages"]
    assert list(filled.published()) == [JANUARY, MARCH]
    assert filled.sync().materializations > 0
    assert sorted(filled.materialized("messages_parquet")) == [
        f"{CHAT}|{JANUARY}",
        f"{CHAT}|{MARCH}",
    ]


def test_what_nobody_has_judged_is_not_published(filled: Pipeline) -> None:
    result = filled.run(MARCH, selection=FILES)

    assert "not judged yet" in failures(result)["publish_messages"]
    assert filled.published() == {}


def test_warnings_are_shown_and_stop_nothing(pipeline: Pipeline) -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    pipeline.import_("export", at(noon, 1), at(noon, 2, reply_to_message_id=77))

    assert pipeline.run(JANUARY).success

    check = pipeline.checked("reply_targets", f"{CHAT}|{JANUARY}")
    assert check is not None
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert pipeline.published()[JANUARY]["verdict"] == "warning"


def test_a_damaged_batch_is_told_and_closes_what_it_holds(filled: Pipeline) -> None:
    (data,) = filled.archive.zone.folder.glob(f"{CHAT}/*.zst")
    data.write_bytes(data.read_bytes()[:-1] + b"x")

    result = filled.run(FEBRUARY)

    assert not result.success
    key = f"{CHAT}|{FEBRUARY}"
    assert filled.materialized("raw_messages")[key]["damaged batches"] == [
        data.name.removesuffix(".jsonl.zst")
    ]
    check = filled.checked("loaded_is_landed", key)
    assert check is not None
    assert not check.passed
    assert filled.published() == {}


def test_an_error_of_ours_is_told_with_its_remedy_and_not_tried_again(filled: Pipeline) -> None:
    filled.run(FEBRUARY)
    exports = local_folder(filled.archive.exports)
    exports.chmod(0o500)
    dataset = exports / "messages"
    dataset.rename(exports.parent / "elsewhere")
    dataset.parent.rmdir()
    dataset.parent.write_bytes(b"")

    result = filled.run(FEBRUARY, selection=FILES)

    assert "cannot write to" in failures(result)["publish_messages"]
    retried = [
        event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"
    ]
    assert retried == []


def test_an_unloaded_batch_is_loaded_by_the_run(filled: Pipeline) -> None:
    filled.archive.database.close()
    execute(filled.archive.database, "TRUNCATE messages, batches, chat_days")

    assert filled.run(FEBRUARY).success

    assert filled.materialized("messages")[f"{CHAT}|{FEBRUARY}"]["dagster/partition_row_count"] == 3


def test_runs_are_tagged_with_their_chat(filled: Pipeline) -> None:
    filled.run(FEBRUARY)

    (run,) = filled.instance.get_runs(dg.RunsFilter(tags={"tg_pipeline/chat": CHAT}))
    assert run.status is dg.DagsterRunStatus.SUCCESS


def test_one_format_can_be_asked_for(filled: Pipeline) -> None:
    flows.check_windows(filled.archive)

    assert filled.run(FEBRUARY, selection=["messages_jsonl"]).success

    assert filled.materialized("messages_parquet") == {}
    assert list(filled.materialized("messages_jsonl")) == [f"{CHAT}|{FEBRUARY}"]
    assert filled.sync().materializations > 0
    assert f"{CHAT}|{FEBRUARY}" in filled.materialized("messages_parquet")
