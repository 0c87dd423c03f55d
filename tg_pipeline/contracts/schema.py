"""The contracts as JSON Schemas, kept in the repository beside the code they are made from.

`python -m tg_pipeline.contracts.schema` writes them; with `--check` it only names stale ones.
"""

import json
import sys
from pathlib import Path

from tg_pipeline.contracts.batch import BatchManifest, FileManifest
from tg_pipeline.contracts.chat import Chat, Participant
from tg_pipeline.contracts.message import Message
from tg_pipeline.contracts.rejected import Rejected
from tg_pipeline.contracts.types import SCHEMA_VERSION, Contract

FOLDER = Path(__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
CONTRACTS: dict[str, type[Contract]] = {
    "message": Message,
    "chat": Chat,
    "participant": Participant,
    "rejected": Rejected,
    "batch_manifest": BatchManifest,
    "file_manifest": FileManifest,
}


def text(name: str) -> str:
    """The schema of one contract, as its file holds it."""
    schema = CONTRACTS[name].model_json_schema(mode="serialization")
    stamped = {**schema, "$schema": DIALECT, "$id": f"tg_pipeline/{name}/{SCHEMA_VERSION}"}
    return json.dumps(stamped, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def path(name: str, folder: Path = FOLDER) -> Path:
    """Where the schema of one contract is kept."""
    return folder / f"{name}.schema.json"


def write(folder: Path = FOLDER) -> None:
    """Write all schemas."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in CONTRACTS:
        path(name, folder).write_text(text(name), "utf-8")


def stale(folder: Path = FOLDER) -> list[str]:
    """File names that differ from the contracts, are missing, or belong to none."""
    expected = {path(name).name: text(name) for name in CONTRACTS}
    found = {file.name: file.read_text("utf-8") for file in folder.glob("*.json")}
    return sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    )


def main(arguments: list[str]) -> int:
    """Write the schemas, or with `--check` name those that are not up to date."""
    if arguments == ["--check"]:
        for name in (out_of_date := stale()):
            sys.stderr.write(f"{FOLDER / name} is not up to date; run `make schemas`\n")
        return 1 if out_of_date else 0
    if arguments:
        sys.stderr.write("usage: python -m tg_pipeline.contracts.schema [--check]\n")
        return 2
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
