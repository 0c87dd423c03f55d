"""Pages hold together: links lead somewhere, commands exist, and what is printed is what comes."""

import itertools
import posixpath
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer.main

from tg_pipeline.cli.main import app
from tg_pipeline_tests.answering import telegram
from tg_pipeline_tests.docs.site import DOCS, ROOT, Page, Site
from tg_pipeline_tests.printed import require_as_printed

_FENCED = re.compile(r"^```(sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SUBSTITUTED = re.compile(r"\$\((tg-pipeline [^)]*)\)")
_OPERATORS = "|&;()<>"
_CSS_URL = re.compile(r"url\(([^)]+)\)|@import\s+([^;]+)")
SOURCES = sorted(DOCS.rglob("*.md"))


def test_every_link_and_picture_leads_somewhere(site: Site) -> None:
    for address, page in site.pages.items():
        for _tag, reference in page.references:
            parts = urlsplit(reference)
            if parts.scheme or parts.netloc:
                continue
            place = posixpath.normpath(posixpath.join("/", address, unquote(parts.path)))[1:]
            target = site.folder / place
            assert target.exists(), f"{address} refers to {reference}"
            if parts.fragment:
                anchors = site.page(_address(place)).anchors
                assert unquote(parts.fragment) in anchors, f"{address} refers to {reference}"


def _address(place: str) -> str:
    return f"{place}/" if place not in {"", "."} else ""


def test_nothing_is_fetched_from_elsewhere(site: Site) -> None:
    for address, page in site.pages.items():
        fetched = [reference for tag, reference in page.references if tag != "a"]
        assert len(fetched) > 3
        assert [one for one in fetched if urlsplit(one).netloc] == [], address
    sheets = list(site.folder.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        for found in _CSS_URL.findall(sheet.read_text("utf-8")):
            assert not urlsplit("".join(found).strip("\"'")).netloc, f"{sheet.name}: {found}"


def test_every_page_can_be_found_in_the_navigation(site: Site) -> None:
    home = site.page("")
    linked = {_resolved("", reference) for tag, reference in home.references if tag == "a"}
    for address, page in site.pages.items():
        sections = {
            _resolved(address, reference) for tag, reference in page.references if tag == "a"
        }
        assert address in linked | sections, address


def test_a_page_that_the_navigation_lacks_stops_make_docs(tmp_path: Path) -> None:
    for name in ("docs", "scripts", "tg_pipeline", "Makefile"):
        (tmp_path / name).symlink_to(ROOT / name)
    nav = (ROOT / "mkdocs.yml").read_text("utf-8")
    (tmp_path / "mkdocs.yml").write_text(re.sub(r".*how-to/backup\.md\n", "", nav), "utf-8")

    done = subprocess.run(
        ["make", "docs", "--assume-old", "setup", f"BIN={Path(sys.executable).parent}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "how-to/backup.md" in done.stderr


def _resolved(address: str, reference: str) -> str:
    path = posixpath.normpath(posixpath.join("/", address, urlsplit(reference).path))[1:]
    return _address(path)


def typed(source: str) -> Iterator[str]:
    """Every line in the blocks that is to be typed, and what is substituted into it."""
    for kind, block in _FENCED.findall(source):
        for line in block.replace("\\\n", " ").splitlines():
            if kind == "sh" or line.startswith("$ "):
                yield line.removeprefix("$ ")
                yield from _SUBSTITUTED.findall(line)


def calls(source: str) -> Iterator[list[str]]:
    """The words of every call of ours."""
    for line in typed(source):
        words = shlex.shlex(line, posix=True, punctuation_chars=_OPERATORS)
        words.whitespace_split = True
        for operator, group in itertools.groupby(words, lambda word: set(word) <= set(_OPERATORS)):
            given = list(group)
            if not operator and "tg-pipeline" in given:
                yield given[given.index("tg-pipeline") + 1 :]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(DOCS)))
def test_every_command_exists_with_its_options(path: Path) -> None:
    for words in calls(path.read_text("utf-8")):  # none on some pages
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert rest != words or words[0].startswith("--"), f"no command in {words}"
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert given <= known | {"--help", "--version"}, words


def test_dagster_in_scripts_is_as_in_the_readme() -> None:
    """There its commands are run."""
    page = (DOCS / "how-to" / "ci.md").read_text("utf-8").partition("## With Dagster")[2]

    ((_, block), *_) = _FENCED.findall(page)
    assert block in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.prove  # minutes; the README and the tutorial of logging in are typed in every run
@pytest.mark.timeout(480)
def test_what_is_printed_is_what_comes(tmp_path: Path) -> None:
    for name in ("tutorial.md", "how-to/datasets.md", "how-to/backup.md"):
        require_as_printed(DOCS / name, tmp_path)


@pytest.mark.timeout(360)
@pytest.mark.prove  # README shows the same path, shorter
def test_who_logs_in_and_fetches_sees_what_is_printed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with telegram(tmp_path_factory.mktemp("telegram")) as loopback:
        page = DOCS / "your-own-chats.md"
        require_as_printed(page, tmp_path, given=loopback.environment, typed=loopback.typed)


def test_a_page_is_read_as_it_is_built() -> None:
    """The other tests see nothing unless this does."""
    page = Page(
        '<article><h2 id="a"><code>x.y</code><a class="headerlink" href="#a">¶</a></h2>'
        "<table><tr><th>n</th></tr><tr><td><code>one</code></td><td>two</td></tr></table></article>"
    )

    assert page.headings == ["x.y"]
    assert page.section("x.y").rows == [[], ["one", "two"]]
    assert page.section("x.y").code == {"x.y", "one"}
    assert page.anchors == {"a"}
