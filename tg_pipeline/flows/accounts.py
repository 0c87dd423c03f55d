"""Using an account: alone, logged in, and with its state written down when Telegram changes it."""

import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from telethon import TelegramClient

from tg_pipeline.errors import (
    AccountBanned,
    AccountDiffers,
    FloodWait,
    KeyDuplicated,
    SessionRevoked,
)
from tg_pipeline.flows.archive import Archive
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram.client import CONNECTING, connected
from tg_pipeline.sources.telegram.history import Ask
from tg_pipeline.sources.telegram.login import who_is
from tg_pipeline.sources.telegram.manners import Manners
from tg_pipeline.sources.telegram.patience import Patience, Waiting, patiently
from tg_pipeline.sources.telegram.sessions import Sessions
from tg_pipeline.store import accounts
from tg_pipeline.store.accounts import AccountState
from tg_pipeline.store.leases import lease
from tg_pipeline.store.limits import AccountLimits

_OF_SETTING: Final = (
    "The session stands in the setting telegram_session: make a new one with "
    "`tg-pipeline login --print-session`, and put it there."
)
_CONNECTING_REQUESTS: Final = 4
"""What Telethon asks when it connects: help.getConfig, users.getUsers, updates.getState and
updates.getDifference."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An account that may ask Telegram.

    Attributes:
        account: its name.
        user_id: whom it stands for.
        client: Telethon's, connected.
        ask: how to ask: at our pace, with our patience.
        sent: how many requests it has sent.
    """

    account: str
    user_id: int
    client: TelegramClient
    ask: Ask
    sent: Callable[[], int]


@asynccontextmanager
async def reading(
    archive: Archive,
    account: str,
    what: str,
    waiting: Waiting = patiently,
) -> AsyncIterator[Reader]:
    """Use an account, alone, until the end of the block.

    Args:
        archive: whose settings and database.
        account: its name.
        what: the command that does so, for whoever finds the account busy.
        waiting: told of waits in place.

    Raises:
        AccountBusy: another process uses it.
        What `asking` raises.
    """
    with lease(archive.database, account, what):
        async with asking(archive, account, waiting) as reader:
            yield reader


@asynccontextmanager
async def asking(
    archive: Archive, account: str, waiting: Waiting = patiently
) -> AsyncIterator[Reader]:
    """Use an account of which the caller holds the lease.

    Raises:
        NotLoggedIn, SessionUnreadable, KeyringUnavailable: there is no session to be used.
        SessionRevoked, KeyDuplicated, AccountBanned: Telegram has ended it; that is noted.
        AccountDiffers: the session is of somebody else.
        FloodWait, BudgetSpent, TelegramUnreachable: later.
    """
    settings, database = archive.settings, archive.database
    session = Sessions(settings).load(account)
    with (
        noted(archive, account),
        closing(AccountLimits(database, account)) as limits,
    ):
        patience = Patience(account, limits, settings, waiting)
        async with _connected(settings, account, session, patience) as client:
            ask = Manners(client, account, patience).ask
            user_id = await _same_as_ever(archive, account, ask)
            yield Reader(account, user_id, client, ask, lambda: limits.sent)


def may_call(archive: Archive, account: str, method: str) -> None:
    """Make sure that a method may be called before long, before anybody connects to call it.

    Raises:
        FloodWait: it may not.
    """
    with closing(AccountLimits(archive.database, account)) as limits:
        Patience(account, limits, archive.settings).require(method)


@contextmanager
def noted(archive: Archive, account: str) -> Iterator[None]:
    """Write down what Telegram does to an account."""
    try:
        yield
    except (SessionRevoked, KeyDuplicated, AccountBanned) as error:
        if Sessions(archive.settings).given and not isinstance(error, AccountBanned):
            error.remedy = _OF_SETTING
        state = {SessionRevoked: AccountState.REVOKED, KeyDuplicated: AccountState.DUPLICATED}
        with archive.database.transaction() as connection:
            accounts.is_now(connection, account, state.get(type(error), AccountState.BANNED))
        raise


def expected_user(archive: Archive, account: str) -> int | None:
    """The user id that an account's name stands for; None if it does not stand for any."""
    with archive.database.snapshot() as connection:
        found = accounts.one(connection, account)
    return None if found is None else found.user_id


@asynccontextmanager
async def _connected(
    settings: Settings, account: str, session: str, patience: Patience
) -> AsyncIterator[TelegramClient]:
    """A connected client, as soon as the account may connect."""
    async with AsyncExitStack() as opened:
        while True:
            await patience.turn(CONNECTING, _CONNECTING_REQUESTS)
            try:
                client = await opened.enter_async_context(connected(settings, account, session))
                break
            except FloodWait as wait:
                left = wait.until - datetime.now(UTC)
                patience.told(CONNECTING, math.ceil(left.total_seconds()))
        yield client


async def _same_as_ever(archive: Archive, account: str, ask: Ask) -> int:
    identity, expected = await who_is(ask), expected_user(archive, account)
    if expected not in {None, identity.user_id}:
        raise AccountDiffers(account, expected or 0, identity.user_id)
    with archive.database.transaction() as connection:
        accounts.logged_in(connection, account, identity.user_id, identity.name)
    return identity.user_id
