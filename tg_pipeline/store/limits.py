"""What Telegram has told an account to wait for, and how many requests it has made today.

Kept in the database, because a wait that one process was told binds the next one, too. One process
at a time uses an account, so what is read once stays true but for what is noted here.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import account_limits, account_requests

_FLUSH_REQUESTS: Final = 50
"""So many requests a kill may leave uncounted."""


class AccountLimits:
    """The waits and the requests of one account. Close it to have all requests counted.

    Attributes:
        sent: requests counted here.
    """

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account
        self._until = _waits(database, account)
        self._day = _today()
        self._uncounted = 0
        self._counted = _requests(database, account, self._day)
        self.sent = 0

    def until(self, method: str) -> datetime | None:
        """When a method may be called again, UTC; None: now."""
        found = self._until.get(method)
        return found if found is not None and found > datetime.now(UTC) else None

    def wait(self, method: str, seconds: int) -> datetime:
        """Note that a method may not be called for so long; until when, UTC."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self._until[method] = until
        row = {"account": self._account, "method": method, "seconds": seconds, "until": until}
        statement = insert(account_limits).values(row)
        with self._database.transaction() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["account", "method"],
                    set_={name: statement.excluded[name] for name in ("seconds", "until")},
                )
            )
        return until

    def seconds_before(self, method: str) -> int:
        """How long the method was to wait last time; 0 if never, or it has worked since."""
        query = sa.select(account_limits.c.seconds).where(*self._row(method))
        with self._database.transaction() as connection:
            return int(connection.scalar(query) or 0)

    def forget(self, method: str) -> None:
        """Note that a method works again."""
        if self._until.pop(method, None) is not None:
            with self._database.transaction() as connection:
                connection.execute(account_limits.delete().where(*self._row(method)))

    def spend(self, requests: int = 1) -> int:
        """Count requests; how many there were today, with these."""
        if (today := _today()) != self._day:
            self.close()
            self._day, self._counted = today, _requests(self._database, self._account, today)
        self.sent += requests
        self._uncounted += requests
        if self._uncounted >= _FLUSH_REQUESTS:
            self.close()
        return self._counted + self._uncounted

    def close(self) -> None:
        """Write down the requests that are not counted yet."""
        if not self._uncounted:
            return
        row = {"account": self._account, "day": self._day, "requests": self._uncounted}
        statement = insert(account_requests).values(row)
        added = account_requests.c.requests + statement.excluded.requests
        with self._database.transaction() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["account", "day"], set_={"requests": added}
                )
            )
        self._counted += self._uncounted
        self._uncounted = 0

    def _row(self, method: str) -> tuple[sa.ColumnElement[bool], ...]:
        return account_limits.c.account == self._account, account_limits.c.method == method


def _today() -> Any:
    return datetime.now(UTC).date()


def _waits(database: Database, account: str) -> dict[str, datetime]:
    query = sa.select(account_limits.c.method, account_limits.c.until)
    with database.transaction() as connection:
        rows = connection.execute(query.where(account_limits.c.account == account))
        return {row.method: row.until for row in rows}


def _requests(database: Database, account: str, day: object) -> int:
    query = sa.select(account_requests.c.requests).where(
        account_requests.c.account == account, account_requests.c.day == day
    )
    with database.transaction() as connection:
        return int(connection.scalar(query) or 0)
