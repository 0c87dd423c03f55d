"""Every rule of quality."""

from reference import markdown
from reference.markdown import code, summary, table, words
from tg_pipeline.quality.rules import RULE_SET, RULES

_ABOUT = f"""Each is asked about every day of every chat (UTC). A window, which is a chat's month or
day, is published when none of its days has failed under any rule. The present rule set is
`{RULE_SET}`; verdicts under another one, or on other data than the present, count for nothing. What
to do about a failure: [When quality fails](../how-to/quality-failures.md)."""


def page() -> str:
    """Rules, what they promise, and what a finding is."""
    rows = (
        (
            code(rule.name),
            words(rule.promise),
            summary(rule.search),
            "only warns" if rule.only_warns else "fails the day",
        )
        for rule in RULES
    )
    columns = ("rule", "promise", "what is found", "a finding")
    return markdown.page("Rules of quality", _ABOUT, table(columns, rows))
