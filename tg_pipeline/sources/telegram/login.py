"""Logging in as a person does: by phone and code or by QR code, then by password if there is one.

What is asked and shown, and how, is up to whoever implements `Asks`.
A session that could not be kept is ended again, so that none stays open unknown to its owner.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Protocol, TypeVar

from telethon import TelegramClient, errors, events, utils
from telethon.tl import functions, types

from tg_pipeline.errors import (
    AccountBanned,
    AccountDiffers,
    CodeExpired,
    CodeWrong,
    KeyDuplicated,
    PasswordWrong,
    PhoneInvalid,
    QrExpired,
    SessionRevoked,
    TgPipelineError,
)
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram.client import answered, at_once, connected, method_of
from tg_pipeline.sources.telegram.history import Ask
from tg_pipeline.sources.telegram.running import in_front

TRIES = 3
QR_SECONDS = 300
T = TypeVar("T")
_CODE_REFUSED = (errors.PhoneCodeInvalidError, errors.PhoneCodeEmptyError)
_PHONE_REFUSED = {
    errors.PhoneNumberInvalidError: "there is no such number",
    errors.PhoneNumberUnoccupiedError: "nobody has a Telegram account with it",
    errors.PhoneNumberAppSignupForbiddenError: "nobody has a Telegram account with it",
}
_PASSWORD_REFUSED = (errors.PasswordHashInvalidError, errors.SrpPasswordChangedError)
_SENT_BY = {
    types.auth.SentCodeTypeApp: "in your Telegram app",
    types.auth.SentCodeTypeSms: "by SMS",
    types.auth.SentCodeTypeCall: "by a phone call",
    types.auth.SentCodeTypeEmailCode: "by e-mail",
}


class Asks(Protocol):
    """Whoever logs in. Each method may raise to give up."""

    def phone(self) -> str:
        """The phone number, with its country code."""
        ...

    def code(self, sent: str) -> str:
        """The code; `sent` says where it was sent to."""
        ...

    def password(self, hint: str | None) -> str:
        """The password of two-step verification."""
        ...

    def scan(self, url: str) -> None:
        """Show a QR code; returns at once."""
        ...

    def refused(self, error: TgPipelineError) -> None:
        """Tell that an answer was wrong; the question comes again."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a session belongs to."""

    user_id: int
    name: str


Keep = Callable[[str, Identity], T]
"""Keeps a new session; what it returns is what `log_in` returns."""


async def log_in(
    settings: Settings,
    account: str,
    asks: Asks,
    keep: Keep[T],
    *,
    expected: int | None = None,
    qr: bool = False,
) -> T:
    """Make a new session of an account.

    Args:
        settings: api id, hash and server.
        account: what the user calls it.
        asks: who answers.
        keep: takes the session; if it raises, the session is ended.
        expected: the user id that the account's name stands for already.
        qr: by a QR code, which another device scans.

    Raises:
        PhoneInvalid, CodeWrong, CodeExpired, PasswordWrong, QrExpired: after three tries.
        AccountDiffers: somebody else has logged in.
        ApiMissing, ApiInvalid, AccountBanned, FloodWait, TelegramUnreachable, TelegramRefused
    """
    async with connected(settings, account, None, updates=qr) as client:
        one = _Login(settings, account, asks, client)
        try:
            if await (one.scanned() if qr else one.coded()):
                await one.proved()
            identity = await who_is(asking_once(client, account))
            _require_same(account, expected, identity)
            return await in_front(keep, client.session.save(), identity)
        except BaseException:
            await _end(client)
            raise


async def log_out(settings: Settings, account: str, session: str) -> None:
    """End a session at Telegram; one that has ended already is as good.

    Raises:
        TelegramUnreachable, FloodWait, ApiMissing, ApiInvalid
    """
    try:
        async with (
            connected(settings, account, session) as client,
            _once(account, "auth.logOut"),
        ):
            await client(functions.auth.LogOutRequest())
    except (SessionRevoked, KeyDuplicated, AccountBanned):
        return


async def who_is(ask: Ask) -> Identity:
    """Whom a connected client is logged in as.

    Raises:
        SessionRevoked, KeyDuplicated, AccountBanned, TelegramUnreachable, FloodWait
    """
    (found,) = await ask(functions.users.GetUsersRequest([types.InputUserSelf()]))
    return Identity(found.id, utils.get_display_name(found))


def asking_once(client: TelegramClient, account: str) -> Ask:
    """A way to ask that neither waits nor tries again."""

    async def ask(request: Any, *, chat: str = "") -> Any:
        with at_once(account, method := method_of(request)):
            async with answered(account, method, chat=chat):
                return await client(request)

    return ask


def _require_same(account: str, expected: int | None, found: Identity) -> None:
    if expected not in {None, found.user_id}:
        raise AccountDiffers(account, expected or 0, found.user_id)


@asynccontextmanager
async def _once(account: str, method: str, api_id: int | None = None) -> AsyncIterator[None]:
    """Around a call that is not to be repeated: people wait for it, and floods end it."""
    with at_once(account, method):
        async with answered(account, method, api_id=api_id):
            yield


