"""Whom the server runs as. PostgreSQL refuses root, so root hands it to another user.

Nothing outside our own folder is opened for that user. Where it could not reach its programs or
its data, for example below /root, the server's process keeps one capability that lets it pass.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tg_pipeline.errors import EmbeddedUnavailable

_CAP_CHOWN, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 0, 1, 2
_CAP_SETGID, _CAP_SETUID, _CAP_SETPCAP = 6, 7, 8
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 1, 28, 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_READ, _PASS = 4, 1
_LINUX = sys.platform == "linux"
_ELSEWHERE = (
    "Choose another folder with --home or TG_PIPELINE_HOME, run as an ordinary user, "
    "or name a PostgreSQL server in TG_PIPELINE_DATABASE_URL."
)


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user that owns and runs the server; `drop` when we are root and become it."""

    uid: int
    gid: int
    drop: bool

    def give(self, folder: Path) -> None:
        """Hand one of our own folders to the server, and to it alone."""
        if self.drop:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        folder.chmod(0o700)

    def let_through(self, folder: Path) -> None:
        """Let the server pass our own folder, which root owns, without listing it."""
        if self.drop and folder.stat().st_uid == 0:
            os.chown(folder, 0, self.gid)
            folder.chmod(0o710)


def choose(folder: Path, data: Path) -> ServerUser:
    """Ourselves; for root the owner of what is there already, else `postgres` or `nobody`."""
    if os.geteuid() != 0:
        _require_name(os.geteuid())
        return ServerUser(os.geteuid(), os.getegid(), drop=False)
    for place in (data, folder):
        if place.exists() and (found := place.stat()).st_uid:
            return ServerUser(found.st_uid, found.st_gid, drop=True)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_uid, entry.pw_gid, drop=True)
    raise EmbeddedUnavailable(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
        remedy=_ELSEWHERE,
    )


def child_setup(
    user: ServerUser, programs: Path, places: Iterable[Path], death_signal: int
) -> Callable[[], None]:
    """What a child does before it becomes a PostgreSQL program. Only for one-threaded parents.

    The kernel sends `death_signal` to the child when its parent dies, even from kill -9.
    """
    capability = _needed_capability(user, programs, places) if user.drop else None
    if user.drop:
        _require_capabilities(capability)
    libc = _libc()
    parent = os.getpid()

    def become() -> None:
        os.umask(0o077)
        if user.drop:
            _drop(libc, user, capability)
        if _LINUX:
            _call(libc.prctl, _PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return become


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    if _LINUX:
        libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    return libc


def _drop(libc: ctypes.CDLL, user: ServerUser, capability: int | None) -> None:
    if capability is not None:
        # Keeps capabilities over the change of user, and lets access(2) honour them afterwards:
        # PostgreSQL looks for its own program with access(2).
        _call(libc.prctl, _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setregid(user.gid, user.gid)
    os.setreuid(user.uid, user.uid)
    if capability is not None:
        _keep_only(libc, capability)
        _call(libc.prctl, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    _call(libc.capset, header, (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0))


def _call(function: Callable[..., int], *arguments: object) -> None:
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _needed_capability(user: ServerUser, programs: Path, places: Iterable[Path]) -> int | None:
    """The least that lets the user run the programs and reach the places; None if it can."""
    if not _permits(user, programs / "postgres", _READ | _PASS):
        return _CAP_DAC_OVERRIDE  # running a file is not covered by the lesser one
    folders = {parent for place in (programs, *places) for parent in (place, *place.parents)}
    if all(_permits(user, folder, _PASS) for folder in folders):
        return None
    return _CAP_DAC_READ_SEARCH if _has(_CAP_DAC_READ_SEARCH) else _CAP_DAC_OVERRIDE


def _permits(user: ServerUser, path: Path, wanted: int) -> bool:
    found = path.stat()
    shift = 6 if found.st_uid == user.uid else 3 if found.st_gid == user.gid else 0
    return found.st_mode >> shift & wanted == wanted


def _require_capabilities(extra: int | None) -> None:
    if extra is not None and not _LINUX:
        raise EmbeddedUnavailable(
            "root's folders are closed to the user PostgreSQL runs as", remedy=_ELSEWHERE
        )
    needed = {_CAP_CHOWN: "CHOWN", _CAP_SETGID: "SETGID", _CAP_SETUID: "SETUID"}
    if extra is not None:
        name = "DAC_OVERRIDE" if extra == _CAP_DAC_OVERRIDE else "DAC_READ_SEARCH"
        needed |= {_CAP_SETPCAP: "SETPCAP", extra: name}
    if missing := [f"CAP_{name}" for bit, name in needed.items() if not _has(bit)]:
        raise EmbeddedUnavailable(
            f"root may not run it as another user here: {', '.join(missing)} missing",
            remedy=_ELSEWHERE,
        )


def _has(capability: int) -> bool:
    if not _LINUX:
        return True
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False


def _require_name(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedUnavailable(
            f"user id {uid} has no name on this machine, and initdb insists on one",
            remedy="Add the user to /etc/passwd, or name a PostgreSQL server in "
            "TG_PIPELINE_DATABASE_URL.",
        ) from None
