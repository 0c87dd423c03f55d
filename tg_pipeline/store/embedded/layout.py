"""What lies where in the server's folder, and what its files say about the server."""

import errno
import os
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tg_pipeline.errors import DiskFull, FolderNotWritable, TgPipelineError

NEARLY_FULL_BYTES = 32 << 20  # two WAL segments: less does not carry a server
PORT = 5432  # names the socket only: nothing listens on the network
_READY = "ready"
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a running server says of itself in `postmaster.pid`."""

    pid: int
    socket_folder: Path
    ready: bool

    def answers(self) -> bool:
        """Whether it takes connections: the file alone may be a dead server's."""
        return self.ready and _accepts(self.socket_folder / f".s.PGSQL.{PORT}")


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside one server's folder."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Name one folder in one way, whatever links lead to it."""
        return cls(Path(os.path.realpath(folder)))

    @property
    def data(self) -> Path:
        """The database cluster."""
        return self.folder / "data"

    @property
    def data_in_making(self) -> Path:
        """A cluster not finished yet; it becomes `data` by one rename."""
        return self.folder / "data.init"

    @property
    def log(self) -> Path:
        """What the server and its watchdog had to say."""
        return self.folder / "postgres.log"

    @property
    def start_lock(self) -> Path:
        """Held for moments by whoever starts or stops the server."""
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the server."""
        return self.folder / "users.lock"

    @property
    def watchdog_lock(self) -> Path:
        """Held by the one watchdog."""
        return self.folder / "watchdog.lock"

    @property
    def server_lock(self) -> Path:
        """Inherited by every process of the server: free means that all of them are gone."""
        return self.folder / "server.lock"

    @property
    def holder_lock(self) -> Path:
        """Held by the process that keeps the server up; contains its pid."""
        return self.folder / "holder.lock"

    @property
    def socket_record(self) -> Path:
        """Names the short socket folder, where ours is too deep for a socket."""
        return self.folder / "socket_folder"

    def make(self) -> None:
        """Make the folder, closed to everybody else."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.folder.stat().st_mode & 0o067:
            self.folder.chmod(0o700)

    def is_nearly_full(self) -> bool:
        """Whether the disk has too little room for a server to go on."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize < NEARLY_FULL_BYTES

    def postmaster(self) -> Postmaster | None:
        """Read `postmaster.pid`; None if there is none or it is being written."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            status = lines[7].strip() if len(lines) > 7 else ""
            return Postmaster(int(lines[0]), Path(lines[4]), status == _READY)
        except (FileNotFoundError, IndexError, ValueError):
            return None


def as_error(error: OSError, folder: Path) -> TgPipelineError:
    """Say what the operating system refused in terms of what to do about it."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(folder)
    place = f" ({error.filename})" if error.filename else ""
    return FolderNotWritable(folder, f"{error.strerror or error}{place}")


def _accepts(address: Path) -> bool:
    """Ask the server whether it speaks SSL: any answer will do, and it logs nothing.

    A connection alone proves little: the kernel still accepts it for a server being killed.
    """
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_ANSWER_SECONDS)
        try:
            probe.connect(str(address))
            probe.sendall(_SSL_REQUEST)
            return bool(probe.recv(1))
        except (ConnectionError, FileNotFoundError, TimeoutError):
            return False
