"""Takes the pictures of docs/images: Dagster's pages on the demo, with a few messages damaged.

`make screenshots` runs it. It needs Chromium: CHROMIUM names it, else it is looked for on PATH.
"""

import contextlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows import open_archive
from tg_pipeline.settings import Settings
from tg_pipeline.store.days import count_days

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = 1400, 900
GRAPH_HEIGHT = 640  # the graph is flat
LARGEST_BYTES = 150_000
COLOURS = 256
CHAT = ChatKey(-1001700000002)
SHOWN_MONTH, DAMAGED_DAY = date(2024, 9, 1), date(2024, 11, 11)
DAMAGE = """
UPDATE messages SET text = text || ' (changed)'
WHERE entity_id = %(chat)s AND (date AT TIME ZONE 'UTC')::date = %(day)s AND text <> ''
"""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
START_SECONDS = 90
SETTLE_MS = 1_500
CENTRE = (708, 400)
"""Of the field that the graph lies in, between the navigation and the buttons, in pixels."""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def main() -> None:
    """Make the archive, serve it, and take one picture after the other."""
    for name in [one for one in os.environ if one.startswith(("TG_PIPELINE_", "DAGSTER_"))]:
        del os.environ[name]
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        tg_pipeline("demo", home=home.parent)
        damage(home)
        tg_pipeline("check", home=home)
        tg_pipeline("dagster", "sync", home=home)
        with dev(home) as url, browser() as page:
            save("assets", graph(page, url))
            save("partition", partition(page, url))
            save("check", check(page, url))


# ---- the archive ----------------------------------------------------------------------------


def tg_pipeline(*words: str, home: Path) -> None:
    """A command; 4 says that the quality gate is closed, which is what we want to show."""
    done = subprocess.run(["tg-pipeline", *words, "--home", home], check=False)
    if done.returncode not in {0, 3, 4}:
        sys.exit(f"tg-pipeline {' '.join(words)} failed")


def damage(home: Path) -> None:
    """Change what is held of one day behind everybody's back, and count it as if it were right."""
    with open_archive(Settings(home=home)) as archive, archive.database.transaction() as connection:
        day = {"chat": CHAT.entity_id, "day": DAMAGED_DAY}
        assert connection.exec_driver_sql(DAMAGE, day).rowcount > 1
        count_days(connection, CHAT, {DAMAGED_DAY})


@contextlib.contextmanager
def dev(home: Path) -> Iterator[str]:
    """`tg-pipeline dev` while it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(["tg-pipeline", "dev", "--home", home, "--port", str(port), "-q"])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/server_info")
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    """Until somebody answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


# ---- the pages ------------------------------------------------------------------------------


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A page of a new browser, Dagster's navigation folded away."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.add_init_script("localStorage.setItem('dagster-nav-collapsed', 'true')")
        yield page
        chromium.close()


def graph(page: Page, url: str) -> bytes:
    """The four assets, as large as they fit."""
    page.set_viewport_size({"width": WIDTH, "height": GRAPH_HEIGHT})
    page.goto(f"{url}/asset-groups")
    last_lines = page.get_by_text(re.compile(r"^\d+ partitions$"))
    last_lines.nth(3).wait_for()
    field = box(page.get_by_placeholder("Jump to…"))
    page.mouse.click(field.right + 24, field.middle)  # folds the list of assets away
    page.mouse.move(*CENTRE)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -50)
        page.wait_for_timeout(SETTLE_MS)
    page.keyboard.up("Control")
    lines = [box(line) for line in last_lines.all()]
    left, right = (edge(line.left for line in lines) for edge in (min, max))
    right += 4 * (lines[0].right - lines[0].left)  # a node is four times as wide as its last line
    drag(page, CENTRE[0] - (left + right) / 2, CENTRE[1] - lines[0].middle)
    return page.screenshot()


def drag(page: Page, right: float, down: float) -> None:
    """Move the graph by dragging what is behind it."""
    x, y = WIDTH / 2, GRAPH_HEIGHT - 40
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()
    page.wait_for_timeout(SETTLE_MS)


def partition(page: Page, url: str) -> bytes:
    """A month of the table, and how many messages each day has."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto(f"{url}/assets/messages?view=partitions&partition={CHAT}%7C{SHOWN_MONTH}")
    page.get_by_text("Missing (").click()
    page.get_by_text("[Show Markdown]").click()
    page.locator("img[src^='data:image/svg']").wait_for()
    page.wait_for_timeout(SETTLE_MS)
    return page.screenshot()


def check(page: Page, url: str) -> bytes:
    """The damaged month under the rule that found it."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto(f"{url}/assets/messages?view=checks&checkDetail=reproducible_content_hash")
    page.get_by_text("Execution history").wait_for()
    page.get_by_text("Partitions", exact=True).last.click()
    page.get_by_text("Missing (").click()
    for dimension in (CHAT, DAMAGED_DAY.replace(day=1)):
        page.locator("span").get_by_text(f"{dimension}", exact=True).click()
    page.wait_for_timeout(SETTLE_MS)
    return page.screenshot()


class Box(NamedTuple):
    """Where something lies on the page."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """Halfway down."""
        return (self.top + self.bottom) / 2


def box(what: Locator) -> Box:
    """Where it lies."""
    found = what.bounding_box()
    assert found is not None
    left, top = found["x"], found["y"]
    return Box(left, top, left + found["width"], top + found["height"])


def save(name: str, picture: bytes) -> None:
    """With as few colours as such pages have: a third of the size."""
    path = IMAGES / f"{name}.png"
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        sys.exit(f"{path} has {size:,} bytes")
    sys.stdout.write(f"{path.name}: {size:,} bytes\n")


if __name__ == "__main__":
    main()
