"""What people read beside an asset: counts, versions, samples, plots and columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from tg_pipeline.contracts import Message
from tg_pipeline.exports import COLUMNS, Entry
from tg_pipeline.flows.stages import Held, Landed
from tg_pipeline.orchestration.names import VERSION
from tg_pipeline.orchestration.plot import messages_per_day
from tg_pipeline.quality import Outcome, RuleRuling, Ruling
from tg_pipeline.store.tables import messages
from tg_pipeline.store.windows import Window

Metadata = Mapping[str, Any]
ROWS = "dagster/partition_row_count"
_NOTHING = "empty"
_EXAMPLES_SHOWN = 10
_DOCS = {column.name: column.doc for column in COLUMNS}
"""What published columns mean; those of the table of the same name mean the same."""


def of_landed(landed: Landed) -> Metadata:
    """What landing has of a window."""
    damage = {"damaged batches": landed.damaged} if landed.damaged else {}
    return damage | {
        VERSION: landed.version,
        ROWS: landed.messages,
        "batches": len(landed.batches),
        "bytes": sum(batch.bytes for batch in landed.batches),
        "files": sorted({batch.origin.file_name for batch in landed.batches}),
        "messages per day": _plot(landed.window, landed.per_day),
    }


def of_held(held: Held) -> Metadata:
    """What the tables have of a window, with a few of its rows."""
    return {
        VERSION: held.version,
        ROWS: held.messages,
        "messages per day": _plot(held.window, held.per_day),
        "sample": dg.MetadataValue.table([_record(row) for row in held.sample], _SAMPLE_SCHEMA),
    }


def of_files(files: Sequence[Entry], folder: str) -> Metadata:
    """The files of one format that a window is published in: one, or none if it is empty."""
    if not files:
        return {VERSION: _NOTHING, ROWS: 0}
    (file,) = files
    return {
        VERSION: f"{file.data_version} {file.sha256[:16]} {file.verdict} {file.forced}",
        ROWS: file.rows,
        "bytes": file.bytes,
        "path": dg.MetadataValue.path(f"{folder}/{file.path}"),
        "sha256": file.sha256,
        "data version": file.data_version,
        "verdict": file.verdict,
        "forced": file.forced,
    }


def of_rule(rule: RuleRuling, ruling: Ruling) -> Metadata:
    """How a window stands under one rule, with examples of what was found."""
    told: dict[str, Any] = {
        VERSION: f"{ruling.version} {rule.outcome} {rule.findings}",
        "findings": rule.findings,
        "messages": ruling.rows,
    }
    return told | _examples(rule.examples)


def of_rule_in(found: Sequence[tuple[Ruling, RuleRuling]]) -> Metadata:
    """How all windows of a run stand under one rule."""
    if len(found) == 1:
        return of_rule(found[0][1], found[0][0])
    told: dict[str, Any] = {
        "findings": sum(rule.findings for _, rule in found),
        "messages": sum(ruling.rows for ruling, _ in found),
        "windows": len(found),
    }
    told.update(_examples([example for _, rule in found for example in rule.examples]))
    return told


def outcome_of(rules: Sequence[RuleRuling]) -> tuple[bool, dg.AssetCheckSeverity]:
    """Whether a check passed, and whether what it found keeps the exports back."""
    outcomes = {rule.outcome for rule in rules}
    closed = bool(outcomes & {Outcome.FAILED, Outcome.MISSING})
    severity = dg.AssetCheckSeverity.ERROR if closed else dg.AssetCheckSeverity.WARN
    return outcomes <= {Outcome.PASSED}, severity


def raw_columns() -> dg.TableSchema:
    """The fields of a landed message."""
    fields = Message.model_json_schema()["properties"]
    return dg.TableSchema(
        [
            dg.TableColumn(name, _json_type(field), description=field.get("description"))
            for name, field in fields.items()
        ]
    )


def table_columns() -> dg.TableSchema:
    """The columns of the table of messages."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                str(column.type).lower(),
                description=_DOCS.get(column.name, column.comment),
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in messages.columns
        ]
    )


def file_columns() -> dg.TableSchema:
    """The columns of a published file."""
    return dg.TableSchema(
        [dg.TableColumn(one.name, str(one.type), description=one.doc) for one in COLUMNS]
    )


def _plot(window: Window, per_day: Mapping[Any, int]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(messages_per_day(per_day, window.period, window.next_period))


_SAMPLE_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("id", "int"),
        dg.TableColumn("date", "string"),
        dg.TableColumn("kind", "string"),
        dg.TableColumn("sender_id", "int"),
        dg.TableColumn("text", "string", description="the first 80 characters"),
    ]
)
_EXAMPLE_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("day", "string"),
        dg.TableColumn("id", "int"),
        dg.TableColumn("what", "string"),
    ]
)


def _record(row: Any) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "id": row.id,
            "date": f"{row.date:%Y-%m-%d %H:%M:%S}Z",
            "kind": row.kind,
            "sender_id": row.sender_id,
            "text": row.text,
        }
    )


def _examples(examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not examples:
        return {}
    rows = [dg.TableRecord(_plain(example)) for example in examples[:_EXAMPLES_SHOWN]]
    return {"examples": dg.MetadataValue.table(rows, _EXAMPLE_SCHEMA)}


def _plain(example: Mapping[str, Any]) -> dict[str, Any]:
    return {name: example[name] for name in ("day", "id", "what")}


def _json_type(field: Mapping[str, Any]) -> str:
    kinds = [one.get("type", "object") for one in field.get("anyOf", [field])]
    return " or ".join(dict.fromkeys(str(kind) for kind in kinds))
