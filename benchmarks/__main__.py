"""Run all benchmarks: `make bench`.

A smaller sample is for trying them out: `python -m benchmarks 20000`.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks import around, exporting, fetching, imports, machine, report, samples
from benchmarks.contest import Result, contest, repeated
from benchmarks.stage import Stage
from tg_pipeline import flows

MESSAGES: Final = 300_000
IMPORTS: Final = {
    "raw_copy": 3,
    "ours": 2,
    "known": 1,
    "later": 1,
    "again": 3,
    "sqlalchemy": 1,
    "dlt": 1,
}
EXPORTS: Final = {"binary_copy": 2, "ours": 2, "parquet_alone": 2, "pandas": 1}
FIRST_PASS: Final = {"sha256": 3, "scan": 3}
FETCHES: Final = {
    "bare_at_once": 3,
    "ours_at_once": 3,
    "bare_after_40_ms": 2,
    "ours_after_40_ms": 2,
}
CHAIN: Final = {"in_flows": 2, "in_dagster": 2}
STARTS: Final = 3


def main() -> None:
    """Measure, and write the figures, the plots and the page."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    began = time.monotonic()
    with tempfile.TemporaryDirectory(
        prefix="tg_pipeline_bench_",
        ignore_cleanup_errors=True,  # its server may still be leaving
    ) as folder:
        contests = _measured(Stage(Path(folder)), messages)
    figures = {
        "machine": machine.described(),
        "messages": messages,
        "seconds": round(time.monotonic() - began),
        "contests": contests,
    }
    report.write(figures)


def _measured(stage: Stage, messages: int) -> dict[str, Any]:
    _say(f"making {messages:,} messages")
    samples.make(stage, messages)
    with flows.open_archive(stage.settings):  # so that the server runs as long as this does
        imports.prepare(stage)
        exporting.prepare(stage)
        many = around.make_many_chats(stage)
        contests = {
            "import": contest(stage, "import", IMPORTS),
            "export": contest(stage, "export", EXPORTS),
            "fetch": _fetches(stage),
            "first pass": contest(stage, "around", FIRST_PASS),
            "chain": contest(stage, "around", CHAIN),
            "start": repeated(around.starts(many), STARTS),
        }
    return {name: _plain(results) for name, results in contests.items()}


def _fetches(stage: Stage) -> dict[str, Result]:
    with fetching.telegrams(stage):
        return contest(stage, "fetch", FETCHES)


def _plain(results: dict[str, Result]) -> dict[str, Any]:
    return {name: result.as_dict() for name, result in results.items()}


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


if __name__ == "__main__":
    main()
