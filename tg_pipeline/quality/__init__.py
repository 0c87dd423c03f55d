"""Quality: rules judge a chat's days, verdicts are rows, and the gate reads them.

judge(database, zone, windows)
with database.snapshot() as connection:
    rulings(connection, windows)[window].is_open
"""

from tg_pipeline.quality.findings import Finding, Outcome, Rule
from tg_pipeline.quality.judge import judge
from tg_pipeline.quality.rules import RULE_SET, RULES
from tg_pipeline.quality.rulings import RuleRuling, Ruling, rulings, unjudged

__all__ = [
    "RULES",
    "RULE_SET",
    "Finding",
    "Outcome",
    "Rule",
    "RuleRuling",
    "Ruling",
    "judge",
    "rulings",
    "unjudged",
]
