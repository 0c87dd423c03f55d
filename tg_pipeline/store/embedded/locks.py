"""File locks that the kernel gives back when their holder dies, however it dies.

An flock belongs to an open file, which a forked child shares: without care a worker forked by a
killed user would keep its locks. So a child closes its copies at once, and releasing unlocks
explicitly.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

_POLL_SECONDS = 0.02


def open_private(path: Path, flags: int) -> int:
    """Open or make a file only its owner may touch; never through a link somebody planted.

    Root working in another user's folder leaves files that user can open later.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid if owner.st_uid else 0)
    return descriptor


class FileLock:
    """An flock on one file.

    An `inherited` lock is handed to child programs and stays held until the last of them ends.
    """

    def __init__(self, path: Path, *, inherited: bool = False) -> None:
        self.path = path
        self.descriptor = -1
        self._inherited = inherited
        if not inherited:
            _ours.add(self)

    def exclusive(self) -> Self:
        """Wait until nobody else holds the lock in any way."""
        fcntl.flock(self._open(), fcntl.LOCK_EX)
        return self

    def shared(self) -> Self:
        """Wait until nobody holds the lock exclusively."""
        fcntl.flock(self._open(), fcntl.LOCK_SH)
        return self

    def try_exclusive(self) -> bool:
        """Take the lock if it is free right now."""
        try:
            fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def try_exclusive_for(self, seconds: float, meanwhile: Callable[[], object] = bool) -> bool:
        """Try until the time is over, calling `meanwhile` between the attempts."""
        deadline = time.monotonic() + seconds
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                return False
            meanwhile()
            time.sleep(_POLL_SECONDS)
        return True

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self.descriptor >= 0:
            if not self._inherited:
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)
            self.forget()

    def forget(self) -> None:
        """Close our copy; whoever else has the same open file still holds the lock."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _open(self) -> int:
        if self.descriptor < 0:
            self.descriptor = open_private(self.path, os.O_RDWR)
        return self.descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock exclusively; never creates the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


_ours: WeakSet[FileLock] = WeakSet()


def _forget_all() -> None:
    for lock in list(_ours):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)
