from pathlib import Path
from typing import Any

import pytest

from tg_pipeline_tests.sources.making import Made, Outcome, export, read_whole, written


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Write one chat of the given messages and read it back."""

    def make(*messages: Any, options: dict[str, Any] | None = None, **header: Any) -> Outcome:
        path = written(tmp_path, export(*messages, **header))
        return read_whole(path, **(options or {}))

    return make
