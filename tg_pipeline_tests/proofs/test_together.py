"""Several commands at once on one archive end where one after the other would."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tg_pipeline_tests.proofs import samples
from tg_pipeline_tests.proofs.running import SUCCESS, Home
from tg_pipeline_tests.state import assert_same

LONG = [pytest.mark.prove, pytest.mark.timeout(3600)]
EXTENTS = [pytest.param(600, 1, id="short"), pytest.param(4_000, 12, id="long", marks=LONG)]
TABLES = ("messages", "superseded_versions", "participant_names", "chat_days")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which no process may be left."""
    home = Home(tmp_path / "home")
    yield home
    home.wait_until_quiet()


@pytest.mark.parametrize(("messages", "times"), EXTENTS)
def test_imports_of_one_chat_at_once(messages: int, times: int, home: Home, tmp_path: Path) -> None:
    """The same file twice, another moment of its chat, and then one of them replaced meanwhile."""
    early = samples.chat_export(tmp_path / "early.json", messages, as_of=samples.MIDDLE)
    late = samples.chat_export(tmp_path / "late.json", messages)
    orderly = Home(tmp_path / "orderly")
    orderly.succeed("import", early, late, "--no-export")
    expected = orderly.state()

    _at_once(home, [[early], [late], [late]])
    assert_same(_tables(home), {name: expected[name] for name in TABLES})
    for number in range(times):
        supplier = ["--supplier", f"s{number}", "--replace"]
        _at_once(home, [[late, *supplier], [early] if number % 2 == 0 else []])
        assert_same(_tables(home), {name: expected[name] for name in TABLES})


def _at_once(home: Home, imports: list[list[Path | str]]) -> None:
    commands = [["import", *words, "--no-export"] if words else ["db", "load"] for words in imports]
    for running in [home.start(*command) for command in commands]:
        ended = running.wait()
        assert ended.code in SUCCESS, ended.told
        assert "Traceback" not in ended.err, ended.told


def _tables(home: Home) -> dict[str, object]:
    """What does not name the options that a file was imported with."""
    state = home.state()
    return {name: state[name] for name in TABLES}
