"""News from Telegram, by a schedule: asked for once, and taken through the chain in one run.

The account's lease, not a pool of Dagster's, sees to it that nobody else reads with it meanwhile: a
run that waits for its place in a pool keeps a processor busy for as long as it waits.
"""

from typing import Final

import dagster as dg

from tg_pipeline import flows
from tg_pipeline.orchestration.automation import one_at_a_time
from tg_pipeline.orchestration.failures import RETRIES, logged, told
from tg_pipeline.orchestration.fetched import of_news
from tg_pipeline.orchestration.names import Names

DEFERRED_TAG: Final = "tg_pipeline/deferred_until"
FAILED_TAG: Final = "tg_pipeline/accounts_failed"


def build_refresh_chats(names: Names, refresh: dg.OpDefinition) -> dg.JobDefinition:
    """The job: ask which chats have news, fetch, load, judge and publish these."""

    @dg.op(
        name=names.unique("fetch_news"),
        description="Asks Telegram once which followed chats have news, fetches and loads these. "
        "What Telegram puts off is left to a later run.",
        required_resource_keys={names.archive},
        retry_policy=RETRIES,
        out=dg.Out(dg.Nothing),
    )
    def fetch_news(context: dg.OpExecutionContext) -> None:
        archive: flows.Archive = getattr(context.resources, names.archive)
        with told():
            fetched = flows.fetch_news(archive, logged(context))
        context.add_output_metadata(dict(of_news(fetched)))
        for error in filter(None, (one.later or one.failure for one in fetched)):
            context.log.warning(f"{error.message} {error.remedy}")
        context.instance.add_run_tags(context.run_id, _tags(fetched))

    @dg.op(
        name=names.unique("require_accounts"),
        description="Fails where a person has to look after an account.",
        ins={"start": dg.In(dg.Nothing)},
    )
    def require_accounts(context: dg.OpExecutionContext) -> None:
        # What can be published is published first: nothing is passed on but by the run itself.
        run = context.instance.get_run_by_id(context.run_id)
        failed = None if run is None else run.tags.get(FAILED_TAG)
        if failed is not None:
            raise dg.Failure(
                f"Not all accounts could be read: {failed}. The step fetch_news says what to do.",
                allow_retries=False,
            )

    @dg.job(
        name=names.unique("refresh_chats"),
        description="Fetch the news of followed chats, and publish what has changed.",
    )
    def refresh_chats() -> None:
        require_accounts(refresh(fetch_news()))

    return refresh_chats


def build_refresh_schedule(names: Names, job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Every quarter of an hour. It is never on by itself: it uses somebody's account."""

    @dg.schedule(
        name=names.unique("refresh_chats_quarter_hourly"),
        job=job,
        cron_schedule="*/15 * * * *",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        required_resource_keys={names.archive},
        description="Fetches the news of followed chats, and publishes what has changed.",
    )
    def refresh_chats_quarter_hourly(
        context: dg.ScheduleEvaluationContext,
    ) -> dg.RunRequest | dg.SkipReason:
        archive: flows.Archive = getattr(context.resources, names.archive)
        reason = one_at_a_time(context.instance, job) or _nothing_to_ask(archive)
        return reason or dg.RunRequest()

    return refresh_chats_quarter_hourly


def _nothing_to_ask(archive: flows.Archive) -> dg.SkipReason | None:
    accounts = flows.reading_accounts(archive)
    if not accounts:
        return dg.SkipReason("no chats are followed: `tg-pipeline chats add` begins with one")
    waits = flows.account_waits(archive)
    if set(accounts) <= waits.keys():
        until = min(waits[account] for account in accounts)
        return dg.SkipReason(f"Telegram wants to be asked again at {until:%Y-%m-%d %H:%M:%S} UTC")
    return None


def _tags(fetched: list[flows.Fetched]) -> dict[str, str]:
    """What the list of runs should show."""
    tags: dict[str, str] = {}
    if until := [one.until for one in fetched if one.until is not None]:
        tags[DEFERRED_TAG] = f"{min(until):%Y-%m-%dT%H:%M:%SZ}"
    if failed := [f"{one.account} ({one.failure.code})" for one in fetched if one.failure]:
        tags[FAILED_TAG] = ", ".join(failed)
    return tags
