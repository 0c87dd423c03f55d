"""The README's commands and programs do what it prints."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tg_pipeline_tests.answering import telegram
from tg_pipeline_tests.printed import require_as_printed

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.timeout(360)
def test_readme_shows_what_its_commands_print(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with telegram(tmp_path_factory.mktemp("telegram")) as loopback:
        require_as_printed(README, tmp_path, given=loopback.environment, typed=loopback.typed)

    named = re.findall(r"(-100\d+)\|(\d{4}-\d\d-\d\d)", README.read_text("utf-8"))
    assert named
    for chat, month in named:  # those of Dagster's commands, which are run elsewhere
        folder = f"exports/messages/parquet/chat={chat}/period={month}"
        assert (tmp_path / ".tg_pipeline/demo" / folder).is_dir()


def test_who_types_it_top_to_bottom_imports_into_an_archive_of_his_own() -> None:
    where = [(command, exported) for command, exported in typed() if "import ~/" in command]

    assert where
    assert [command for command, exported in where if "TG_PIPELINE_HOME" in exported] == []
    *_, (_, at_the_end) = typed()
    assert at_the_end == set()


def typed() -> Iterator[tuple[str, set[str]]]:
    """Every command, with the variables that are set once it is done."""
    exported: set[str] = set()
    for kind, block in re.findall(
        r"^```(sh|console)\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        for line in block.splitlines():
            if kind == "console" and not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ").partition("#")[0].strip()
            if command.startswith("export TG_PIPELINE_HOME"):
                exported = exported | {"TG_PIPELINE_HOME"}
            elif command.startswith("unset "):
                exported = exported - set(command.split()[1:])
            yield command, exported
