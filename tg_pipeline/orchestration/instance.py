"""DAGSTER_HOME: the folder that makes Dagster ours, prepared so that nobody has to set it up."""

import hashlib
import os
from pathlib import Path

from dagster import DagsterInstance

from tg_pipeline.files import durable, make_folder, storage_errors
from tg_pipeline.settings import Settings, load

_NAME = "dagster.yaml"
_PACKAGED = Path(__file__).parent / _NAME
_CHECKOUT = Path(__file__).parents[2] / _NAME
_MARK = b"# Placed here by tg-pipeline, which keeps it up to date until you edit it: "


def prepare(settings: Settings) -> Path:
    """The DAGSTER_HOME to use: the environment's, else `dagster` in our home; made if missing.

    Our dagster.yaml is put there and kept up to date. One that somebody else wrote or edited is
    left alone, and so is a folder in which Dagster has worked without any.

    Raises:
        FolderNotWritable, DiskFull
    """
    given = os.environ.get("DAGSTER_HOME")
    folder = Path(given).expanduser().absolute() if given else settings.home / "dagster"
    make_folder(folder)
    with storage_errors(folder):
        path = folder / _NAME
        if path.exists():
            _refresh(path)
        elif not given or not any(folder.iterdir()):
            _write(path)
    return folder


def open_instance() -> DagsterInstance:
    """The Dagster instance of the configured archive, for `with`.

    Raises:
        FolderNotWritable, DiskFull, DagsterDatabaseMissing, DagsterDatabaseUnreachable,
        EmbeddedUnavailable, EmbeddedStartFailed
    """
    return DagsterInstance.from_config(str(prepare(load().settings)))


def _refresh(path: Path) -> None:
    present = path.read_bytes()
    if present.startswith(_MARK) and present == _signed(present.partition(b"\n")[2]):
        _write(path, present)


def _write(path: Path, present: bytes = b"") -> None:
    source = _PACKAGED if _PACKAGED.is_file() else _CHECKOUT
    ours = _signed(source.read_bytes())
    if ours != present:
        with durable(path) as file:
            file.write(ours)


def _signed(text: bytes) -> bytes:
    """The text below a line with its digest, by which an edit is seen."""
    return _MARK + hashlib.sha256(text).hexdigest()[:16].encode() + b"\n" + text
