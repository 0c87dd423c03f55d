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
    day_of,
    load_settings,
)
from tg_pipeline.errors import EXIT_REFUSED

if TYPE_CHECKING:
    from tg_pipeline.quality import Ruling

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
    with archive(loaded) as opened, show.progress() as progress:
        flows.settle(opened, progress)
        windows = flows.find_windows(opened, keys, since=day_of(since), until=day_of(until))
        rulings = flows.check_windows(opened, windows, progress=progress)
    if as_json:
        show.json([ruling.as_dict() for ruling in rulings])
    else:
        _tell(rulings)
    return 0 if all(ruling.is_open for ruling in rulings) else EXIT_REFUSED


def _tell(rulings: "list[Ruling]") -> None:
    from tg_pipeline.cli.console import show
    from tg_pipeline.quality import RULES

    by_rule = {
        rule.name: [one for ruling in rulings for one in ruling.rules if one.rule == rule.name]
        for rule in RULES
    }
    show.table(
        ("rule", "promise", "passed", "warning", "failed", "findings"),
        (
            (
                rule.name,
                rule.promise,
                *(
                    sum(one.outcome.value == outcome for one in by_rule[rule.name])
                    for outcome in ("passed", "warning", "failed")
                ),
                sum(one.findings for one in by_rule[rule.name]),
            )
            for rule in RULES
        ),
    )
    for ruling in rulings:
        for failed in ruling.failing:
            _tell_examples(ruling, failed)
    closed = sum(not ruling.is_open for ruling in rulings)
    messages = sum(ruling.rows for ruling in rulings)
    show.text(
        f"\n{messages:,} messages in {len(rulings):,} windows judged: "
        + (f"{closed:,} windows may not be published" if closed else "all may be published")
    )


def _tell_examples(ruling: "Ruling", failed: str) -> None:
    from tg_pipeline.cli.console import show

    (rule,) = (rule for rule in ruling.rules if rule.rule == failed)
    show.text(f"\n{ruling.window} fails {failed}, {rule.findings:,} findings:")
    for example in rule.examples[:_EXAMPLES_SHOWN]:
        message = "" if example["id"] is None else f" message {example['id']}:"
        show.text(f"  {example['day']}{message} {example['what']}")
