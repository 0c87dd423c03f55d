"""The process at the other end of `loading`: it loads the batches that it is told of."""

import logging
import os
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from tg_pipeline import logs
from tg_pipeline.errors import TgPipelineError
from tg_pipeline.files import open_place
from tg_pipeline.landing import LandingZone
from tg_pipeline.store.database import Database
from tg_pipeline.store.load import Counts, load


def main() -> None:
    """Load what comes through the channel until it closes, which our user's death does too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our user, who lets go of us
    with suppress(EOFError, ConnectionError), Connection(int(sys.argv[1])) as channel:
        _serve(channel)


def _serve(channel: "Connection[Any, Any]") -> None:
    url, schema, place, level, fmt = channel.recv()
    logs.configure(level=level, fmt=fmt)
    zone = LandingZone(open_place(place))
    with Database(url, schema) as database:
        while True:
            manifest = channel.recv()
            try:
                answer: Counts | TgPipelineError = load(database, zone, manifest)
            except TgPipelineError as error:
                answer = error
            channel.send(answer)


if __name__ == "__main__":
    main()
    logging.shutdown()
    os._exit(0)  # our user waits for it, and to take all of Python down would take 0.2 s
