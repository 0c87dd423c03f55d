"""Logging in, accounts, chats, and what Telegram answers instead of messages."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tg_pipeline.errors.base import EXIT_USAGE, DataError, Fatal, Transient

_APPS = "https://my.telegram.org/apps"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


# ---- logging in


class ApiMissing(Fatal):
    """No api id and hash are known, without which nobody may ask Telegram."""

    code = "telegram.api_missing"
    exit_code = EXIT_USAGE

    def __init__(self) -> None:
        super().__init__(
            "no api id and hash are set",
            remedy=f"Make them once at {_APPS} and give them to `tg-pipeline login`, or set "
            "TG_PIPELINE_TELEGRAM_API_ID and TG_PIPELINE_TELEGRAM_API_HASH.",
        )


class ApiInvalid(Fatal):
    """Telegram does not know the api id, or the hash belongs to another."""

    code = "telegram.api_invalid"

    def __init__(self, api_id: int) -> None:
        super().__init__(
            f"Telegram does not accept api id {api_id} with its hash",
            remedy=f"Compare both with {_APPS}.",
        )


class PhoneInvalid(Fatal):
    """Telegram knows no such phone number, or refuses it."""

    code = "telegram.phone_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Telegram does not accept this phone number: {reason}",
            remedy="Give it with its country code, as +49 151 23456789.",
        )


class CodeWrong(Fatal):
    """The code that was typed is not the one Telegram sent."""

    code = "telegram.code_wrong"

    def __init__(self) -> None:
        super().__init__(
            "that is not the code Telegram sent",
            remedy="Log in again and type the newest code; it comes into the Telegram app.",
        )


class CodeExpired(Fatal):
    """The code was right once."""

    code = "telegram.code_expired"

    def __init__(self) -> None:
        super().__init__(
            "the code has expired",
            remedy="Log in again: Telegram sends a new one. Never post a code in a chat, that "
            "ends it at once.",
        )


class PasswordWrong(Fatal):
    """The password of two-step verification is another one."""

    code = "telegram.password_wrong"

    def __init__(self) -> None:
        super().__init__(
            "that is not the password of two-step verification",
            remedy="Log in again with the password set in Telegram under Privacy and Security, "
            "or reset it there.",
        )


class QrExpired(Fatal):
    """Nobody scanned the QR code in time."""

    code = "telegram.qr_expired"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"nobody scanned the QR code within {seconds} seconds",
            remedy="Log in again and scan it in Telegram: Settings, Devices, Link Desktop Device.",
        )


# ---- accounts and sessions


class NotLoggedIn(Fatal):
    """There is no session for this account."""

    code = "telegram.not_logged_in"

    def __init__(self, account: str, place: str) -> None:
        super().__init__(
            f"account {account} is not logged in: no session in {place}",
            remedy=f"Log in once with `tg-pipeline login {account}`.",
        )
        self.account = account


class SessionUnreadable(Fatal):
    """What is kept as a session is none, or may be read by others."""

    code = "telegram.session_unreadable"

    def __init__(self, place: Path | str, reason: str) -> None:
        super().__init__(
            f"the session in {place} cannot be used: {reason}",
            remedy="Put it right, or log in again with `tg-pipeline login`.",
        )


class KeyringUnavailable(Fatal):
    """Sessions are to be kept in the system's keyring, and there is none to be used."""

    code = "telegram.keyring_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the system's keyring cannot be used for sessions: {reason}",
            remedy="Install it with the extra, pip install 'tg-pipeline[keyring]', and unlock it; "
            "or set telegram_session_store to file.",
        )


class SessionRevoked(Fatal):
    """Telegram no longer knows the session."""

    code = "telegram.session_revoked"

    def __init__(self, account: str, reason: str) -> None:
        super().__init__(
            f"Telegram has ended the session of account {account} ({reason})",
            remedy=f"Log in again with `tg-pipeline login {account}`. If you did not end it "
            "yourself, look into Settings, Devices in Telegram first.",
        )
        self.account = account


class KeyDuplicated(Fatal):
    """One session was used from two places at once, and Telegram has revoked it."""

    code = "telegram.key_duplicated"

    def __init__(self, account: str) -> None:
        super().__init__(
            f"Telegram has revoked the session of account {account}: it was used from two "
            "addresses at the same time",
            remedy=f"Never copy a session to a second machine: log in there instead. Now: "
            f"`tg-pipeline login {account}`.",
        )
        self.account = account


class AccountBanned(Fatal):
    """Telegram has closed or limited the account."""

    code = "telegram.account_banned"

    def __init__(self, account: str, reason: str) -> None:
        super().__init__(
            f"Telegram has closed account {account} ({reason})",
            remedy="Ask @SpamBot in Telegram or write to recover@telegram.org; what is archived "
            "stays and another account can go on with public chats.",
        )
        self.account = account


class AccountDiffers(Fatal):
    """The session belongs to somebody else than this account's name stands for."""

    code = "telegram.account_differs"

    def __init__(self, account: str, expected: int, found: int) -> None:
        super().__init__(
            f"account {account} stands for user {expected}, but the session is of user {found}",
            remedy="Give the other user an account name of its own: `tg-pipeline login NAME`.",
        )


