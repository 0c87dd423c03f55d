"""One process uses an account at a time: two at once would get its session revoked.

The lease is a lock of a connection of its own, so it is free again when its holder ends, however
that may be. Who holds it is written down for people to read; that it is held only the lock says.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tg_pipeline.errors import AccountBusy
from tg_pipeline.store import accounts
from tg_pipeline.store.database import Database


@contextmanager
def lease(database: Database, account: str, what: str) -> Iterator[Callable[[], None]]:
    """Use an account alone; `what` is the command that does, for whoever finds it busy.

    What is yielded makes sure that the lease still holds: call it before what two must not do.

    Raises:
        AccountBusy: another process uses it.
        DatabaseLost: the connection is gone, and the lease with it.
    """
    with database.alone_at_once(lock_name(database.schema, account)) as still_alone:
        if still_alone is None:
            raise AccountBusy(account, _holder(database, account))
        with database.transaction() as connection:
            accounts.held_by(connection, account, _this_process(what))
        yield still_alone


def lock_name(schema: str, account: str) -> str:
    """What the lock of an account is called."""
    return f"account {schema} {account}"


def _this_process(what: str) -> str:
    return f"tg-pipeline {what}, process {os.getpid()} on {socket.gethostname()}"


def _holder(database: Database, account: str) -> str:
    with database.transaction() as connection:
        found = accounts.one(connection, account)
    if found is None or found.holder is None or found.held_since is None:
        return "another process"
    return f"{found.holder}, since {found.held_since:%Y-%m-%d %H:%M:%S} UTC"
