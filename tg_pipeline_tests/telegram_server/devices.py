"""Auth keys and who is logged in with each: what Telegram calls authorizations.

A device outlives its connections and the server's restarts, as long as the `Devices` are kept.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from telethon.crypto import AuthKey

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.errors import RpcFailure, unauthorized


@dataclass(slots=True, eq=False)
class Device:
    """One auth key.

    Attributes:
        account: Who is logged in.
        awaiting_password: Who has proved all but the second factor.
        refusal: What every request gets from now on, as after a revocation.
        login_token: The token shown as a QR code.
        takeouts: Takeout sessions begun and not finished.
        token_accepted_by: Who has scanned that code.
        token_moved_to: The data centre they belong to, if it is another.
        salt: What messages must carry.
        layer: The TL layer its client speaks.
        app: Its client's own name.
    """

    key: bytes
    id: bytes
    account: Account | None = None
    awaiting_password: Account | None = None
    refusal: RpcFailure | None = None
    login_token: bytes = b""
    token_accepted_by: Account | None = None
    token_moved_to: int | None = None
    takeouts: set[int] = field(default_factory=set)
    salt: int = field(default_factory=lambda: secrets.randbits(63))
    layer: int = 0
    app: str = ""

    def log_in(self, account: Account) -> None:
        """All factors are proved."""
        self.account, self.awaiting_password = account, None

    def owner(self) -> Account:
        """Who asks; raises what Telegram answers to those who may not."""
        if self.refusal is not None:
            raise self.refusal
        if self.account is None:
            pending = self.awaiting_password is not None
            raise unauthorized("SESSION_PASSWORD_NEEDED" if pending else "AUTH_KEY_UNREGISTERED")
        if self.account.banned:
            raise unauthorized("USER_DEACTIVATED_BAN")
        return self.account


class Devices:
    """All auth keys the server knows."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Device] = {}

    def add(self, key: bytes | None = None) -> Device:
        """Remember a key; a random one if none is given."""
        key = key or b"\x01" + secrets.token_bytes(255)
        key_id = AuthKey(key).key_id.to_bytes(8, "little")
        device = self._by_id[key_id] = Device(key, key_id)
        return device

    def find(self, key_id: bytes) -> Device | None:
        """The device with this key id."""
        return self._by_id.get(key_id)

    def forget(self, device: Device) -> None:
        """As if the key had never been made: its connections get a 404."""
        self._by_id.pop(device.id, None)

    def of(self, account: Account) -> Iterator[Device]:
        """Where an account is logged in."""
        return (device for device in list(self._by_id.values()) if device.account is account)

    def showing(self, token: bytes) -> Device | None:
        """The device that shows this login token."""
        found = (device for device in self._by_id.values() if device.login_token == token)
        return next(found, None)
