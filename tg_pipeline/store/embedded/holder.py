"""`db start` and `db stop`: a process that does nothing but use the server."""

import os
import signal
import sys
import time
from pathlib import Path

from tg_pipeline.store.embedded.detached import detach, launch, report
from tg_pipeline.store.embedded.layout import Layout, as_error
from tg_pipeline.store.embedded.locks import FileLock, is_held
from tg_pipeline.store.embedded.server import EmbeddedServer

_HOLDER = "tg_pipeline.store.embedded.holder"
_POLL_SECONDS = 0.02


def hold(folder: Path) -> bool:
    """Keep the server of `folder` up until `release_hold`; False if it was held already."""
    with EmbeddedServer(folder) as server:
        layout = Layout(server.folder)
        with FileLock(layout.start_lock).exclusive():
            if is_held(layout.holder_lock):
                return False
            layout.holder_lock.unlink(missing_ok=True)  # with the pid of a holder that died
            launch(_HOLDER, layout)
        return True


def release_hold(folder: Path) -> bool:
    """End the hold; False if there was none. The server stops when its last user leaves."""
    layout = Layout.of(folder)
    try:
        if not is_held(layout.holder_lock):
            return False
        while is_held(layout.holder_lock):
            _ask_to_end(layout)
            time.sleep(_POLL_SECONDS)
    except OSError as error:
        raise as_error(error, layout.folder) from error
    return True


def _ask_to_end(layout: Layout) -> None:
    written = layout.holder_lock.read_text()
    if written:  # else it has the lock but has not signed yet
        os.kill(int(written), signal.SIGTERM)


def main() -> None:
    """Hold one server until SIGTERM; the kernel gives the locks back."""
    detach()
    layout = Layout(Path(sys.argv[1]))
    with FileLock(layout.holder_lock) as only, FileLock(layout.users_lock) as users:
        only.exclusive()
        os.write(only.descriptor, str(os.getpid()).encode())
        users.shared()
        report(None)
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
