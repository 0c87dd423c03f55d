"""Every record of the landing zone, from the JSON Schemas of the contracts."""

import json
from collections.abc import Iterator
from typing import Any

from reference import markdown
from reference.markdown import code, table, words
from reference.schema import kind
from tg_pipeline.contracts.schema import CONTRACTS
from tg_pipeline.contracts.types import SCHEMA_VERSION

_ABOUT = f"""What a source yields and a landed batch holds, one JSON object a line. The present
`schema_version` is `{SCHEMA_VERSION}`; the JSON Schemas themselves are in
`tg_pipeline/contracts/schemas`. Unknown fields are refused. A field without a default has to be
there."""


def page() -> str:
    """Records and manifests, then the parts they are made of."""
    parts: dict[str, dict[str, Any]] = {}
    records: list[str] = []
    for name, contract in CONTRACTS.items():
        schema = contract.model_json_schema(mode="serialization")
        parts |= schema.pop("$defs", {})
        records += _described(name, schema)
    described = (text for name in sorted(parts) for text in _described(name, parts[name]))
    return markdown.page("Records", _ABOUT, *records, *described)


def _described(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield words(schema["description"])
    if "enum" in schema:
        yield " ".join(map(code, schema["enum"]))
        return
    rows = (_row(field, facts) for field, facts in schema["properties"].items())
    yield table(("field", "type", "default", "meaning"), rows)


def _row(name: str, facts: dict[str, Any]) -> list[str]:
    default = code(json.dumps(facts["default"])) if "default" in facts else ""
    return [code(name), kind(facts), default, words(facts.get("description", ""))]
