"""Live chats in Dagster: months that are fetched first, and news that a schedule asks for."""

import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from tg_pipeline import flows
from tg_pipeline.orchestration import failures as put_off
from tg_pipeline.orchestration import partitions
from tg_pipeline.store.leases import lease
from tg_pipeline_tests.flows.live import Live
from tg_pipeline_tests.orchestration.pipeline import (
    CHAT,
    NAMES,
    Pipeline,
    failures,
    monthly,
    steps,
)
from tg_pipeline_tests.telegram_server import Account, TelegramServer, World, always
from tg_pipeline_tests.telegram_server.peers import Channel

JANUARY, FEBRUARY, MARCH = (datetime(2024, month, 1, 12, tzinfo=UTC) for month in (1, 2, 3))
HISTORY = "messages.getHistory"
NEWS = "messages.getPeerDialogs"
SCHEDULE = "refresh_chats_quarter_hourly"
ASSETS = ("raw_messages", "messages", "messages_parquet", "messages_jsonl")


@pytest.fixture
def live(server: TelegramServer, mira: Account, pipeline: Pipeline) -> Live:
    return Live.over(pipeline.archive, server, mira)


@pytest.fixture
def following(live: Live, pipeline: Pipeline) -> Pipeline:
    """Our definitions over an archive that can ask Telegram."""
    return over(live, pipeline)


@pytest.fixture
def harbour(world: World, mira: Account, live: Live) -> Channel:
    """A followed channel with 250 posts in January and as many in February and March."""
    found = world.channel(1_700_000_001, "Harbour News", mira)
    for month in (JANUARY, FEBRUARY, MARCH):
        for number in range(250):
            world.post(found, f"Boat {number}", by=found, date=month + timedelta(minutes=number))
    live.follow(found)
    return found


def over(live: Live, pipeline: Pipeline, **settings: Any) -> Pipeline:
    archive = live.having(**settings).archive
    return Pipeline(archive.settings, archive, pipeline.instance)


def refresh(pipeline: Pipeline) -> dg.ExecuteInProcessResult:
    job = pipeline.repository.get_job("refresh_chats")
    return job.execute_in_process(instance=pipeline.instance, raise_on_error=False)


def tick(pipeline: Pipeline, name: str = SCHEDULE) -> Any:
    """Evaluate a schedule as the daemon does."""
    context = dg.build_schedule_context(
        instance=pipeline.instance, resources={NAMES.archive: pipeline.archive}
    )
    return pipeline.repository.get_schedule_def(name).evaluate_tick(context)


def tick_sensor(pipeline: Pipeline, name: str) -> Any:
    context = dg.build_sensor_context(
        instance=pipeline.instance, resources={NAMES.archive: pipeline.archive}
    )
    return pipeline.repository.get_sensor_def(name).evaluate_tick(context)


def told(result: dg.ExecuteInProcessResult, step: str = "fetch_news") -> dict[str, Any]:
    """Metadata of a step's output, as values; a table as a list of its rows."""
    (event,) = (
        one
        for one in result.all_events
        if one.step_key == step and one.event_type is dg.DagsterEventType.STEP_OUTPUT
    )
    return {
        name: [record.data for record in value.records]
        if isinstance(value, dg.TableMetadataValue)
        else value.value
        for name, value in event.step_output_data.metadata.items()
    }


def held(live: Live) -> int:
    ((rows,),) = live.rows("SELECT count(*) FROM messages")
    return int(rows)


# ---- months


def test_a_month_of_a_followed_chat_is_fetched_first(
    following: Pipeline, live: Live, harbour: Channel
) -> None:
    key = str(harbour.peer_id)
    tick_sensor(following, "sync")  # it is known to Dagster before anything of it is there

    result = following.run("2024-02-01", chat_key=key)

    assert result.success, failures(result)
    told_of = following.materialized("raw_messages")[f"{key}|2024-02-01"]
    assert told_of["dagster/partition_row_count"] == 250
    assert told_of["fetched"] == "TableMetadataValue"
    assert list(following.published()) == ["2024-02-01"]
    assert held(live) < 500, "January and March were not asked for"


