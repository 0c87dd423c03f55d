"""Where the server's socket lies: in our folder, or in a short private one.

A socket's path is limited to 107 bytes (103 on macOS), and libpq reads a comma in it as a
separator. A short folder is made by `mkdtemp`, so nobody can have prepared its name, and is
recorded in our own folder, so that a restart uses it again and open URLs stay valid.
"""

import hashlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from tg_pipeline.store.embedded.layout import PORT, Layout
from tg_pipeline.store.embedded.privileges import ServerUser

_LONGEST_PATH_BYTES = 103
_PLAIN = re.compile(r"[A-Za-z0-9._/+-]+")


def prepare(layout: Layout, user: ServerUser) -> Path:
    """The socket folder, made, private, and free of a dead server's sockets."""
    folder = layout.folder / "socket"
    if not _fits(folder):
        folder = _recorded(layout, user.uid) or _short(layout)
    folder.mkdir(mode=0o700, exist_ok=True)
    user.give(folder)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (folder / name).unlink(missing_ok=True)
    return folder


def clear(layout: Layout, user: ServerUser) -> None:
    """Remove the short folder when the server has ended."""
    folder = _recorded(layout, user.uid)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    layout.socket_record.unlink(missing_ok=True)


def _fits(folder: Path) -> bool:
    path = str(folder / f".s.PGSQL.{PORT}")
    return len(os.fsencode(path)) <= _LONGEST_PATH_BYTES and bool(_PLAIN.fullmatch(path))


def _prefix(layout: Layout) -> str:
    # The digest ties the record to this place: a copied folder must not share the socket.
    return f"tgp-{hashlib.sha256(os.fsencode(layout.folder)).hexdigest()[:12]}-"


def _recorded(layout: Layout, uid: int) -> Path | None:
    try:
        folder = Path(layout.socket_record.read_text())
        found = folder.lstat()
    except FileNotFoundError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == uid and not found.st_mode & 0o077
    return folder if private and folder.name.startswith(_prefix(layout)) else None


def _short(layout: Layout) -> Path:
    bases = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108  mkdtemp below
    base = next(base for base in bases if _fits(base / (_prefix(layout) + "x" * 8)))
    folder = Path(tempfile.mkdtemp(prefix=_prefix(layout), dir=base))
    layout.socket_record.write_text(str(folder))
    return folder
