"""Accounts, followed chats and what they looked like, row by row."""

from dataclasses import replace
from typing import Any

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.store import accounts, followed
from tg_pipeline.store.accounts import AccountState
from tg_pipeline.store.database import Database
from tg_pipeline.store.followed import Followed, Snapshot

NEWS = ChatKey(-1_001_700_000_001)
HARBOUR = Followed(NEWS, "main", ChatType.CHANNEL, username="harbour", title="Harbour \x00News")


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.transaction() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_an_account_has_a_state_since_it_changed(database: Database) -> None:
    with database.transaction() as connection:
        accounts.held_by(connection, "main", "somebody")
        accounts.logged_in(connection, "main", 7, "Mira")
    (first,) = rows(database, "SELECT user_id, state, state_since, holder FROM accounts")
    assert (first[0], first[1], first[3]) == (7, "active", "somebody")
    with database.transaction() as connection:
        accounts.logged_in(connection, "main", 7, "Mira L\x00.")
    assert rows(database, "SELECT state_since FROM accounts") == [(first[2],)]
    with database.transaction() as connection:
        accounts.is_now(connection, "main", AccountState.REVOKED)
        found = accounts.one(connection, "main")
    assert found is not None
    assert (found.user_id, found.name, found.state) == (7, "Mira L\ufffd.", "revoked")
    assert found.state_since > first[2]


def test_each_account_has_access_hashes_of_its_own(database: Database) -> None:
    with database.transaction() as connection:
        accounts.may_access(connection, "main", {1: 11, 2: 22})
        accounts.may_access(connection, "main", {2: -(2**63)})
        accounts.may_access(connection, "second", {2: 5})
        accounts.may_access(connection, "second", {})
        assert accounts.access(connection, "main") == {1: 11, 2: -(2**63)}
        assert accounts.access(connection, "second") == {2: 5}


def test_a_chat_is_followed_once_and_keeps_since_when(database: Database) -> None:
    with database.transaction() as connection:
        followed.follow(connection, [HARBOUR])
    (before,) = rows(database, "SELECT added_at FROM followed_chats")
    with database.transaction() as connection:
        followed.follow(
            connection, [replace(HARBOUR, title="Harbour"), replace(HARBOUR, title="H")]
        )
        (found,) = followed.every(connection)
        assert followed.every(connection, "second") == []
    assert (found.title, found.added_at) == ("H", before[0])
    with database.transaction() as connection:
        followed.unfollow(connection, [NEWS, ChatKey(5, 7)])
        assert followed.every(connection) == []


def test_a_chat_that_cannot_be_read_says_since_when_until_another_account_reads_it(
    database: Database,
) -> None:
    def state() -> tuple[Any, ...]:
        return rows(database, "SELECT inaccessible, inaccessible_since FROM followed_chats")[0]

    def note(reason: str | None) -> tuple[Any, ...]:
        with database.transaction() as connection:
            followed.inaccessible(connection, NEWS, reason)
        return state()

    with database.transaction() as connection:
        followed.follow(connection, [HARBOUR])
    first = note("private")
    assert first[0] == "private"
    assert note("private") == first
    assert note("banned")[1] > first[1]
    with database.transaction() as connection:
        followed.follow(connection, [HARBOUR])
    assert state()[0] == "banned"
    with database.transaction() as connection:
        followed.follow(connection, [replace(HARBOUR, account="second")])
    assert state() == (None, None)
    assert note("again")[0] == "again"
    assert note(None) == (None, None)


def test_a_snapshot_is_kept_where_something_changed(database: Database) -> None:
    one = Snapshot(NEWS, "Harbour", "harbour", 10)

    def seen(*snapshots: Snapshot) -> int:
        with database.transaction() as connection:
            return followed.seen(connection, snapshots)

    assert seen(one) == 1
    assert seen(one) == 0
    assert seen(replace(one, members=None)) == 0
    assert seen(replace(one, members=11)) == 1
    assert seen(replace(one, username=None, members=None), replace(one, key=ChatKey(5, 7))) == 2
    assert seen(one) == 1
    query = "SELECT username, members FROM chat_snapshots WHERE account_id = 0 ORDER BY observed_at"
    assert rows(database, query) == [("harbour", 10), ("harbour", 11), (None, 11), ("harbour", 10)]
