"""Bringing Dagster's view in line with the truth, whoever did the work.

For each window it is told what landing, the tables, the verdicts and the files are now, unless
its latest event tells just that already. So it can be repeated, and an instance that was lost is
filled again by the same code.
"""

import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
import sqlalchemy as sa

from tg_pipeline import flows
from tg_pipeline.exports import DATASET
from tg_pipeline.flows import stages
from tg_pipeline.orchestration import metadata, partitions, recorded
from tg_pipeline.orchestration.dev import exit_code_of
from tg_pipeline.orchestration.instance import open_instance
from tg_pipeline.orchestration.metadata import ROWS, Metadata
from tg_pipeline.orchestration.names import CHAT_TAG, FILES, MESSAGES, RAW, VERSION, Names
from tg_pipeline.orchestration.record import record_evaluations, record_materializations
from tg_pipeline.orchestration.recorded import Target
from tg_pipeline.orchestration.runs import clear_stale
from tg_pipeline.quality import RULES, Outcome, RuleRuling, Ruling
from tg_pipeline.settings import load
from tg_pipeline.store.windows import Window

WINDOWS_AT_ONCE = 500
"""Some 10 of the 60 seconds that Dagster gives the tick of a sensor."""


@dataclass(frozen=True, slots=True)
class Synced:
    """How much Dagster had to be told."""

    windows: int = 0
    materializations: int = 0
    results: int = 0

    def __add__(self, other: "Synced") -> "Synced":
        return Synced(
            self.windows + other.windows,
            self.materializations + other.materializations,
            self.results + other.results,
        )


def sync_all(
    instance: dg.DagsterInstance,
    archive: flows.Archive,
    names: Names,
    progress: flows.Progress,
) -> Synced:
    """Record what every window is now, where Dagster does not know it yet."""
    partitions.register(instance, names, flows.followed_chats(archive))
    return sync_in_portions(instance, archive, names, flows.changes(archive).windows, progress)


def sync_in_portions(
    instance: dg.DagsterInstance,
    archive: flows.Archive,
    names: Names,
    windows: Sequence[Window],
    progress: flows.Progress,
) -> Synced:
    """The same for as many windows as there may be."""
    done = Synced()
    for start in range(0, len(windows), WINDOWS_AT_ONCE):
        done += sync(instance, archive, names, windows[start : start + WINDOWS_AT_ONCE])
        progress(flows.Step("recording", done.windows, len(windows), "windows"))
    return done


def sync(
    instance: dg.DagsterInstance,
    archive: flows.Archive,
    names: Names,
    windows: Sequence[Window],
) -> Synced:
    """Record what these windows are now, where Dagster does not know it yet."""
    known = [window for window in windows if partitions.has(window)]
    partitions.register(instance, names, {window.chat for window in known})
    with _alone(archive):
        news = _tell_materializations(instance, archive, names, known)
        rulings = stages.judged(archive, known)
        results = tell_rulings(instance, names, list(rulings.values()), anew=news[MESSAGES])
    return Synced(len(windows), sum(len(told) for told in news.values()), results)


@contextmanager
def _alone(archive: flows.Archive) -> Iterator[None]:
    """Let one process at a time look at what is recorded and add to it."""
    name = f"tg_pipeline sync {archive.database.schema}"
    lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))
    with archive.database.transaction() as connection:
        connection.execute(sa.select(lock))
        yield


def tell_rulings(
    instance: dg.DagsterInstance,
    names: Names,
    rulings: Sequence[Ruling],
    anew: Collection[Window] = (),
) -> int:
    """Record how windows stand under each rule; how many results were new to Dagster.

    Those of windows that were just told anew are: to Dagster, older results are outdated.
    """
    asset = names.key(MESSAGES)
    judged = [one for one in rulings if one.rules and one.outcome is not Outcome.MISSING]
    keys = [partitions.key_of(one.window) for one in judged]
    checks = [dg.AssetCheckKey(asset, rule.name) for rule in RULES]
    known = recorded.evaluated(instance, checks, keys)
    fresh = [
        (key, ruling, rule)
        for key, ruling in zip(keys, judged, strict=True)
        for rule in ruling.rules
        if ruling.window in anew
        or known.get((rule.rule, key)) != metadata.of_rule(rule, ruling)[VERSION]
    ]
    # Pages open a check with the newest of its results: let that be one which has found something.
    fresh.sort(key=lambda one: (one[2].outcome is Outcome.FAILED, one[2].findings > 0))
    targets = recorded.targets(instance, asset, {key for key, _, _ in fresh})
    record_evaluations(
        instance,
        [evaluation(asset, ruling, rule, targets.get(key)) for key, ruling, rule in fresh],
    )
    return len(fresh)


