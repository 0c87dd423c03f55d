"""Accounts: whom their names stand for, how they are, and what lets each of them reach a chat."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Connection

from tg_pipeline.errors import AccountKnown
from tg_pipeline.store.sightings import clean
from tg_pipeline.store.tables import accounts, chat_access


class AccountState(StrEnum):
    """How an account is, as far as we know."""

    ACTIVE = "active"
    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    DUPLICATED = "duplicated"
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Account:
    """One account; times are UTC."""

    account: str
    user_id: int | None
    name: str | None
    state: AccountState
    state_since: datetime
    holder: str | None
    held_since: datetime | None


def every(connection: Connection) -> list[Account]:
    """All accounts, by name."""
    rows = connection.execute(sa.select(accounts).order_by(accounts.c.account))
    return [_account(row) for row in rows]


def one(connection: Connection, account: str) -> Account | None:
    """An account; None if nobody has ever logged in or tried to by this name."""
    row = connection.execute(sa.select(accounts).where(accounts.c.account == account)).first()
    return None if row is None else _account(row)


def logged_in(connection: Connection, account: str, user_id: int, name: str) -> None:
    """Note who an account is, and that it works.

    Raises:
        AccountKnown: that user is an account that works, by another name.
    """
    for other in every(connection):
        is_same = (other.user_id, other.state) == (user_id, AccountState.ACTIVE)
        if is_same and other.account != account:
            raise AccountKnown(account, user_id, other.account)
    _write(connection, account, AccountState.ACTIVE, {"user_id": user_id, "name": clean(name)})


def is_now(connection: Connection, account: str, state: AccountState) -> None:
    """Note how an account is; since when it is so stays as it was if it was so before."""
    _write(connection, account, state, {})


def held_by(connection: Connection, account: str, holder: str) -> None:
    """Note who uses an account."""
    now = datetime.now(UTC)
    held: dict[str, Any] = {"holder": holder, "held_since": now}
    row = {"account": account, "state": AccountState.LOGGED_OUT, "state_since": now, **held}
    statement = insert(accounts).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["account"], set_=held))


def takeout(connection: Connection, account: str) -> int | None:
    """The takeout session of an account that goes on."""
    query = sa.select(accounts.c.takeout_id).where(accounts.c.account == account)
    found: int | None = connection.scalar(query)
    return found


def keep_takeout(connection: Connection, account: str, takeout_id: int | None) -> None:
    """Keep a takeout session for the next run; None: it has ended."""
    connection.execute(
        accounts.update().where(accounts.c.account == account).values(takeout_id=takeout_id)
    )


def access(connection: Connection, account: str) -> dict[int, int]:
    """Access hashes of an account by marked peer id."""
    table = chat_access.c
    rows = connection.execute(
        sa.select(table.entity_id, table.access_hash).where(table.account == account)
    )
    return {row.entity_id: row.access_hash for row in rows}


def may_access(connection: Connection, account: str, hashes: Mapping[int, int]) -> None:
    """Keep access hashes of an account."""
    rows = [
        {"account": account, "entity_id": entity, "access_hash": access_hash}
        for entity, access_hash in sorted(hashes.items())
    ]
    if rows:
        statement = insert(chat_access)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["account", "entity_id"],
                set_={"access_hash": statement.excluded.access_hash},
            ),
            rows,
        )


def _write(
    connection: Connection, account: str, state: AccountState, known: dict[str, Any]
) -> None:
    row = {"account": account, "state": state, "state_since": datetime.now(UTC), **known}
    statement = insert(accounts).values(row)
    changed = accounts.c.state != statement.excluded.state
    since = sa.case((changed, statement.excluded.state_since), else_=accounts.c.state_since)
    set_ = {"state": statement.excluded.state, "state_since": since, **known}
    connection.execute(statement.on_conflict_do_update(index_elements=["account"], set_=set_))


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        row.account,
        row.user_id,
        row.name,
        AccountState(row.state),
        row.state_since,
        row.holder,
        row.held_since,
    )
