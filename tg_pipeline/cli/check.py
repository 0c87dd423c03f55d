"""`tg-pipeline check`: judge what the tables hold."""

from typing import TYPE_CHECKING

from tg_pipeline.cli.options import (
    AsJson,
    Chats,
    Home,
    Quiet,
    Since,
    Until,
    Verbose,
    archive,
    chat_key,
    days_of,
    load_settings,
)
from tg_pipeline.errors import EXIT_REFUSED

if TYPE_CHECKING:
    from tg_pipeline.quality import Rule, Ruling

_WINDOWS_SHOWN = 3
_EXAMPLES_SHOWN = 3


def check(
    chats: Chats = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Judge messages by the rules of quality. What fails is not published (exit code 4).

    Examples:
      tg-pipeline check

      tg-pipeline check -1001613744721 --since 2024-01-01 --json
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    loaded = load_settings(home, verbose, quiet)
    keys = [chat_key(text) for text in chats or ()] or None
    first, last = days_of(since, until)
    with archive(loaded) as opened, show.progress() as progress:
        flows.settle(opened, progress)
        windows = flows.find_windows(opened, keys, since=first, until=last)
        rulings = flows.check_windows(opened, windows, progress=progress)
    if as_json:
        show.json([ruling.as_dict() for ruling in rulings])
    else:
        _tell(rulings)
    return 0 if all(ruling.is_open for ruling in rulings) else EXIT_REFUSED


def _tell(rulings: "list[Ruling]") -> None:
    from tg_pipeline.cli.console import show
    from tg_pipeline.quality import RULES

    if not rulings:
        show.text("There are no messages to judge.")
        return
    show.table(
        ("rule", "passed", "warning", "failed", "findings"),
        ((rule.name, *_counted(rulings, rule)) for rule in RULES),
    )
    for rule in RULES:
        failing = [ruling for ruling in rulings if rule.name in ruling.failing]
        if failing:
            _tell_failing(rule, failing)
    show.text(f"\n{_summary(rulings)}")


def _counted(rulings: "list[Ruling]", rule: "Rule") -> tuple[int, ...]:
    """Windows by how they stand under a rule, and what was found in them together."""
    found = [one for ruling in rulings for one in ruling.rules if one.rule == rule.name]
    outcomes = [one.outcome.value for one in found]
    standing = (outcomes.count(outcome) for outcome in ("passed", "warning", "failed"))
    return (*standing, sum(one.findings for one in found))


def _tell_failing(rule: "Rule", failing: "list[Ruling]") -> None:
    """The promise that is not kept, and the first few places where."""
    from tg_pipeline.cli.console import show

    show.text(f"\n{rule.name} failed: {rule.promise}")
    for ruling in failing[:_WINDOWS_SHOWN]:
        (found,) = (one for one in ruling.rules if one.rule == rule.name)
        show.text(f"  {ruling.window}, findings: {found.findings:,}")
        for example in found.examples[:_EXAMPLES_SHOWN]:
            message = "" if example["id"] is None else f" message {example['id']}:"
            show.text(f"    {example['day']}{message} {example['what']}")
    if len(failing) > _WINDOWS_SHOWN:
        show.text(f"  and {len(failing) - _WINDOWS_SHOWN:,} windows more; --json lists them")


def _summary(rulings: "list[Ruling]") -> str:
    from tg_pipeline.quality import Outcome

    judged = f"{sum(one.rows for one in rulings):,} messages in {len(rulings):,} windows judged: "
    outcomes = [ruling.outcome for ruling in rulings]
    closed = outcomes.count(Outcome.FAILED)
    told = [f"{closed:,} may not be published"] if closed else []
    if unjudged := outcomes.count(Outcome.MISSING):
        told.append(f"{unjudged:,} were changing all the time, judge them again")
    return judged + ("; ".join(told) or "all may be published")
