"""Dagster's pages in a real browser: plots are drawn, failed checks found, no errors logged."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tg_pipeline_tests.browsing import chromium, faultless, needs_chromium
from tg_pipeline_tests.flows.making import chat, written
from tg_pipeline_tests.orchestration.deployment import Deployment
from tg_pipeline_tests.orchestration.pages import Pages, serving
from tg_pipeline_tests.orchestration.pipeline import CHAT, monthly
from tg_pipeline_tests.orchestration.test_live import EDITED_IN_2099

JANUARY, FEBRUARY = (f"{CHAT}|2024-0{month}-01" for month in (1, 2))
SHOWN_SECONDS = 60

pytestmark = [
    needs_chromium,
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A chat of three months is served, the second of which the gate has closed."""
    deployment = Deployment(tmp_path_factory.mktemp("person"))
    messages = monthly(1, 3)
    messages[4] |= EDITED_IN_2099
    file = written(deployment.folder / "result.json", chat(*messages))
    assert deployment.run(f"tg-pipeline import {file}").code == 4
    deployment.succeed("tg-pipeline dagster sync")
    with serving(deployment) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with faultless(browser) as opened:
        yield opened


def test_the_graph_shows_the_four_assets(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/asset-groups")

    for asset in ("raw_messages", "messages", "messages_parquet", "messages_jsonl"):
        page.get_by_text(asset, exact=True).first.wait_for()


@pytest.mark.parametrize("asset", ["raw_messages", "messages"])
def test_a_partition_shows_its_plot(pages: Pages, page: Page, asset: str) -> None:
    page.goto(f"{pages.url}/assets/{asset}?view=partitions&partition={JANUARY}")

    page.get_by_text("[Show Markdown]").click()

    image = page.get_by_alt_text("3 messages by day")
    image.wait_for()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640


def test_a_failed_check_shows_what_it_found(pages: Pages, page: Page) -> None:
    page.goto(f"{pages.url}/assets/messages?view=checks&checkDetail=plausible_dates")
    page.get_by_text("edited 2099-02-01").wait_for()  # the newest result is the one that matters

    page.get_by_text("Partitions", exact=True).last.click()
    page.get_by_text("Missing (").click()
    page.locator("span").get_by_text(FEBRUARY.partition("|")[2], exact=True).click()

    page.get_by_text(FEBRUARY, exact=True).first.wait_for()
    page.get_by_text("edited 2099-02-01").wait_for()


@pytest.mark.parametrize(
    ("place", "text"),
    [("overview", "Timeline"), ("jobs", "import_inbox"), ("automation", "inbox")],
)
def test_every_other_page_opens(pages: Pages, page: Page, place: str, text: str) -> None:
    page.goto(f"{pages.url}/{place}")

    page.get_by_text(text).first.wait_for()
    page.wait_for_load_state("networkidle")
