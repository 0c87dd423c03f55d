"""What a value may be, in words, as its JSON Schema has it."""

from typing import Any

_BIGINT = 2**63 - 1
_FORMATS = {"date-time": "UTC time", "date": "day", "path": "path"}


def kind(schema: dict[str, Any]) -> str:
    """The kind of a value; parts with a name are linked to where they are described."""
    if "$ref" in schema:
        return _link(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(map(kind, schema["anyOf"]))
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return " or ".join(f"`{value}`" for value in values)
    return _FORMATS.get(schema.get("format", "")) or _plain(schema)


def _plain(schema: dict[str, Any]) -> str:
    match schema:
        case {"type": "array", "items": items}:
            return f"list of {kind(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {kind(values)}"
        case {"type": "integer"}:
            return _integer(schema)
    return str(schema.get("type", "any"))


def _integer(schema: dict[str, Any]) -> str:
    least = f" ≥ {schema['minimum']}" if schema.get("minimum", -1) >= 0 else ""
    return ("64-bit integer" if schema.get("maximum") == _BIGINT else "integer") + least


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"