def test_a_history_is_one_run_and_one_question(
    following: Pipeline, live: Live, harbour: Channel
) -> None:
    key = str(harbour.peer_id)
    partitions.register(following.instance, NAMES, flows.followed_chats(following.archive))

    assert following.run("2024-01-01", "2024-03-01", chat_key=key).success

    assert held(live) == 750
    assert live.server.requests.count(NEWS) == 1
    assert live.server.requests.count(HISTORY) == 8
    assert list(following.published()) == ["2024-01-01", "2024-02-01", "2024-03-01"]
    again = live.server.requests.mark()
    assert following.run("2024-01-01", "2024-03-01", chat_key=key).success
    assert live.server.requests.count(HISTORY, again) == 0


def test_chats_of_files_and_of_others_accounts_are_only_verified(
    following: Pipeline, live: Live, pipeline: Pipeline, harbour: Channel
) -> None:
    following.import_("export", *monthly(1, 1))
    partitions.register(following.instance, NAMES, flows.followed_chats(following.archive))

    assert following.run("2024-01-01", chat_key=CHAT).success
    elsewhere = over(live, pipeline, telegram_session=None)
    assert elsewhere.run("2024-01-01", chat_key=str(harbour.peer_id)).success

    assert len(live.server.requests) == 0


def test_a_wait_is_waited_for_by_the_step(live: Live, pipeline: Pipeline, harbour: Channel) -> None:
    following = over(live, pipeline, telegram_wait_limit=0)
    partitions.register(following.instance, NAMES, flows.followed_chats(following.archive))
    live.server.faults.flood(HISTORY, 2)

    result = following.run("2024-03-01", chat_key=str(harbour.peer_id))

    assert result.success, failures(result)
    (retry,) = (one for one in result.all_events if one.event_type_value == "STEP_UP_FOR_RETRY")
    assert retry.step_retry_data.seconds_to_wait in {1, 2}
    assert "messages.getHistory again at" in str(retry.step_retry_data.error)


def test_a_long_wait_ends_the_step_and_says_until_when(
    live: Live, pipeline: Pipeline, harbour: Channel
) -> None:
    following = over(live, pipeline, telegram_wait_limit=0)
    partitions.register(following.instance, NAMES, flows.followed_chats(following.archive))
    live.server.faults.flood(HISTORY, put_off.LONGEST_WAIT + 100)

    result = following.run("2024-03-01", chat_key=str(harbour.peer_id))

    assert not result.success
    assert (
        "Telegram lets account main call messages.getHistory again at"
        in (failures(result)["raw_messages"])
    )
    assert all(one.event_type_value != "STEP_UP_FOR_RETRY" for one in result.all_events)


def test_who_uses_the_account_is_waited_for_and_then_named(
    following: Pipeline, harbour: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_off, "_UNKNOWN_WAIT", 0)
    partitions.register(following.instance, NAMES, flows.followed_chats(following.archive))

    with lease(following.archive.database, "main", "login"):
        result = following.run("2024-03-01", chat_key=str(harbour.peer_id))

    assert (
        "account main is in use by tg-pipeline login, process" in (failures(result)["raw_messages"])
    )
    retries = [one for one in result.all_events if one.event_type_value == "STEP_UP_FOR_RETRY"]
    assert len(retries) == put_off.WAITS


# ---- news


def test_news_go_through_the_chain_in_one_run_and_are_shown(
    following: Pipeline, live: Live, world: World, harbour: Channel
) -> None:
    key = str(harbour.peer_id)

    result = refresh(following)

    assert (result.success, steps(result)) == (
        True,
        ["fetch_news", "refresh", "require_accounts"],
    ), failures(result)
    metadata = told(result)
    assert metadata["chats with news"] == 1
    assert metadata["new messages"] == 750
    (account,) = metadata["accounts"]
    assert (account["account"], account["read"], account["trouble"]) == ("main", 750, "")
    assert account["requests"] == metadata["requests"] >= live.server.requests.count(HISTORY)
    assert metadata["chats"][0]["title"] == "Harbour News"
    assert list(following.published()) == ["2024-01-01", "2024-02-01", "2024-03-01"]
    for asset in ASSETS:
        shown = following.materialized(asset)
        assert sorted(shown) == [f"{key}|2024-0{month}-01" for month in (1, 2, 3)], asset
    assert following.checked("unique_keys", f"{key}|2024-03-01")
    assert following.sync().materializations == 0, "the run itself has told all of it"

    world.post(harbour, "Late boat", by=harbour, date=MARCH)
    assert told(refresh(following))["new messages"] == 1
    march = following.materialized("messages")[f"{key}|2024-03-01"]
    assert march["dagster/partition_row_count"] == 251


