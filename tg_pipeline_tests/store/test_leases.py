"""One process uses an account at a time, and a killed one leaves it free."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest

from tg_pipeline.errors import AccountBusy, DatabaseLost
from tg_pipeline.store import accounts
from tg_pipeline.store.database import Database
from tg_pipeline.store.leases import lease

HOLD = """
import sys
from tg_pipeline.store.database import Database
from tg_pipeline.store.leases import lease
with lease(Database(sys.argv[1], sys.argv[2]), "main", "fetch") as still_alone:
    still_alone()
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(database: Database) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the account."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, database.url, database.schema],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def free(database: Database, account: str = "main") -> bool:
    try:
        with lease(database, account, "chats"):
            return True
    except AccountBusy:
        return False


def test_another_process_is_refused_and_told_who_it_is(
    database: Database, holder: "subprocess.Popen[str]"
) -> None:
    with pytest.raises(AccountBusy) as caught, lease(database, "main", "chats"):
        pass
    host = os.uname().nodename
    told = f"account main is in use by tg-pipeline fetch, process {holder.pid} on {host}, since 20"
    assert caught.value.message.startswith(told)
    assert caught.value.exit_code == 75
    assert free(database, "second")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_holder_that_is_killed_leaves_it_free(
    database: Database, holder: "subprocess.Popen[str]", how: signal.Signals
) -> None:
    holder.send_signal(how)
    holder.wait()
    deadline = time.monotonic() + 5
    while not free(database):
        assert time.monotonic() < deadline, "it is held by nobody"
        time.sleep(0.02)


def test_a_holder_that_has_done_leaves_it_free(
    database: Database, holder: "subprocess.Popen[str]"
) -> None:
    holder.communicate("")
    assert holder.returncode == 0
    assert free(database)


def test_two_archives_have_accounts_of_the_same_name(database: Database) -> None:
    other = Database(database.url, "elsewhere")
    try:
        with lease(database, "main", "fetch"), other.alone_at_once("account elsewhere main") as one:
            assert one is not None
    finally:
        other.close()


TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND ((classid::bigint << 32) | objid::bigint) = hashtextextended(%s, 0)
"""


def test_a_lease_that_is_lost_is_noticed(database: Database) -> None:
    def use() -> None:
        with lease(database, "main", "fetch") as still_alone:
            still_alone()
            with psycopg.connect(database.url, autocommit=True) as other:
                name = f"tg_pipeline account {database.schema} main"
                assert other.execute(TERMINATE, (name,)).fetchall() == [(True,)]
            still_alone()

    with pytest.raises(DatabaseLost):
        use()


def test_an_error_inside_frees_it(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), lease(database, "main", "fetch"):
        raise ZeroDivisionError
    assert free(database)
    with database.transaction() as connection:
        found = accounts.one(connection, "main")
    assert found is not None
    assert found.state == "logged_out"
    assert found.holder is not None
    assert "tg-pipeline chats, process" in found.holder


def test_a_lease_is_free_at_once(database: Database) -> None:
    """The server was left to notice that a connection had gone: who came next found it busy."""
    for _ in range(30):
        with lease(database, "main", "fetch"):
            pass
        with pytest.raises(ZeroDivisionError), lease(database, "main", "fetch"):
            raise ZeroDivisionError
