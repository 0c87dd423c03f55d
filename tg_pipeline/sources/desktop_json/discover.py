"""From what a user names to exports: files, folders full of them, ZIP archives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tg_pipeline.errors import DataError, InputMissing, InputUnreadable
from tg_pipeline.sources.desktop_json.inputs import Input
from tg_pipeline.sources.desktop_json.rules import HTML_REMEDY, ZIP, chosen, has_suffix, no_export
from tg_pipeline.sources.desktop_json.tree import look_through
from tg_pipeline.sources.desktop_json.zipped import Contents, contents


@dataclass(slots=True)
class Discovery:
    """What the named paths hold.

    Attributes:
        inputs: each export once, in the order given; what leads nowhere is its error.
        others: how many files in folders were not looked at. What lies in the folder of an export
            belongs to it and is not counted.
        notes: what else was passed over, for people.
    """

    inputs: list[Input | DataError] = field(default_factory=list)
    others: int = 0
    notes: list[str] = field(default_factory=list)


def discover(paths: Sequence[Path]) -> Discovery:
    """Find the exports of files, folders and archives; a bad path does not stop the others.

    A folder stands for what `rules.chosen` takes of the JSON files and archives in it and in its
    sub-folders, an archive for what that takes of its JSON members.
    """
    search = _Search()
    for path in paths:
        search.add(path)
    return search.found


class _Search:
    """One discovery on its way."""

    def __init__(self) -> None:
        self.found = Discovery()
        self._seen: set[Path] = set()

    def add(self, path: Path) -> None:
        try:
            if path.is_dir():
                self._add_folder(path)
            else:
                self._add_named(path)
        except DataError as error:
            self.found.inputs.append(error)
        except OSError as error:
            self.found.inputs.append(InputUnreadable(path, error.strerror or str(error)))

    def _add_named(self, path: Path) -> None:
        if not path.exists():
            raise InputMissing(path)
        if not self._is_new(path):
            return
        if not has_suffix(path, ZIP):
            self.found.inputs.append(Input(path))
            return
        archive = contents(path)
        if not archive.inputs:
            raise archive.refusal
        self._add_archive(path, archive)

    def _add_folder(self, folder: Path) -> None:
        """Add its exports once all of it was seen: what counts depends on the neighbours."""
        tree = look_through(folder)
        others, pages = tree.outside_exports()
        self.found.inputs += tree.faults
        self.found.notes += [
            f"{link} is a link to a folder and was not followed" for link in tree.links
        ]
        barren = sum(not self._holds_exports(path) for path in chosen(tree.candidates))
        if barren == len(tree.candidates) and not tree.faults:
            raise no_export(folder, tree.suffixes, HTML_REMEDY if pages else None)
        self.found.others += others + barren
        if pages:
            self.found.notes.append(_about_pages(pages))

    def _holds_exports(self, path: Path) -> bool:
        """Add a file found in a folder, unless it is an archive of other things."""
        if not self._is_new(path):
            return True
        if not has_suffix(path, ZIP):
            self.found.inputs.append(Input(path))
            return True
        try:
            archive = contents(path)
        except DataError as error:
            self.found.inputs.append(error)
            return True
        self._add_archive(path, archive)
        if archive.is_html and not archive.inputs:
            self.found.inputs.append(archive.refusal)
        return bool(archive.inputs) or archive.is_html

    def _add_archive(self, path: Path, archive: Contents) -> None:
        self.found.inputs += archive.inputs
        if archive.nested:
            self.found.notes.append(
                f"{path} holds other archives ({archive.nested:,}), which were not opened"
            )

    def _is_new(self, path: Path) -> bool:
        """Whether a file was not seen before under this or another name."""
        real = path.resolve()
        if real in self._seen:
            return False
        self._seen.add(real)
        return True


def _about_pages(folders: list[Path]) -> str:
    first, *more = folders
    return (
        f"{first} holds an HTML export, which cannot be imported"
        + (f", and so do {len(more):,} more folders" if more else "")
        + ": export the chats again with format “Machine-readable JSON”"
    )
