"""Where contestants work: a sample, an archive with a PostgreSQL of its own, and a stop-watch."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from tg_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Told:
    """What a contestant tells of its run."""

    seconds: float
    items: int

    def tell(self) -> None:
        """Write it, with the most memory this process has had, as a line of JSON."""
        json.dump({**asdict(self), "peak_mb": peak_mb()}, sys.stdout)


def peak_mb() -> float:
    """The most resident memory of this process so far.

    Linux hands `ru_maxrss` down from the process that started this one, so it is asked otherwise.
    """
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


class Watch:
    """Seconds of the work alone."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time spent inside."""
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began


@dataclass(frozen=True)
class Stage:
    """One benchmark's folder, shared by all contestants; `turn` keeps their runs apart."""

    folder: Path
    turn: int = 0

    @property
    def home(self) -> Path:
        """Of the archive; its PostgreSQL serves all contestants."""
        return self.folder / "home"

    @property
    def export(self) -> Path:
        """One chat as Telegram Desktop exports it."""
        return self.folder / "result.json"

    @property
    def respaced(self) -> Path:
        """The same records in a file of other bytes."""
        return self.folder / "respaced.json"

    @property
    def later(self) -> Path:
        """The same records and a newer one: every message is seen again, later."""
        return self.folder / "later.json"

    @property
    def finished_rows(self) -> Path:
        """The rows that an import makes, as PostgreSQL's binary COPY writes them."""
        return self.folder / "messages.copy"

    @cached_property
    def settings(self) -> Settings:
        """The archive that stays: what exports read and imports are repeated into."""
        return Settings(home=self.home)

    @cached_property
    def fresh(self) -> Settings:
        """An empty archive on the same server, for this turn alone."""
        name = f"turn_{self.turn}"
        return Settings(home=self.home, database_schema=name, landing=self.folder / name)
