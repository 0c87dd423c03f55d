"""The bar on a terminal: what is shown of a flow's reports."""

import io

from rich.console import Console
from rich.progress import Progress

from tg_pipeline.cli.console import Shown
from tg_pipeline.flows.progress import Step


def shown(*steps: Step) -> list[tuple[str, float]]:
    """The lines that can be seen in the end, each with how far it is."""
    bar = Progress(console=Console(file=io.StringIO(), force_terminal=True))
    show = Shown(bar)
    for step in steps:
        show(step)
    return [(task.description, task.completed) for task in bar.tasks if task.visible]


FETCHING = Step("fetching", 40, 100, "ids", "Harbour: 40 messages, 20/s")
WAIT = Step("waiting", 3, 9, "seconds", pause=True)


def test_one_piece_of_work_after_another_has_the_line() -> None:
    assert shown(Step("loading", 1, 2, "batches"), FETCHING) == [
        ("fetching Harbour: 40 messages, 20/s", 40)
    ]


def test_a_wait_is_shown_below_the_work_that_it_interrupts() -> None:
    assert [line for line, _ in shown(FETCHING, WAIT)] == [
        "fetching Harbour: 40 messages, 20/s", "waiting"
    ]  # fmt: skip


def test_work_that_goes_on_after_a_wait_is_seen_again() -> None:
    """It stayed hidden for the rest of the run."""
    later = Step("fetching", 60, 100, "ids", "Quay: 60 messages, 20/s")
    assert shown(FETCHING, WAIT, later) == [("fetching Quay: 60 messages, 20/s", 60)]
    assert [line for line, _ in shown(FETCHING, WAIT, later, WAIT)][-1] == "waiting"
