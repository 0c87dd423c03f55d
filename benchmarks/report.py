"""From figures to `results.json`, plots, and the page in the docs."""

import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import matplotlib.pyplot as plt

_HERE = Path(__file__).parent
_DOCS = _HERE.parent / "docs"
_BLUE, _GREY = "#2a78b8", "#9aa5b1"
_OURS = {"ours", "parquet_alone", "known", "later", "again", "scan", "in_dagster"}
_UNITS: Final = {
    "import": "messages/s",
    "export": "messages/s",
    "fetch": "messages/s",
    "first pass": "MB/s",
    "chain": "months/s",
}
_LIMITS: Final = {"import": "raw_copy", "export": "binary_copy", "first pass": "sha256"}


def write(figures: dict[str, Any]) -> None:
    """Write all three."""
    mpl.rcParams.update({"svg.hashsalt": "tg_pipeline", "font.size": 10})
    (_HERE / "results.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    images = _DOCS / "images"
    images.mkdir(exist_ok=True)
    for group in ("import", "export"):
        _plot(figures["contests"][group], images / f"benchmark-{group}.svg")
    (_DOCS / "benchmarks.md").write_text(_page(figures), "utf-8")


def _plot(results: dict[str, Any], path: Path) -> None:
    """Bars from slow to fast with the spread of their runs, on a logarithmic scale."""
    ordered = sorted(results.values(), key=lambda result: result["rate"])
    names = [result["name"].replace("_", " ") for result in ordered]
    rates = [result["rate"] for result in ordered]
    low = [result["rate"] - min(result["rates"]) for result in ordered]
    high = [max(result["rates"]) - result["rate"] for result in ordered]
    colours = [_BLUE if result["name"] in _OURS else _GREY for result in ordered]
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(names) + 0.9), layout="constrained")
    axes.barh(names, rates, xerr=[low, high], color=colours, error_kw={"capsize": 3})
    axes.set_xscale("log")
    axes.set_xlabel("messages a second (more is better; the line shows slowest and fastest run)")
    axes.spines[["top", "right"]].set_visible(False)
    for at, rate in enumerate(rates):
        axes.annotate(
            f"{rate:,.0f}", (rate, at), xytext=(14, 0), textcoords="offset points", va="center"
        )
    axes.margins(x=0.25)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _page(figures: dict[str, Any]) -> str:
    known, contests = figures["machine"], figures["contests"]
    versions = ", ".join(f"{name} {number}" for name, number in known["versions"].items())
    return f"""# Benchmarks

Written by `make bench` on {known["date"]}, in {figures["seconds"]} seconds. Do not edit: run it on
your machine. Times of two machines cannot be compared; the ratios, measured by turns in one run,
travel better.

{known["processor"]}, {known["cores"]} cores, {known["memory_gib"]} GiB, {known["system"]},
Python {known["python"]}; {versions}.

The sample is one chat of {figures["messages"]:,} made-up messages. Every run is a process of its
own; its start, opening the database and preparing are not counted. *Spread* is the distance from
the slowest to the fastest run as a part of the median; *peak* the most memory of the contestant's
own process. PostgreSQL is the embedded one, the same for all.

## Import

![Messages a second by every way of import](images/benchmark-import.svg)

{_table(contests["import"], "import")}

`raw_copy` is what PostgreSQL needs for the finished rows alone. `ours` begins with the export file.
`again`, the very same file, only has to be read once to know it. `known` and `later` read, land and
merge every record once more. `sqlalchemy` and `dlt` get
finished rows too, and a part of them.

## Export

![Messages a second by every way of export](images/benchmark-export.svg)

{_table(contests["export"], "export")}

`ours` writes two formats, Parquet and JSONL, each file flushed to disk, recorded and named in the
manifest. `pandas` writes Parquet alone and gets some of the windows. `binary_copy` throws the rows
away.

## Fetch

{_table(contests["fetch"], "fetch")}

From a Telegram on loopback, which runs in a process of its own. The pace that we keep at Telegram's
own servers is switched off: it would be the only thing measured.

## First pass of a file

{_table(contests["first pass"], "first pass")}

## Dagster beside the work

{_table(contests["chain"], "chain")}

The same work for one chat and month, in a warm process: verify, load, judge, publish.

## Start of commands

| command | seconds | spread |
|---|---:|---:|
{_starts(contests["start"])}

`status` reads an archive of 1,000 chats with three years of days each. The server runs already.
"""


def _table(results: dict[str, Any], group: str) -> str:
    unit = _UNITS[group]
    scale = 1e6 if unit == "MB/s" else 1
    lines = [
        f"| contestant | what it does | {unit} | of the limit | spread | peak MB |",
        "|---|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| `{one['name']}` | {one['doc']} | {_number(one['rate'] / scale)} "
        f"| {one['rate'] / _limit(results, group, one['name']):.2f} "
        f"| {one['spread']:.0%} | {one['peak_mb']:.0f} |"
        for one in results.values()
    ]
    return "\n".join(lines)


def _limit(results: dict[str, Any], group: str, name: str) -> float:
    """What a contestant can reach at best: the limit of its group, or its own rival."""
    if group == "fetch":
        rate: float = results[name.replace("ours", "bare")]["rate"]
    elif group in _LIMITS:
        rate = results[_LIMITS[group]]["rate"]
    else:
        rate = max(one["rate"] for one in results.values())
    return rate


def _starts(results: dict[str, Any]) -> str:
    return "\n".join(
        f"| `{one['name']}` | {1 / one['rate']:.3f} | {one['spread']:.0%} |"
        for one in results.values()
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
