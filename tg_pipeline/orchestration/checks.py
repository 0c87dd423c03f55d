"""The rules of quality as checks of the table: those that fail keep the exports from running.

The checks show verdicts; the table of verdicts is the gate, and the exports ask it again.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from tg_pipeline import flows
from tg_pipeline.orchestration import metadata, partitions
from tg_pipeline.orchestration.failures import RETRIES, logged, told
from tg_pipeline.orchestration.names import MESSAGES, Names
from tg_pipeline.orchestration.sync import tell_rulings
from tg_pipeline.quality import RULES, Rule, Ruling
from tg_pipeline.settings import Settings


def build_checks(names: Names, settings: Settings) -> dg.AssetChecksDefinition:
    """One check for each rule; one pass over the windows gives all results."""
    periods = partitions.definition(names, settings.period)

    @dg.multi_asset_check(
        name=names.unique("judge_messages"),
        specs=[
            dg.AssetCheckSpec(
                rule.name,
                asset=names.key(MESSAGES),
                description=rule.promise,
                blocking=True,
                partitions_def=periods,
            )
            for rule in RULES
        ],
        retry_policy=RETRIES,
        required_resource_keys={names.archive},
    )
    def judge_messages(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        archive: flows.Archive = getattr(context.resources, names.archive)
        keys = context.op_execution_context.partition_keys
        windows = [partitions.window_of(key, settings.period) for key in keys]
        with told():
            rulings = flows.check_windows(archive, windows, progress=logged(context))
        if not context.op_execution_context.has_partition_key:
            # Dagster gives the results of a range to no partition.
            tell_rulings(context.instance, names, rulings)
        for rule in RULES:
            yield _result(names, rule, rulings)

    return judge_messages


def _result(names: Names, rule: Rule, rulings: Sequence[Ruling]) -> dg.AssetCheckResult:
    """How all windows of the run stand under one rule."""
    found = [(ruling, one) for ruling in rulings for one in ruling.rules if one.rule == rule.name]
    passed, severity = metadata.outcome_of([one for _, one in found])
    findings = sum(one.findings for _, one in found)
    return dg.AssetCheckResult(
        passed=passed,
        asset_key=names.key(MESSAGES),
        check_name=rule.name,
        severity=severity,
        description=f"{findings:,} findings in {len(rulings):,} windows" if findings else None,
        metadata=metadata.of_rule_in(found),
    )
