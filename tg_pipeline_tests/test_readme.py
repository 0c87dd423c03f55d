"""The README's commands and programs do what it prints."""

from pathlib import Path

import pytest

from tg_pipeline_tests.printed import require_as_printed

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.timeout(240)
def test_readme_shows_what_its_commands_print(tmp_path: Path) -> None:
    require_as_printed(README, tmp_path)
