"""Every error code has a page that says what happened, why, what to do and what is lost."""

import re

import pytest

from tg_pipeline_tests.docs.site import DOCS, Site
from tg_pipeline_tests.docs.test_reference import CODES

SECTIONS = ["Why", "What to do", "Is anything lost?"]
FEWEST_WORDS = 4


def test_pages_and_codes_are_the_same() -> None:
    assert sorted(path.stem for path in (DOCS / "runbook").glob("*.md")) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_page_has_all_that_a_person_in_trouble_needs(site: Site, code: str) -> None:
    page = site.page(f"runbook/{code}/")

    assert page.headings == [code, *SECTIONS]
    for section in page.sections:
        words = section.text.removeprefix(section.heading).split()
        assert len(words) >= FEWEST_WORDS, section.heading
    source = (DOCS / "runbook" / f"{code}.md").read_text("utf-8")
    assert re.search(r"^```(sh|sql)$", source.partition("## What to do")[2], re.MULTILINE)