def test_a_wait_leaves_the_rest_to_a_later_run(
    live: Live, pipeline: Pipeline, world: World, harbour: Channel
) -> None:
    following = over(live, pipeline, telegram_wait_limit=0)
    live.server.faults.flood(HISTORY, 1_000, replace(always(), skip=3))

    result = refresh(following)

    assert result.success, failures(result)
    assert held(live) == 300
    assert list(following.published()) == ["2024-02-01", "2024-03-01"]
    run = following.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["tg_pipeline/deferred_until"].endswith("Z")
    (account,) = told(result)["accounts"]
    assert "Telegram lets account main call messages.getHistory" in account["trouble"]
    assert account["goes on"]
    assert "Telegram wants to be asked again at" in tick(following).skip_message


def test_an_account_that_is_out_is_told_once_the_rest_is_published(
    following: Pipeline, live: Live, harbour: Channel
) -> None:
    following.import_("export", *monthly(1, 1))
    live.server.faults.error(None, 401, "SESSION_REVOKED", always())

    result = refresh(following)

    assert steps(result) == ["fetch_news", "refresh"]
    assert "main (telegram.session_revoked)" in failures(result)["require_accounts"]
    assert "tg-pipeline login main" not in failures(result)["require_accounts"]
    assert list(following.published()) == ["2024-01-01"]


def test_a_chat_that_telegram_refuses_is_told_once_the_others_are_published(
    following: Pipeline, live: Live, world: World, mira: Account, harbour: Channel
) -> None:
    odd = world.channel(1_700_000_002, "Odd", mira)
    world.post(odd, "Boat", by=odd, date=JANUARY)
    live.follow(odd)
    live.server.faults.error(
        HISTORY, 400, "SOMETHING_NEW", always(), lambda asked: str(odd.id) in str(asked)
    )

    result = refresh(following)

    assert steps(result) == ["fetch_news", "refresh"]
    assert "main (telegram.refused)" in failures(result)["require_accounts"]
    assert list(following.published()) == ["2024-01-01", "2024-02-01", "2024-03-01"]


def test_the_schedule_waits_for_its_run_and_for_chats(
    following: Pipeline, live: Live, world: World, mira: Account
) -> None:
    assert "no chats are followed" in tick(following).skip_message
    live.follow(world.channel(1_700_000_001, "Harbour News", mira))
    assert len(tick(following).run_requests) == 1

    job = following.repository.get_job("refresh_chats")
    running = following.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)

    assert tick(following).run_requests == []
    following.instance.report_run_failed(running)
    assert len(tick(following).run_requests) == 1


def test_neither_sensors_nor_schedules_talk_to_telegram(
    following: Pipeline, live: Live, harbour: Channel
) -> None:
    for sensor in following.repository.sensor_defs:
        tick_sensor(following, sensor.name)
    for schedule in following.repository.schedule_defs:
        tick(following, schedule.name)

    assert len(live.server.requests) == 0
    assert str(harbour.peer_id) in following.instance.get_dynamic_partitions(NAMES.partitions)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [120, pytest.param(1_000, marks=pytest.mark.prove)])
def test_of_many_chats_only_those_with_news_are_asked_for(
    following: Pipeline, live: Live, world: World, mira: Account, count: int
) -> None:
    chats = [world.channel(1_700_000_000 + n, f"Harbour {n}", mira) for n in range(count)]
    for number, one in enumerate(chats):
        world.post(one, f"Boat {number}", by=one, date=MARCH)
    live.follow(*chats)
    began = time.monotonic()
    assert refresh(following).success
    print(f"{count} chats for the first time: {time.monotonic() - began:.1f} s")
    with_news = chats[::20]
    for one in with_news:
        for number in range(3):
            world.post(one, f"Late boat {number}", by=one, date=MARCH)
    mark, began = live.server.requests.mark(), time.monotonic()

    result = refresh(following)

    seconds = time.monotonic() - began
    print(f"news of {len(with_news)} of {count} chats: {seconds:.1f} s to the published files")
    assert seconds < 60
    assert result.success, failures(result)
    by_method, pages = live.server.requests.by_method(mark), math.ceil(count / 100)
    assert by_method[NEWS] == pages
    assert by_method[HISTORY] == len(with_news)
    assert live.server.requests.count(since=mark) <= pages + len(with_news) + 5, by_method
    assert held(live) == count + 3 * len(with_news)
    assert told(result)["chats with news"] == len(with_news)
    assert told(result)["new messages"] == 3 * len(with_news)
