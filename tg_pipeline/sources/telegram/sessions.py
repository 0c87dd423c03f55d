"""Where sessions are kept: whoever has one is logged in, so each is for its owner's eyes only.

A session is Telethon's string. It comes from the setting `telegram_session` where that is set, else
from a file that nobody else may read, or from the system's keyring.
"""

import os
import re
import stat
from binascii import Error as NotBase64
from dataclasses import dataclass
from pathlib import Path
from struct import error as NotPacked  # noqa: N812
from typing import Any

from telethon.sessions import StringSession

from tg_pipeline.errors import KeyringUnavailable, NotLoggedIn, SessionUnreadable, UsageError
from tg_pipeline.files import clear_leftovers, durable, make_folder, storage_errors
from tg_pipeline.settings import PREFIX, Settings

DEFAULT_ACCOUNT = "main"
SETTING = f"{PREFIX}TELEGRAM_SESSION"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)
_PRIVATE_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SERVICE = "tg-pipeline"


def account_name(text: str) -> str:
    """The text, if an account may be called so; it becomes part of a path.

    Raises:
        UsageError: it may not.
    """
    if _NAME.fullmatch(text) is None:
        raise UsageError(
            f"{text!r} is no name for an account",
            remedy="Take up to 32 lower-case letters, digits, - and _, beginning with a letter; "
            f"left out, it is {DEFAULT_ACCOUNT}.",
        )
    return text


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions that one set of settings names."""

    settings: Settings

    @property
    def given(self) -> bool:
        """Whether the session comes from a setting, which outranks what is kept."""
        return self.settings.telegram_session is not None

    def place(self, account: str) -> str:
        """Where the session of an account is, in words."""
        if self.given:
            return f"the setting {SETTING}"
        if self.settings.telegram_session_store == "keyring":
            return "the system's keyring"
        return str(self._path(account))

    def load(self, account: str) -> str:
        """The session of an account.

        Raises:
            NotLoggedIn: there is none.
            SessionUnreadable: what is there is no session, or others may read it.
            KeyringUnavailable: there is no keyring.
        """
        text = self.settings.telegram_session or self._kept(account)
        if text is None:
            raise NotLoggedIn(account, self.place(account))
        _require_session(text, self.place(account))
        return text

    def has(self, account: str) -> bool:
        """Whether there is a session of an account, usable or not."""
        return self.given or self._kept(account) is not None

    def keep(self, account: str, session: str) -> str:
        """Keep a session for later runs, in place of the one before; where it is now.

        Raises:
            FolderNotWritable, DiskFull, KeyringUnavailable
        """
        if self.settings.telegram_session_store == "keyring":
            _in_keyring("set_password", self._entry(account), session)
            return "the system's keyring"
        path = self._path(account)
        make_folder(path.parent)
        with storage_errors(path.parent):
            path.parent.chmod(_PRIVATE_FOLDER)
            clear_leftovers(path.parent, path.name)
        with durable(path.parent / ".gitignore") as file:
            file.write(b"*\n")
        with durable(path, private=True) as file:
            file.write(f"{session}\n".encode("ascii"))
        return str(path)

    def remove(self, account: str) -> None:
        """Forget what is kept of an account; a setting is not ours to remove."""
        if self.settings.telegram_session_store == "keyring":
            if self._kept(account) is not None:
                _in_keyring("delete_password", self._entry(account))
            return
        path = self._path(account)
        with storage_errors(path.parent):
            path.unlink(missing_ok=True)

    def _kept(self, account: str) -> str | None:
        if self.settings.telegram_session_store == "keyring":
            found = _in_keyring("get_password", self._entry(account))
            return None if found is None else str(found)
        return _read(self._path(account))

    def _path(self, account: str) -> Path:
        return self.settings.home / "sessions" / f"{account_name(account)}.session"

    def _entry(self, account: str) -> str:
        """Its name in the keyring, which is one for all archives of a user."""
        return f"{account_name(account)} of {self.settings.home.resolve()}"


def _read(path: Path) -> str | None:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SessionUnreadable(path, error.strerror or str(error)) from error
    with os.fdopen(opened, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SessionUnreadable(path, "it is no file")
        if found.st_mode & _OTHERS:
            reason = f"other users of this machine may read it; `chmod 600 {path}` ends that"
            raise SessionUnreadable(path, reason)
        return file.read().decode("ascii", "replace").strip()


def _require_session(text: str, place: str) -> None:
    try:
        usable = bool(StringSession(text).auth_key)
    except (ValueError, NotBase64, NotPacked, IndexError):
        usable = False
    if not usable:  # what it holds instead may be a secret all the same
        raise SessionUnreadable(place, "it is not the text of a session") from None


def _in_keyring(method: str, entry: str, *values: str) -> Any:
    try:
        import keyring  # noqa: PLC0415 - an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError as error:
        raise KeyringUnavailable("the package keyring is not installed") from error
    try:
        return getattr(keyring, method)(_SERVICE, entry, *values)
    except KeyringError as error:
        raise KeyringUnavailable(str(error) or type(error).__name__) from error