def evaluation(
    asset: dg.AssetKey,
    ruling: Ruling,
    rule: RuleRuling,
    target: Target | None,
) -> dg.AssetCheckEvaluation:
    """How one window stands under one rule, as the result of a check."""
    passed, severity = metadata.outcome_of([rule])
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=rule.rule,
        passed=passed,
        severity=severity,
        metadata=metadata.of_rule(rule, ruling),
        partition=partitions.key_of(ruling.window),
        blocking=True,
        target_materialization_data=target,
    )


def _tell_materializations(
    instance: dg.DagsterInstance,
    archive: flows.Archive,
    names: Names,
    windows: Sequence[Window],
) -> dict[str, list[Window]]:
    """Tell the news of each asset in the order of the chain, and all that comes after news."""
    keys = {window: partitions.key_of(window) for window in windows}
    fresh: list[dg.AssetMaterialization] = []
    told: dict[str, list[Window]] = {}
    news: set[Window] = set()
    for asset, facts in _facts(archive, windows).items():
        known = recorded.materialized(instance, names.key(asset), keys.values())
        news |= {one for one in windows if _is_news(facts[one], known, keys[one])}
        told[asset] = [
            window
            for window in windows
            if window in news and (facts[window][ROWS] or keys[window] in known)
        ]
        fresh += [
            _materialization(names.key(asset), window, keys[window], facts[window])
            for window in told[asset]
        ]
    record_materializations(instance, fresh)
    return told


def _is_news(found: Metadata, known: Mapping[str, str | None], key: str) -> bool:
    """Windows with nothing in them are only told of where there was something before."""
    if key not in known:
        return bool(found[ROWS])
    return bool(known[key] != found[VERSION])


def _materialization(
    asset: dg.AssetKey, window: Window, key: str, found: Metadata
) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset, metadata=found, partition=key, tags={CHAT_TAG: str(window.chat)}
    )


def _facts(archive: flows.Archive, windows: Sequence[Window]) -> dict[str, dict[Window, Metadata]]:
    """What each asset of the chain is in each window."""
    landed, held = stages.landed(archive, windows), stages.held(archive, windows)
    published = stages.published(archive, windows)
    folder = str(archive.exports / DATASET)
    facts: dict[str, dict[Window, Any]] = {
        RAW: {window: metadata.of_landed(landed[window]) for window in windows},
        MESSAGES: {window: metadata.of_held(held[window]) for window in windows},
    }
    for asset, file_format in FILES.items():
        facts[asset] = {
            window: metadata.of_files(
                # A file stays recorded until the next publication after its window was emptied.
                [one for one in published.get(window, ()) if one.format == file_format]
                if held[window].messages
                else [],
                folder,
            )
            for window in windows
        }
    return facts


def main() -> int:
    """Bring our own deployment's instance in line; `--json` for programs."""
    return exit_code_of(_sync_ours)


def _sync_ours() -> None:
    settings = load().settings
    with open_instance() as instance, flows.open_archive(settings) as archive:
        cleared = clear_stale(instance)
        done = sync_all(instance, archive, Names(), _shown)
    if "--json" in sys.argv:
        sys.stdout.write(f"{json.dumps({**asdict(done), 'runs_ended': len(cleared)})}\n")
        return
    sys.stdout.write(
        f"{done.windows:,} windows looked at: {done.materializations:,} materializations and "
        f"{done.results:,} results of checks were new to Dagster.\n"
    )
    if cleared:
        sys.stdout.write(f"{len(cleared)} runs whose process was killed are reported failed.\n")


def _shown(step: flows.Step) -> None:
    if sys.stderr.isatty():
        end = "\n" if step.done == step.total else "\r"
        sys.stderr.write(f"{step.what}: {step.done:,} of {step.total:,} {step.unit}{end}")


if __name__ == "__main__":
    sys.exit(main())