class AccountKnown(Fatal):
    """A user has an account by another name: waits and requests would be counted apart."""

    code = "telegram.account_known"

    def __init__(self, account: str, user: int, other: str) -> None:
        super().__init__(
            f"user {user} is account {other} already, and cannot be account {account} as well",
            remedy=f"Use account {other}, or end it first with `tg-pipeline logout {other}`.",
        )


class AccountBusy(Transient):
    """Another process uses the account; two at once would get its session revoked."""

    code = "telegram.account_busy"

    def __init__(self, account: str, holder: str) -> None:
        super().__init__(
            f"account {account} is in use by {holder}",
            remedy="Wait until it has ended; nothing is lost meanwhile.",
        )
        self.account = account
        self.holder = holder


# ---- what Telegram answers


class FloodWait(Transient):
    """Telegram wants to be left alone for longer than we wait in place."""

    code = "telegram.flood_wait"

    def __init__(self, account: str, method: str, until: datetime) -> None:
        super().__init__(
            f"Telegram lets account {account} call {method} again at {_clock(until)}",
            remedy="Give the same command again then; it goes on where it stopped.",
        )
        self.account = account
        self.until = until


class TakeoutDelay(Transient):
    """Telegram wants the export of data to be allowed on another device first, or to wait."""

    code = "telegram.takeout_delay"

    def __init__(self, account: str, until: datetime) -> None:
        super().__init__(
            f"Telegram lets account {account} begin a takeout at {_clock(until)}, or at once when "
            "it is allowed on a device",
            remedy="Open Telegram on your phone and allow the data export, or give the same "
            "command again then; without --takeout it goes on now.",
        )
        self.until = until


class BudgetSpent(Transient):
    """As many requests were made today as the setting allows."""

    code = "telegram.budget_spent"

    def __init__(self, account: str, budget: int, until: datetime) -> None:
        super().__init__(
            f"account {account} has made its {budget:,} requests of today",
            remedy=f"It goes on at {_clock(until)}; the setting telegram_daily_requests says how "
            "many there may be.",
        )
        self.until = until


class TelegramUnreachable(Transient):
    """No server of Telegram answers, or the connection broke again and again."""

    code = "telegram.unreachable"

    def __init__(self, reason: str, until: datetime | None = None) -> None:
        again = "" if until is None else f"; it is asked again at {_clock(until)}"
        super().__init__(
            f"Telegram cannot be reached: {reason}{again}",
            remedy="Check the network; give the same command again, it goes on where it stopped.",
        )
        self.until = until


PUT_OFF: Final = (FloodWait, TakeoutDelay, BudgetSpent, TelegramUnreachable)
"""What ends a run of fetching early; what came before is kept, and another run goes on."""


class TelegramRefused(Fatal):
    """Telegram answered with an error that we do not know better."""

    code = "telegram.refused"

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(
            f"Telegram refused {method}: {reason}",
            remedy="See https://core.telegram.org/method/" + method + " for what it means.",
        )
        self.reason = reason


# ---- chats


class ReferenceUnreadable(DataError):
    """A text names no chat."""

    code = "chat.reference_unreadable"
    exit_code = EXIT_USAGE

    def __init__(self, text: str, place: str | None = None) -> None:
        where = f"{place}: " if place else ""
        super().__init__(
            f"{where}{text!r} names no chat",
            remedy="Give a username, a t.me link, an invite link or an id such as "
            "-1001613744721, one a line.",
        )


class UsernameUnknown(DataError):
    """Nobody in Telegram bears this username."""

    code = "chat.username_unknown"

    def __init__(self, username: str) -> None:
        super().__init__(
            f"no chat is called @{username}",
            remedy="Check the spelling; if the chat was renamed, add it by its id or new name.",
        )
        self.username = username


class InviteUnusable(DataError):
    """An invite link has expired, or leads to a chat the account is not in."""

    code = "chat.invite_unusable"

    def __init__(self, link: str, reason: str) -> None:
        super().__init__(
            f"the invite link {link} cannot be used: {reason}",
            remedy="Join the chat with this account in Telegram: tg-pipeline never does so itself.",
        )


class ChatInaccessible(DataError):
    """The account may not read the chat: it is private, or has shut the account out."""

    code = "chat.inaccessible"

    def __init__(self, chat: str, account: str, reason: str, remedy: str | None = None) -> None:
        super().__init__(
            f"account {account} may not read {chat}: {reason}",
            remedy=remedy
            or "Join it again in Telegram, use another account, or end fetching it with "
            "`tg-pipeline chats remove`; what is archived stays.",
        )
        self.chat = chat
        self.reason = reason


class ChatNotFollowed(DataError):
    """A chat is named that is not followed."""

    code = "chat.not_followed"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text} is not among the followed chats",
            remedy="`tg-pipeline chats list` shows them; add it with `tg-pipeline chats add`.",
        )


class ChatsFileInvalid(DataError):
    """chats.yaml cannot be read as what it should be."""

    code = "chats.file_invalid"

    def __init__(self, path: Path, place: str, reason: str) -> None:
        super().__init__(
            f"{path}, {place}: {reason}",
            remedy="Correct it there; docs and `tg-pipeline chats list` show what it holds.",
        )


class SpoolDamaged(DataError):
    """Pages that were fetched and not landed cannot be read."""

    code = "fetch.spool_damaged"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be read: {reason}",
            remedy="Move it away; what it held is fetched again, at most one batch.",
        )
