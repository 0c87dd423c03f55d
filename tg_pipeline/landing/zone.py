"""The landing zone: `<chat>/<batch>.jsonl.zst` beside `<batch>.json`, its manifest.

Only a batch with a manifest exists. `_files/<sha256>.json` says of each input file how it was
read, so that the same file is never landed twice and a killed import continues.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import zstandard
from pydantic import ValidationError

from tg_pipeline.contracts import BatchManifest, ChatKey, FileManifest
from tg_pipeline.errors import BatchDamaged
from tg_pipeline.files import (
    Place,
    clear_leftovers,
    delete,
    durable,
    make_folder,
    names,
    opened,
    read,
    rename,
    storage_errors,
    stored,
)

FILES = "_files"
_MANIFEST = ".json"
_WITHDRAWN = ".withdrawn.json"
_CHUNK = 1 << 20


class LandingZone:
    """Reads and lists batches of one landing folder, local or on an object store."""

    def __init__(self, folder: Place) -> None:
        self.folder = folder

    # ---- batches

    def landed(self) -> dict[ChatKey, list[str]]:
        """The names of all batches, by chat; from one listing, in key order."""
        found: defaultdict[ChatKey, list[str]] = defaultdict(list)
        for path in _names(self.folder):
            chat, _, name = path.partition("/")
            if chat != FILES and _is_manifest(name):
                found[ChatKey.parse(chat)].append(name.removesuffix(_MANIFEST))
        return dict(sorted(found.items()))

    def chats(self) -> list[ChatKey]:
        """Chats that have a batch, in key order."""
        return list(self.landed())

    def manifests(self, chat: ChatKey) -> list[BatchManifest]:
        """The chat's batches in name order.

        Raises:
            BatchDamaged: a manifest cannot be read.
        """
        return [self.manifest(chat, batch) for batch in self.batches(chat)]

    def batches(self, chat: ChatKey) -> list[str]:
        """Names of the chat's batches, without reading them."""
        found = filter(_is_manifest, _names(self.folder / str(chat)))
        return [name.removesuffix(_MANIFEST) for name in found]

    def withdrawn(self, chat: ChatKey) -> set[str]:
        """Names of batches that were taken back."""
        found = _names(self.folder / str(chat))
        return {name.removesuffix(_WITHDRAWN) for name in found if name.endswith(_WITHDRAWN)}

    def manifest(self, chat: ChatKey, batch: str) -> BatchManifest:
        """What one batch says of itself.

        Raises:
            BatchDamaged: the manifest cannot be read.
        """
        return _read_manifest(self.folder / str(chat) / f"{batch}{_MANIFEST}")

    def data_path(self, manifest: BatchManifest) -> Place:
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
            with opened(path) as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BatchDamaged(f"{path}", error.strerror or str(error)) from error
        if found != manifest.sha256:
            reason = f"its SHA-256 is {found}, the manifest says {manifest.sha256}"
            raise BatchDamaged(f"{path}", reason)

    def lines(self, manifest: BatchManifest) -> Iterator[bytes]:
        """The batch's records as JSON lines, streamed. `verify` it first."""
        path = self.data_path(manifest)
        rest = b""
        with opened(path) as file:
            for chunk in zstandard.ZstdDecompressor().read_to_iter(file, read_size=_CHUNK):
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        if rest:
            raise BatchDamaged(f"{path}", "its last line is cut")

    # ---- input files

    def file_manifest(self, sha256: str) -> FileManifest | None:
        """How this input file was landed, if it was."""
        path = self.folder / FILES / f"{sha256}{_MANIFEST}"
        try:
            with storage_errors(path.parent):
                return FileManifest.model_validate_json(read(path))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise BatchDamaged(f"{path}", _first(error)) from error

    def write_file_manifest(self, manifest: FileManifest) -> None:
        """Record how an input file was landed. The caller holds that file's lock."""
        folder, name = self.folder / FILES, f"{manifest.sha256}{_MANIFEST}"
        make_folder(folder)
        clear_leftovers(folder, name)
        with durable(folder / name) as file:
            file.write(manifest.model_dump_json(indent=1).encode())

    def forget_file(self, sha256: str) -> None:
        """Remove the record of an input file that was refused after all."""
        delete(self.folder / FILES / f"{sha256}{_MANIFEST}")

    def has(self, batches: Iterable[str]) -> bool:
        """Whether all batches, given as `chat/batch`, are still there."""
        return all(stored(self.folder / f"{batch}{_MANIFEST}") for batch in batches)

    def withdraw(self, prefix: str, keep: str | None = None) -> list[ChatKey]:
        """Take back the batches whose names begin so, but those that begin with `keep`.

        Their bytes stay; only their manifests are renamed.

        Returns:
            The chats that have lost batches.
        """
        chats = set()
        for path in _names(self.folder):
            chat, _, name = path.partition("/")
            kept = keep is not None and name.startswith(f"{keep}-")
            if chat != FILES and name.startswith(f"{prefix}-") and _is_manifest(name) and not kept:
                rename(self.folder / path, name.removesuffix(_MANIFEST) + _WITHDRAWN)
                chats.add(ChatKey.parse(chat))
        return sorted(chats)


def _names(folder: Place) -> list[str]:
    with storage_errors(folder):
        return names(folder)


def _is_manifest(name: str) -> bool:
    return name.endswith(_MANIFEST) and not name.endswith(_WITHDRAWN)


def _read_manifest(path: Place) -> BatchManifest:
    try:
        return BatchManifest.model_validate_json(read(path))
    except ValidationError as error:
        raise BatchDamaged(f"{path}", f"its manifest is not readable: {_first(error)}") from error
    except OSError as error:
        reason = f"its manifest is not readable: {error.strerror or error}"
        raise BatchDamaged(f"{path}", reason) from error


def _first(error: ValidationError) -> str:
    """The first of the faults, in one line."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
