"""Memory while windows are written: what one has freed is there for the next, or for others."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pyarrow as pa

_M_MMAP_THRESHOLD: Final = -3  # of glibc's malloc.h
_M_ARENA_MAX: Final = -8


@contextmanager
def memory_given_back() -> Iterator[None]:
    """Use the system's allocator: Arrow's own keeps what a window has freed, 50 MB and more."""
    _keep_little()
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def _keep_little() -> None:
    """Let glibc give large blocks back when they are freed, which saves a fifth of the memory.

    Otherwise it keeps more the more it has seen, once for each thread. It is for the whole process;
    other systems have no such call, and no need of it.
    """
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 512 * 1024)