async def _end(client: TelegramClient) -> None:
    """End what has been begun, if there is anything to end."""
    try:
        async with asyncio.timeout(10):
            await client(functions.auth.LogOutRequest())
    except (errors.RPCError, OSError, TimeoutError):
        return  # nobody was logged in, or nobody can be reached


class _Login:
    """One attempt at one account."""

    def __init__(
        self, settings: Settings, account: str, asks: Asks, client: TelegramClient
    ) -> None:
        self._settings = settings
        self._account = account
        self._asks = asks
        self._client = client
        self._phone = ""
        self._sent: Any = None

    async def coded(self) -> bool:
        """Log in by phone and code; whether the password is still to be proved."""
        await self._tried(self._send_code, PhoneInvalid)
        return await self._tried(self._prove_code, CodeWrong, CodeExpired)

    async def scanned(self) -> bool:
        """Log in by QR code; whether the password is still to be proved."""
        scan = asyncio.Event()

        async def noticed(_update: object) -> None:
            scan.set()

        self._client.add_event_handler(noticed, events.Raw(types.UpdateLoginToken))
        ends = monotonic() + QR_SECONDS
        while True:
            token = await self._token()
            if token is None:
                return True
            if isinstance(token, types.auth.LoginTokenSuccess):
                return False
            await in_front(self._asks.scan, _url(token.token))
            shown = token.expires - datetime.now(UTC)
            await _either(scan, min(shown, timedelta(seconds=ends - monotonic())))
            if not scan.is_set() and monotonic() >= ends:
                raise QrExpired(QR_SECONDS)
            scan.clear()

    async def proved(self) -> None:
        """Prove the password of two-step verification."""
        async with self._answered("account.getPassword"):
            hint = (await self._client(functions.account.GetPasswordRequest())).hint

        async def prove() -> None:
            password = await in_front(self._asks.password, hint)
            if not password:
                raise PasswordWrong
            async with self._answered("auth.checkPassword"):
                try:
                    await self._client.sign_in(password=password)
                except _PASSWORD_REFUSED as error:
                    raise PasswordWrong from error

        await self._tried(prove, PasswordWrong)

    async def _tried(
        self, attempt: Callable[[], Awaitable[T]], *refusals: type[TgPipelineError]
    ) -> T:
        """Try as often as there are tries, telling of every refusal but the last."""
        for _ in range(TRIES - 1):
            try:
                return await attempt()
            except refusals as error:
                await in_front(self._asks.refused, error)
        return await attempt()

    async def _send_code(self) -> None:
        typed = await in_front(self._asks.phone)
        self._phone = utils.parse_phone(typed) or ""
        if not self._phone:
            raise PhoneInvalid("it does not consist of digits")
        async with self._answered("auth.sendCode"):
            try:
                self._sent = await self._client.send_code_request(self._phone)
            except tuple(_PHONE_REFUSED) as error:
                raise PhoneInvalid(_PHONE_REFUSED[type(error)]) from error

    async def _prove_code(self) -> bool:
        if self._sent is None:  # the one before has expired
            async with self._answered("auth.sendCode"):
                self._sent = await self._client.send_code_request(self._phone)
        typed = await in_front(self._asks.code, _where(self._sent))
        code = "".join(char for char in typed if char.isalnum())
        if not code:
            raise CodeWrong
        async with self._answered("auth.signIn"):
            try:
                await self._client.sign_in(self._phone, code)
            except errors.SessionPasswordNeededError:
                return True
            except _CODE_REFUSED as error:
                raise CodeWrong from error
            except errors.PhoneCodeExpiredError as error:
                self._sent = None
                raise CodeExpired from error
            except tuple(_PHONE_REFUSED) as error:
                raise PhoneInvalid(_PHONE_REFUSED[type(error)]) from error
        return False

    async def _token(self) -> Any:
        """A token to show, or what became of the one before; None where a password is missing."""
        client, settings = self._client, self._settings
        ask = functions.auth.ExportLoginTokenRequest
        async with self._answered("auth.exportLoginToken"):
            try:
                token = await client(
                    ask(settings.telegram_api_id, settings.telegram_api_hash, except_ids=[])
                )
                if isinstance(token, types.auth.LoginTokenMigrateTo):
                    await client._switch_dc(token.dc_id)  # as Telethon's own QRLogin does
                    token = await client(functions.auth.ImportLoginTokenRequest(token.token))
            except errors.SessionPasswordNeededError:
                return None
            else:
                return token

    def _answered(self, method: str) -> Any:
        return _once(self._account, method, self._settings.telegram_api_id)


async def _either(event: asyncio.Event, wait: timedelta) -> None:
    """Wait for an event, or until the time is over."""
    try:
        async with asyncio.timeout(max(wait.total_seconds(), 0)):
            await event.wait()
    except TimeoutError:
        return


def _url(token: bytes) -> str:
    return "tg://login?token=" + base64.urlsafe_b64encode(token).decode("ascii").rstrip("=")


def _where(sent: Any) -> str:
    return _SENT_BY.get(type(sent.type), "to you")
