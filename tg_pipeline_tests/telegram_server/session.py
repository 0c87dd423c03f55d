"""MTProto sessions: numbering, acknowledging and sealing what goes to one client."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer

from tg_pipeline_tests.telegram_server.cipher import Envelope, encrypt
from tg_pipeline_tests.telegram_server.devices import Device
from tg_pipeline_tests.telegram_server.errors import RpcFailure
from tg_pipeline_tests.telegram_server.tl import TL, read

_RPC_RESULT = (0xF35C6D01).to_bytes(4, "little")
_TOO_OLD, _TOO_NEW = 300, 30  # seconds
_WRONG_SALT = 48
_REPLY, _NOTICE = 1, 3  # lowest bits of a server's message ids
_DELIVERED = chr(4)

Incoming = tuple[int, TL]


class Session:
    """One client's run of messages over one connection."""

    def __init__(self, device: Device, session_id: int, send: Callable[[bytes], None]) -> None:
        self.device = device
        self.subscribed = False
        self._id = session_id
        self._send = send
        self._last_id = 0
        self._content = 0
        self._known = False

    def accept(self, message: Envelope) -> list[Incoming]:
        """The requests in what a client sent; whatever concerns the protocol is dealt with here."""
        if message.salt != self.device.salt:
            self._notice(
                types.BadServerSalt(message.msg_id, message.seq_no, _WRONG_SALT, self.device.salt)
            )
            return []
        if (code := _clock_error(message.msg_id)) is not None:
            self._notice(types.BadMsgNotification(message.msg_id, message.seq_no, code))
            return []
        if not self._known:
            self._known = True
            unique = secrets.randbits(63)
            self._notice(types.NewSessionCreated(message.msg_id, unique, self.device.salt))
        flat = _flat(message.msg_id, read(message.body))
        return [(msg_id, one) for msg_id, one in flat if not self._protocol(msg_id, one)]

    def result(self, msg_id: int, body: bytes, *, gzip: bool = False) -> None:
        """The answer to a request."""
        if gzip and len(body) > 512:
            body = bytes(GzipPacked(body))
        self._write(b"".join((_RPC_RESULT, msg_id.to_bytes(8, "little"), body)), _REPLY)

    def failure(self, msg_id: int, failure: RpcFailure) -> None:
        """The error a request ended with."""
        self.result(msg_id, types.RpcError(failure.code, failure.name)._bytes())

    def update(self, update: TL) -> None:
        """Something that nobody asked for."""
        self._write(types.UpdateShort(update, datetime.now(UTC))._bytes(), _NOTICE)

    def _protocol(self, msg_id: int, one: TL) -> bool:
        """Deal with a message that is no request; False if it is one."""
        if isinstance(one, functions.PingRequest | functions.PingDelayDisconnectRequest):
            self._notice(types.Pong(msg_id, one.ping_id), _REPLY)
        elif isinstance(one, functions.GetFutureSaltsRequest):
            self._notice(self._salts(msg_id), _REPLY)
        elif isinstance(one, types.MsgsStateReq):
            info = _DELIVERED * len(one.msg_ids)
            self._notice(types.MsgsStateInfo(msg_id, info), _REPLY)
        elif isinstance(one, functions.DestroySessionRequest):
            self._notice(types.DestroySessionNone(one.session_id), _REPLY)
        elif isinstance(one, functions.RpcDropAnswerRequest):
            self.result(msg_id, types.RpcAnswerUnknown()._bytes())
        else:
            silent = types.MsgsAck | types.MsgsStateInfo | types.MsgsAllInfo | types.MsgResendReq
            return isinstance(one, silent)
        return True

    def _salts(self, msg_id: int) -> TL:
        now = datetime.now(UTC)
        salt = types.FutureSalt(now, now + timedelta(days=1), self.device.salt)
        return types.FutureSalts(msg_id, int(now.timestamp()), [salt])

    def _notice(self, one: TL, kind: int = _NOTICE) -> None:
        self._write(one._bytes(), kind, content=False)

    def _write(self, body: bytes, kind: int, *, content: bool = True) -> None:
        seq_no = self._content * 2 + content
        self._content += content
        made = Envelope(self.device.salt, self._id, self._next_id(kind), seq_no, body)
        self._send(encrypt(self.device.key, self.device.id, made))

    def _next_id(self, kind: int) -> int:
        """Unix time in units of 2^-32 s, ascending, with the kind in its lowest bits."""
        now = int(time.time() * (1 << 32)) & ~3
        self._last_id = max(now, (self._last_id & ~3) + 4) | kind
        return self._last_id


def _flat(msg_id: int, one: TL) -> list[Incoming]:
    """A message, or those in a container, unpacked."""
    if isinstance(one, MessageContainer):
        return [pair for inner in one.messages for pair in _flat(inner.msg_id, inner.obj)]
    if isinstance(one, GzipPacked):
        return _flat(msg_id, read(one.data))
    return [(msg_id, one)]


def _clock_error(msg_id: int) -> int | None:
    """16 or 17 where the client's clock is too far behind or ahead."""
    behind = time.time() - (msg_id >> 32)
    if behind > _TOO_OLD:
        return 16
    return 17 if -behind > _TOO_NEW else None
