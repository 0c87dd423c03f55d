"""Where an export's JSON lies: in a file of its own, or in a member of a ZIP archive (`zipped`).

It is read several times and at several places at once, so whoever reads it opens it anew.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tg_pipeline.files import readable


class Input:
    """A JSON export in a file of its own.

    Attributes:
        path: how people are told of it.
        name: how its records and manifests tell of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = readable(path.name)

    @contextmanager
    def at_hand(self, _folder: Path, _progress: Callable[[int], None]) -> Iterator[None]:
        """Make it ready to be opened; `folder` has room for what must be unpacked for that.

        `progress` is told the bytes unpacked so far.
        """
        yield

    def open(self) -> BinaryIO:
        """A new handle at the beginning, independent of all others."""
        return self.path.open("rb")

    def size(self) -> int:
        """Its bytes, for showing progress; 0 if unknown."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0
