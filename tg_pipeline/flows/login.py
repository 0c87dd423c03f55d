"""Logging accounts in and out."""

from dataclasses import dataclass

from tg_pipeline.errors import (
    AccountDiffers,
    KeyDuplicated,
    NotLoggedIn,
    SessionRevoked,
    SessionUnreadable,
)
from tg_pipeline.flows.accounts import expected_user, noted
from tg_pipeline.flows.archive import Archive
from tg_pipeline.logs import get_logger
from tg_pipeline.sources.telegram import login as telegram
from tg_pipeline.sources.telegram.client import connected
from tg_pipeline.sources.telegram.login import Asks, Identity
from tg_pipeline.sources.telegram.running import run
from tg_pipeline.sources.telegram.sessions import DEFAULT_ACCOUNT, Sessions, account_name
from tg_pipeline.store import accounts
from tg_pipeline.store.accounts import AccountState
from tg_pipeline.store.leases import lease


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """An account that can be used.

    Attributes:
        account: its name.
        user_id: whom it stands for.
        name: what that user is called.
        place: where the session is kept, in words; None if it is not.
        before: whether it was logged in already, and nothing was asked.
    """

    account: str
    user_id: int
    name: str
    place: str | None
    before: bool = False


def log_in(
    archive: Archive, asks: Asks, account: str = DEFAULT_ACCOUNT, *, qr: bool = False
) -> LoggedIn:
    """Log an account in and keep its session; one that works already is left as it is.

    Args:
        archive: whose settings, and where the account is noted.
        asks: who answers Telegram's questions.
        account: a name of the user's choice.
        qr: by a QR code instead of phone and code.

    Raises:
        ApiMissing, ApiInvalid, PhoneInvalid, CodeWrong, CodeExpired, PasswordWrong, QrExpired,
        AccountDiffers, AccountBanned, AccountBusy, FloodWait, TelegramUnreachable
    """
    sessions = Sessions(archive.settings)
    with lease(archive.database, account_name(account), "login"), noted(archive, account):
        if (found := _works_already(archive, sessions, account)) is not None:
            _note(archive, account, found)
            place = sessions.place(account)
            return LoggedIn(account, found.user_id, found.name, place, before=True)

        def keep(session: str, identity: Identity) -> LoggedIn:
            _note(archive, account, identity)
            place = sessions.keep(account, session)
            return LoggedIn(account, identity.user_id, identity.name, place)

        expected = expected_user(archive, account)
        work = telegram.log_in(archive.settings, account, asks, keep, expected=expected, qr=qr)
        done = run(work)
    get_logger().info("account.logged_in", account=account, user_id=done.user_id)
    return done


def new_session(
    archive: Archive, asks: Asks, account: str = DEFAULT_ACCOUNT, *, qr: bool = False
) -> tuple[str, LoggedIn]:
    """Log in and return the session, which is kept nowhere: for another machine.

    Used here as well it would be in use from two addresses, and Telegram would revoke it.

    Raises:
        as `log_in`
    """

    def keep(session: str, identity: Identity) -> tuple[str, LoggedIn]:
        return session, LoggedIn(account, identity.user_id, identity.name, None)

    expected = expected_user(archive, account_name(account))
    work = telegram.log_in(archive.settings, account, asks, keep, expected=expected, qr=qr)
    return run(work)


def log_out(archive: Archive, account: str = DEFAULT_ACCOUNT) -> bool:
    """End the session of an account at Telegram and remove it; whether nothing of it is left.

    What was archived stays, and so do the followed chats. A session that comes from a setting is
    ended, but stands in the setting still.

    Raises:
        NotLoggedIn, SessionUnreadable, AccountBusy, FloodWait, TelegramUnreachable
    """
    sessions = Sessions(archive.settings)
    session = sessions.load(account_name(account))
    with lease(archive.database, account, "logout"):
        run(telegram.log_out(archive.settings, account, session))
        if not sessions.given:
            sessions.remove(account)
        with archive.database.transaction() as connection:
            accounts.is_now(connection, account, AccountState.LOGGED_OUT)
            accounts.keep_takeout(connection, account, None)  # it ended with the session
    get_logger().info("account.logged_out", account=account)
    return not sessions.given


def _works_already(archive: Archive, sessions: Sessions, account: str) -> Identity | None:
    """Whom the session there is belongs to; None where a new one has to be made.

    One from a setting is never replaced by a log in, so what is wrong with it is raised.
    """
    try:
        identity = run(_who(archive, account, sessions.load(account)))
    except NotLoggedIn:
        return None
    except (SessionUnreadable, SessionRevoked, KeyDuplicated):
        if sessions.given:
            raise
        return None
    expected = expected_user(archive, account)
    if expected not in {None, identity.user_id}:
        raise AccountDiffers(account, expected or 0, identity.user_id)
    return identity


async def _who(archive: Archive, account: str, session: str) -> Identity:
    async with connected(archive.settings, account, session) as client:
        return await telegram.who_is(telegram.asking_once(client, account))


def _note(archive: Archive, account: str, identity: Identity) -> None:
    with archive.database.transaction() as connection:
        accounts.logged_in(connection, account, identity.user_id, identity.name)
