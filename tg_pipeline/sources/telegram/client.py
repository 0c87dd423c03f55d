"""The unmodified Telethon client, connected, and its errors as ours.

Telethon neither waits for floods nor tries for long: how often and how patiently Telegram is asked
is decided in one place, above. It logs nothing, for what it says may hold what nobody should see.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from telethon import TelegramClient, errors
from telethon.crypto import rsa
from telethon.errors.rpcerrorlist import rpc_errors_dict
from telethon.sessions import StringSession

from tg_pipeline.errors import (
    AccountBanned,
    ApiInvalid,
    ApiMissing,
    ChatInaccessible,
    FloodWait,
    InviteUnusable,
    KeyDuplicated,
    SessionRevoked,
    SettingInvalid,
    TelegramRefused,
    TelegramUnreachable,
    TgPipelineError,
    UsernameUnknown,
)
from tg_pipeline.settings import Settings

CONNECTING = "initConnection"
"""What connecting is called, by Telegram and where waits are kept."""
ANSWER_SECONDS = 60
_CONNECT_SECONDS = 10
_CONNECT_TRIES = 3
_TRY_AGAIN_SECONDS = 1
_REQUEST_TRIES = 2  # the second is for an account that has moved to another data centre
_DC = 2

_ENDED = (
    errors.AuthKeyUnregisteredError,
    errors.AuthKeyInvalidError,
    errors.AuthKeyPermEmptyError,
    errors.SessionRevokedError,
    errors.SessionExpiredError,
    errors.AuthKeyNotFound,
)
_BANNED = {
    errors.UserDeactivatedBanError: "it was banned",
    errors.PhoneNumberBannedError: "its phone number was banned",
    errors.UserDeactivatedError: "it was deleted",
    errors.FrozenMethodInvalidError: "it is frozen",
}
_SHUT = {
    errors.ChannelPrivateError: "it is private, or the account was removed from it",
    errors.ChatForbiddenError: "the account was removed from it",
    errors.UserBannedInChannelError: "the account is banned in it",
    errors.ChannelInvalidError: "there is no such chat for this account",
    errors.ChatIdInvalidError: "there is no such chat for this account",
    errors.PeerIdInvalidError: "there is no such chat for this account",
    errors.ChatInvalidError: "there is no such chat for this account",
    errors.UserNotParticipantError: "the account is not in it",
    errors.ChatAdminRequiredError: "only its administrators may do this",
    errors.ChatRestrictedError: "Telegram has restricted it",
    errors.ChannelPublicGroupNaError: "it is not available",
}
_NO_SUCH_NAME = (errors.UsernameNotOccupiedError, errors.UsernameInvalidError)
_INVITES = {
    errors.InviteHashExpiredError: "it has expired",
    errors.InviteHashInvalidError: "Telegram knows no such link",
    errors.InviteHashEmptyError: "Telegram knows no such link",
}
_LOST = (errors.ServerError, errors.TimedOutError, errors.SecurityError)
_SILENT = logging.getLogger("tg_pipeline.telethon")
_SILENT.propagate = False
_SILENT.addHandler(logging.NullHandler())
_SILENT.setLevel(logging.CRITICAL + 1)


@asynccontextmanager
async def connected(
    settings: Settings, account: str, session: str | None, *, updates: bool = False
) -> AsyncIterator[TelegramClient]:
    """A client that is connected, and disconnected at the end.

    Args:
        settings: whence api id, hash and server come.
        account: whose session it is, for errors.
        session: what `Sessions.load` gave; None to log in.
        updates: whether Telegram shall send news, which nothing but a QR log in needs.

    Raises:
        ApiMissing, ApiInvalid, SettingInvalid, TelegramUnreachable, SessionRevoked,
        KeyDuplicated, AccountBanned, FloodWait
    """
    client = _client(settings, session, updates)
    try:
        with (
            at_once(account, CONNECTING),
            translated(account, CONNECTING, api_id=settings.telegram_api_id),
        ):
            await client.connect()
        yield client
    finally:
        await client.disconnect()
        await asyncio.gather(client.disconnected, return_exceptions=True)  # or it is complained of


class _Forgetful(StringSession):  # type: ignore[misc]  # Telethon is not typed
    """A session that does not gather everybody who is mentioned: our peers are in the database.

    What it gathered grew with every page, and took a twentieth of the time.
    """

    def process_entities(self, tlo: Any) -> None:
        """Keep nothing."""


def _client(settings: Settings, session: str | None, updates: bool) -> TelegramClient:
    if settings.telegram_api_id is None or settings.telegram_api_hash is None:
        raise ApiMissing
    kept = _Forgetful(session)
    _point(kept, settings)
    return TelegramClient(
        kept,
        settings.telegram_api_id,
        settings.telegram_api_hash,
        timeout=_CONNECT_SECONDS,
        request_retries=_REQUEST_TRIES,
        connection_retries=_CONNECT_TRIES,
        retry_delay=_TRY_AGAIN_SECONDS,
        # What the connection breaks over would be sent again at once and without end. But somebody
        # who logs in may look for the code for longer than a connection lasts.
        auto_reconnect=session is None,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        receive_updates=updates,
        device_model="tg-pipeline",
        app_version=version("tg-pipeline"),
        base_logger=_SILENT,
    )


def _point(session: StringSession, settings: Settings) -> None:
    """Turn the session to the server of the settings, if they name one."""
    if settings.telegram_server_key is not None:
        _trust(settings.telegram_server_key)
    if settings.telegram_server is not None:
        host, _, port = settings.telegram_server.rpartition(":")
        try:  # a session is kept with an address, not a name
            found = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
        except (OSError, OverflowError) as error:
            raise TelegramUnreachable(f"{settings.telegram_server}: {error}") from error
        session.set_dc(_DC, found[0][4][0], int(port))


def _trust(path: Path) -> None:
    try:
        rsa.add_key(path.read_bytes(), old=False)
    except (OSError, ValueError) as error:
        reason = "it holds no public RSA key (PEM, PKCS#1)"
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
        raise SettingInvalid("telegram_server_key", str(path), "the settings", reason) from error


# ---- asking and its errors


@asynccontextmanager
async def answered(
    account: str, method: str, *, chat: str = "", api_id: int | None = None
) -> AsyncIterator[None]:
    """Let nothing inside wait for an answer for ever, and turn its errors into ours.

    Raises:
        what `translated` raises.
    """
    with translated(account, method, chat=chat, api_id=api_id):
        async with asyncio.timeout(ANSWER_SECONDS):
            yield


@contextmanager
def at_once(account: str, method: str) -> Iterator[None]:
    """Turn a flood wait into an error that says until when.

    Raises:
        FloodWait: Telegram wants a wait.
    """
    try:
        yield
    except errors.FloodError as error:
        until = datetime.now(UTC) + timedelta(seconds=getattr(error, "seconds", 0))
        raise FloodWait(account, method, until) from error


@contextmanager
def translated(
    account: str, method: str, *, chat: str = "", api_id: int | None = None
) -> Iterator[None]:
    """Turn Telethon's errors into ours; only those that tell how long to wait pass.

    Args:
        account: who asks.
        method: what is asked, as Telegram calls it: messages.getHistory.
        chat: what it is about: a title, a username, a link.
        api_id: of the settings, where it may be found wrong.

    Raises:
        SessionRevoked, KeyDuplicated, AccountBanned, ApiInvalid: the account cannot go on.
        ChatInaccessible, UsernameUnknown, InviteUnusable: this chat cannot be read.
        TelegramUnreachable: later it may work.
        TelegramRefused: anything else that Telegram answered.
    """
    try:
        yield
    except (errors.RPCError, errors.AuthKeyNotFound, errors.SecurityError) as error:
        if hasattr(error, "seconds"):
            raise
        found = _of_account(error, account, api_id) or _of_chat(error, account, chat or method)
        raise found or _of_answer(error, method) from error
    except (OSError, EOFError, BufferError, TimeoutError, struct.error) as error:
        raise TelegramUnreachable(_lost(error)) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise TelegramUnreachable("the connection broke and could not be made again") from error


def method_of(request: Any) -> str:
    """What Telegram calls a request: GetHistoryRequest of messages is messages.getHistory."""
    kind = type(getattr(request, "query", request))  # what is wrapped, as in a takeout
    name = kind.__name__.removesuffix("Request")
    name = name[:1].lower() + name[1:]
    place = kind.__module__.removeprefix("telethon.tl.functions").lstrip(".")
    return f"{place}.{name}" if place else name


def name_of(error: Exception) -> str:
    """What Telegram calls an error: CHANNEL_PRIVATE."""
    known = next((name for name, kind in rpc_errors_dict.items() if kind is type(error)), None)
    return known or str(getattr(error, "message", None) or type(error).__name__)


def not_readable(request: Any, error: errors.TypeNotFoundError) -> TelegramRefused:
    """What to say where an answer holds what this version of Telethon does not know."""
    what = f"constructor {error.invalid_constructor_id:08x} is not known to this version"
    return TelegramRefused(method_of(request), what)


def _of_account(error: Exception, account: str, api_id: int | None) -> TgPipelineError | None:
    if isinstance(error, errors.AuthKeyDuplicatedError):
        return KeyDuplicated(account)
    if isinstance(error, _ENDED):
        return SessionRevoked(account, name_of(error))
    if type(error) in _BANNED:
        return AccountBanned(account, _BANNED[type(error)])
    if isinstance(error, errors.ApiIdInvalidError | errors.ApiIdPublishedFloodError):
        return ApiInvalid(api_id or 0)
    return None


def _of_chat(error: Exception, account: str, chat: str) -> TgPipelineError | None:
    if isinstance(error, _NO_SUCH_NAME):
        return UsernameUnknown(chat.removeprefix("@"))
    if type(error) in _INVITES:
        return InviteUnusable(chat, _INVITES[type(error)])
    if type(error) in _SHUT:
        return ChatInaccessible(chat, account, f"{_SHUT[type(error)]} ({name_of(error)})")
    return None


def _of_answer(error: Exception, method: str) -> TgPipelineError:
    if isinstance(error, _LOST) or getattr(error, "code", 0) == -503:
        return TelegramUnreachable(f"{method}: {name_of(error)}")
    return TelegramRefused(method, name_of(error))


def _lost(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, struct.error | BufferError):
        return "an answer broke off"
    return str(error) or type(error).__name__
