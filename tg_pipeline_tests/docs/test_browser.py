"""The site in a real browser: search finds a code's page, and pages fit on a phone."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import pytest
from playwright.sync_api import Browser

from tg_pipeline_tests.browsing import chromium, faultless, needs_chromium
from tg_pipeline_tests.docs.site import Site
from tg_pipeline_tests.docs.test_reference import CODES

PHONE = (390, 844)
LAPTOP = (1280, 800)
SMALLEST_LETTERS = 12
_CUT = """
    [...document.querySelectorAll("article pre code")]
        .filter(code => code.scrollWidth > code.clientWidth).map(code => code.textContent)
"""
_LETTERS = """
    [...document.querySelectorAll("svg.pic text")].map(
        text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)
"""

pytestmark = [needs_chromium, pytest.mark.timeout(240)]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: pytest shows what fails."""


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(site.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SAMPLES = [pytest.param(9, id="some"), pytest.param(1, id="all", marks=pytest.mark.prove)]
"""Each so manieth page of the runbook: they are made alike, and there are many."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.mark.parametrize("each", SAMPLES)
def test_search_leads_from_home_to_the_page_of_a_code(
    browser: Browser, url: str, each: int
) -> None:
    with faultless(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for code in sorted(CODES)[::each]:
            page.goto(url)
            page.get_by_placeholder("Search").press_sequentially(code)
            page.locator(".md-search-result__link").first.click()
            page.wait_for_url(f"{url}/runbook/{code}/**")
            page.get_by_role("heading", name=code, level=1).wait_for()

    assert asked
    assert [one for one in asked if not one.startswith((url, "data:", "blob:"))] == []


@pytest.mark.parametrize("each", SAMPLES)
def test_pages_fit_on_a_phone(browser: Browser, url: str, site: Site, each: int) -> None:
    with faultless(browser, PHONE) as page:
        runbook = [address for address in site.pages if address.startswith("runbook/")]
        for address in [*(set(site.pages) - set(runbook)), *runbook[::each]]:
            page.goto(f"{url}/{address}", wait_until="domcontentloaded")
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE[0], address


@pytest.mark.parametrize("name", ["object-storage", "several-exports", "ci"])
def test_no_line_to_be_copied_is_cut_on_a_laptop(browser: Browser, url: str, name: str) -> None:
    with faultless(browser, LAPTOP) as page:
        page.goto(f"{url}/how-to/{name}/")
        assert page.locator("article pre code").count()
        assert page.evaluate(_CUT) == []


def test_the_first_picture_can_be_read_on_a_phone(browser: Browser, url: str) -> None:
    with faultless(browser, PHONE) as page:
        page.goto(url)
        letters = page.evaluate(_LETTERS)
        assert letters
        assert min(letters) >= SMALLEST_LETTERS


def test_codes_are_grouped_by_what_they_are_about(browser: Browser, url: str) -> None:
    with faultless(browser, LAPTOP) as page:
        page.goto(f"{url}/runbook/disk.full/")
        sidebar = page.locator(".md-sidebar--primary")
        sidebar.get_by_role("link", name="disk.full", exact=True).wait_for()
        assert sidebar.get_by_text("input", exact=True).first.is_visible()
        assert not sidebar.get_by_text("input.empty", exact=True).is_visible()


def test_drawings_follow_the_scheme(browser: Browser, url: str) -> None:
    assert _colour(browser, url, "light") != _colour(browser, url, "dark")


def _colour(browser: Browser, url: str, scheme: Literal["light", "dark"]) -> str:
    with faultless(browser, scheme=scheme) as page:
        page.goto(f"{url}/explanation/identity/")
        text = page.locator("svg.pic text").first
        return str(text.evaluate("text => getComputedStyle(text).fill"))
