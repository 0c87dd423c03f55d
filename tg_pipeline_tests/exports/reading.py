"""Reading a published dataset as its users do: by its manifest."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

Document = dict[str, Any]


def manifest(folder: Path) -> Document:
    document: Document = orjson.loads((folder / "messages" / "_manifest.json").read_bytes())
    return document


def files(folder: Path, kind: str) -> list[Path]:
    """The files of one format that the manifest names."""
    listed = manifest(folder)["files"]
    return [folder / "messages" / file["path"] for file in listed if file["format"] == kind]


def on_disk(folder: Path) -> set[Path]:
    """All published files, named by the manifest or not."""
    return {
        path for path in (folder / "messages").rglob("*") if path.suffix in {".parquet", ".zst"}
    }


def parquet(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read()


def lines(path: Path) -> list[bytes]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        return list(io.BufferedReader(stream))


def rows(folder: Path) -> list[Document]:
    """All rows of the dataset, from its JSONL."""
    return [orjson.loads(line) for path in files(folder, "jsonl") for line in lines(path)]


def damages(folder: Path) -> Iterator[str]:
    """What is wrong between the manifest and the files it names."""
    for file in manifest(folder)["files"]:
        path = folder / "messages" / file["path"]
        if not path.exists():
            yield f"{path} is missing"
            continue
        content = path.read_bytes()
        if len(content) != file["bytes"] or hashlib.sha256(content).hexdigest() != file["sha256"]:
            yield f"{path} is not what the manifest says"
        held = parquet(path).num_rows if file["format"] == "parquet" else len(lines(path))
        if held != file["rows"]:
            yield f"{path} holds {held} rows, not {file['rows']}"
