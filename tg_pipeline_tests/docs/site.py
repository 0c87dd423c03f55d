"""The built site as its readers find it: pages of sections, with their tables, code and links."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_HEADINGS = {"h1", "h2", "h3", "h4"}
_REFERRING = {"a": "href", "link": "href", "script": "src", "img": "src"}


@dataclass
class Section:
    """What stands under a heading, before the next one."""

    heading: str = ""
    text: str = ""
    code: set[str] = field(default_factory=set)
    rows: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """One page: its sections by heading, its anchors, and what it refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: list[Section] = []
        self.anchors: set[str] = set()
        self.references: list[tuple[str, str]] = []
        self._inside: list[str] = []
        self._code = ""
        self.feed(html)

    def section(self, heading: str) -> Section:
        """The one section of that heading."""
        (found,) = (one for one in self.sections if one.heading == heading)
        return found

    @property
    def headings(self) -> list[str]:
        return [section.heading for section in self.sections]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.anchors.add(given["id"])
        if tag in _REFERRING and _REFERRING[tag] in given:
            self.references.append((tag, given[_REFERRING[tag]]))
        if tag in {"article", "code", "td", "a", *_HEADINGS}:
            self._inside.append("permalink" if given.get("class") == "headerlink" else tag)
        if "article" in self._inside:
            self._begin(tag)

    def _begin(self, tag: str) -> None:
        if tag in _HEADINGS:
            self.sections.append(Section())
        elif tag == "tr":
            self.sections[-1].rows.append([])
        elif tag == "td":
            self.sections[-1].rows[-1].append("")
        elif tag == "code":
            self._code = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "code" and self.sections:
            self.sections[-1].code.add(self._code)
        if tag in {"article", "code", "td", "a", *_HEADINGS} and self._inside:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if "article" not in self._inside or "permalink" in self._inside or not self.sections:
            return
        section = self.sections[-1]
        if _HEADINGS & set(self._inside):
            section.heading += data
        section.text += data
        if "code" in self._inside:
            self._code += data
        if "td" in self._inside:
            section.rows[-1][-1] += data


@dataclass(frozen=True)
class Site:
    """The built site."""

    folder: Path

    @classmethod
    def build(cls, folder: Path) -> "Site":
        """Build it strictly: a warning is an error."""
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
            cwd=ROOT,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return cls(folder)

    @cached_property
    def pages(self) -> dict[str, Page]:
        """Every page by its address below the site."""
        found = sorted(self.folder.rglob("index.html"))
        return {self._address(path): Page(path.read_text("utf-8")) for path in found}

    def page(self, address: str) -> Page:
        return self.pages[address]

    def _address(self, path: Path) -> str:
        place = path.parent.relative_to(self.folder).as_posix()
        return "" if place == "." else f"{place}/"
