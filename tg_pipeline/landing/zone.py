"""The landing folder: `<chat>/<batch>.jsonl.zst` beside `<batch>.json`, its manifest.

Only a batch with a manifest exists. `_files/<sha256>.json` says of each input file how it was
read, so that the same file is never landed twice and a killed import continues.
"""

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard
from pydantic import ValidationError

from tg_pipeline.contracts import BatchManifest, ChatKey, FileManifest
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.files import durable, make_folder, storage_errors

FILES = "_files"
_WITHDRAWN = ".withdrawn.json"
_CHUNK = 1 << 20


class LandingZone:
    """Reads and lists batches of one landing folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # ---- batches

    def chats(self) -> list[ChatKey]:
        """Chats that have a batch, in key order."""
        if not self.folder.is_dir():
            return []
        names = (path.name for path in self.folder.iterdir() if path.is_dir())
        keys = (ChatKey.parse(name) for name in names if name != FILES)
        return sorted(key for key in keys if self.batches(key))

    def manifests(self, chat: ChatKey) -> list[BatchManifest]:
        """The chat's batches in name order.

        Raises:
            BatchDamaged: a manifest cannot be read.
        """
        return [self.manifest(chat, batch) for batch in self.batches(chat)]

    def batches(self, chat: ChatKey) -> list[str]:
        """Names of the chat's batches, without reading them."""
        paths = (self.folder / str(chat)).glob("*.json")
        return sorted(path.stem for path in paths if not path.name.endswith(_WITHDRAWN))

    def manifest(self, chat: ChatKey, batch: str) -> BatchManifest:
        """What one batch says of itself.

        Raises:
            BatchDamaged: the manifest cannot be read.
        """
        return _read_manifest(self.folder / str(chat) / f"{batch}.json")

    def data_path(self, manifest: BatchManifest) -> Path:
        """The compressed lines of a batch."""
        chat = ChatKey(manifest.entity_id, manifest.account_id)
        return self.folder / str(chat) / f"{manifest.batch}.jsonl.zst"

    def verify(self, manifest: BatchManifest) -> None:
        """Compare the batch with the SHA-256 in its manifest.

        Raises:
            BatchDamaged: the file is missing, cut or changed.
        """
        path = self.data_path(manifest)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BatchDamaged(path, error.strerror or str(error)) from error
        if found != manifest.sha256:
            raise BatchDamaged(path, f"its SHA-256 is {found}, the manifest says {manifest.sha256}")

    def lines(self, manifest: BatchManifest) -> Iterator[bytes]:
        """The batch's records as JSON lines, streamed. `verify` it first."""
        path = self.data_path(manifest)
        rest = b""
        with path.open("rb") as file:
            for chunk in zstandard.ZstdDecompressor().read_to_iter(file, read_size=_CHUNK):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        if rest:
            raise BatchDamaged(path, "its last line is cut")

    # ---- input files

    @contextmanager
    def file_lock(self, sha256: str) -> Iterator[None]:
        """Let one process at a time land this input file; the kernel frees it on a crash."""
        folder = self.folder / FILES
        make_folder(folder)
        with storage_errors(folder), (folder / f"{sha256}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def file_manifest(self, sha256: str) -> FileManifest | None:
        """How this input file was landed, if it was."""
        path = self.folder / FILES / f"{sha256}.json"
        if not path.is_file():
            return None
        try:
            return FileManifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise BatchDamaged(path, _first(error)) from error

    def write_file_manifest(self, manifest: FileManifest) -> None:
        """Record how an input file was landed."""
        for leftover in (self.folder / FILES).glob(f".{manifest.sha256}.json.*.tmp"):
            leftover.unlink(missing_ok=True)  # of a killed run: the file lock says it is over
        with durable(self.folder / FILES / f"{manifest.sha256}.json") as file:
            file.write(manifest.model_dump_json(indent=1).encode())

    def forget_file(self, sha256: str) -> None:
        """Remove the record of an input file that was refused after all."""
        (self.folder / FILES / f"{sha256}.json").unlink(missing_ok=True)

    def has(self, names: Iterable[str]) -> bool:
        """Whether all batches, given as `chat/batch`, are still there."""
        return all((self.folder / f"{name}.json").is_file() for name in names)

    def withdraw(self, prefix: str, keep: str | None = None) -> list[ChatKey]:
        """Take back the batches whose names begin so, but those that begin with `keep`.

        Their bytes stay; only their manifests are renamed.

        Returns:
            The chats that have lost batches.
        """
        chats = set()
        with storage_errors(self.folder):
            for path in self.folder.glob(f"*/{prefix}-*.json"):
                kept = keep is not None and path.name.startswith(f"{keep}-")
                if not kept and not path.name.endswith(_WITHDRAWN):
                    path.rename(path.with_name(path.stem + _WITHDRAWN))
                    chats.add(ChatKey.parse(path.parent.name))
        return sorted(chats)


def _read_manifest(path: Path) -> BatchManifest:
    try:
        return BatchManifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BatchDamaged(path, f"its manifest is not readable: {_first(error)}") from error
    except OSError as error:
        reason = f"its manifest is not readable: {error.strerror or error}"
        raise BatchDamaged(path, reason) from error


def _first(error: ValidationError) -> str:
    """The first of the faults, in one line."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
