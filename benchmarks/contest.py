"""Contests: contestants by turns, each run in a process of its own, weighed from outside."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.stage import Stage, Told

_MODULES = {"import": "imports", "export": "exporting", "around": "around", "fetch": "fetching"}
_turns = count(1)


@dataclass(slots=True)
class Result:
    """All runs of one contestant: items a second, and the most memory of its process."""

    name: str
    doc: str
    rates: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "rate": self.rate, "spread": self.spread}

    @property
    def rate(self) -> float:
        """Items a second, the median of its runs."""
        return median(self.rates)

    @property
    def spread(self) -> float:
        """From the slowest to the fastest run, as a part of the median."""
        return (max(self.rates) - min(self.rates)) / self.rate


def contest(stage: Stage, group: str, runs: Mapping[str, int]) -> dict[str, Result]:
    """Run contestants by turns, each as often as it says: A B C A B C A."""
    docs = {name: run.__doc__ or "" for name, run in _contestants(group).items()}
    results = {name: Result(name, docs[name].partition("\n")[0]) for name in runs}
    for turn in range(max(runs.values())):
        for name in (name for name, times in runs.items() if turn < times):
            told, peak = _apart(stage, group, name)
            results[name].rates.append(told.items / told.seconds)
            results[name].peak_mb = max(results[name].peak_mb, peak)
            sys.stderr.write(f"  {group} {name}: {told.items / told.seconds:,.0f}/s\n")
    return results


def repeated(commands: Iterable[tuple[str, Callable[[], Told]]], times: int) -> dict[str, Result]:
    """Whole commands, each some times after a first run that warms the caches."""
    results = {}
    for name, run in commands:
        run()
        results[name] = Result(name, "", [1 / run().seconds for _ in range(times)])
        sys.stderr.write(f"  {name}: {1 / results[name].rate:.3f} s\n")
    return results


def _apart(stage: Stage, group: str, name: str) -> tuple[Told, float]:
    """One run in a process of its own; what it told, and its peak memory in MB."""
    words = [sys.executable, "-m", "benchmarks.contest", group, name]
    words += [str(stage.folder), str(next(_turns))]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own words
    told = json.loads(done.stdout.splitlines()[-1])
    return Told(told["seconds"], told["items"]), told["peak_mb"]


def _contestants(group: str) -> Mapping[str, Callable[[Stage], Told]]:
    """Those of one group; libraries of the others would only weigh on the scales."""
    found: Mapping[str, Callable[[Stage], Told]] = import_module(
        f"benchmarks.{_MODULES[group]}"
    ).CONTESTANTS
    return found


def main() -> None:
    """One contestant, in this process."""
    group, name, folder, turn = sys.argv[1:]
    _contestants(group)[name](Stage(Path(folder), int(turn))).tell()


if __name__ == "__main__":
    main()
