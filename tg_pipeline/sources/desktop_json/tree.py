"""One look through a folder and all that is in it; no file is read, no link is followed."""

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tg_pipeline.errors import DataError, InputUnreadable
from tg_pipeline.sources.desktop_json.rules import (
    JSON,
    ZIP,
    folders_of_results,
    has_suffix,
    is_hidden,
    is_html_page,
    is_within,
)


@dataclass(slots=True)
class Tree:
    """What was seen in a folder, without what is hidden.

    Attributes:
        candidates: its JSON files and archives.
        pages: folders with pages of HTML exports.
        links: links to folders, which may lead in circles or out of the folder.
        faults: sub-folders that cannot be listed, and candidates that lead nowhere.
        suffixes: how many of its files end how.
        others: how many files in each folder are no candidates.
    """

    candidates: list[Path] = field(default_factory=list)
    pages: set[Path] = field(default_factory=set)
    links: list[Path] = field(default_factory=list)
    faults: list[DataError] = field(default_factory=list)
    suffixes: Counter[str] = field(default_factory=Counter)
    others: Counter[Path] = field(default_factory=Counter)

    def outside_exports(self) -> tuple[int, list[Path]]:
        """How many of the others are no part of an export, and where pages without JSON are."""
        results = folders_of_results(self.candidates)
        others = sum(
            count
            for folder, count in self.others.items()
            if folder not in results and not is_within(folder, results)
        )
        pages = [one for one in self.pages if one not in results and not is_within(one, results)]
        return others, sorted(pages)


def look_through(folder: Path) -> Tree:
    """Look at everything in a folder, however deep."""
    tree = Tree()
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if is_hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(here / entry.name)
                    else:
                        _add(tree, here / entry.name, is_link=entry.is_symlink())
        except OSError as error:
            tree.faults.append(_fault(here, error, "Grant read access to it."))
    tree.links.sort()
    return tree


def _add(tree: Tree, path: Path, *, is_link: bool) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        mode = 0
        if _is_wanted(path):
            tree.faults.append(_fault(path, error, "Remove it, or mend where it leads to."))
    if is_link and stat.S_ISDIR(mode):
        tree.links.append(path)
        return
    tree.suffixes[path.suffix.lower()] += 1
    if _is_wanted(path) and stat.S_ISREG(mode):
        tree.candidates.append(path)
        return
    tree.others[path.parent] += 1
    if is_html_page(path):
        tree.pages.add(path.parent)


def _is_wanted(path: Path) -> bool:
    return has_suffix(path, JSON) or has_suffix(path, ZIP)


def _fault(path: Path, error: OSError, remedy: str) -> InputUnreadable:
    fault = InputUnreadable(path, error.strerror or str(error))
    fault.remedy = remedy
    return fault
