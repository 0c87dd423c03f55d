"""One client's TCP connection: packets in, answers out."""

import asyncio
import struct
import time

from tg_pipeline_tests.telegram_server.answers import Ask, answer
from tg_pipeline_tests.telegram_server.answers.takeout import check as check_takeout
from tg_pipeline_tests.telegram_server.calls import Call, unwrap
from tg_pipeline_tests.telegram_server.cipher import BadMessage, decrypt
from tg_pipeline_tests.telegram_server.devices import Device
from tg_pipeline_tests.telegram_server.errors import RpcFailure, bad
from tg_pipeline_tests.telegram_server.faults import Trouble
from tg_pipeline_tests.telegram_server.handshake import Exchange, HandshakeBroken
from tg_pipeline_tests.telegram_server.recording import Request
from tg_pipeline_tests.telegram_server.session import Session
from tg_pipeline_tests.telegram_server.state import State
from tg_pipeline_tests.telegram_server.tl import TL, Unreadable, method_name, read
from tg_pipeline_tests.telegram_server.transport import BrokenPacket, Transport, recognise

_PLAIN = bytes(8)
_PLAIN_HEAD = struct.Struct("<qqi")
_UNKNOWN_KEY = (-404).to_bytes(4, "little", signed=True)


class Connection:
    """Reads until either side hangs up."""

    def __init__(
        self, state: State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._state = state
        self._reader = reader
        self._writer = writer
        self._transport: Transport | None = None
        self._exchange = Exchange(state.key, lambda key: void(state.devices.add(key)))
        self._sessions: dict[tuple[bytes, int], Session] = {}

    async def serve(self) -> None:
        """Answer packet after packet."""
        try:
            transport = self._transport = await recognise(self._reader)
            while not self._writer.is_closing():
                self._packet(await transport.read())
                await self._writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has hung up
        except (BrokenPacket, BadMessage, HandshakeBroken, Unreadable) as broken:
            self._state.broken.append(broken)
        except Exception as mishap:  # noqa: BLE001  # a bug of ours
            self._state.mishaps.append(mishap)
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """Close, after what is already written has gone out."""
        self._writer.close()

    def abort(self) -> None:
        """Close now, whatever has not gone out."""
        self._writer.transport.abort()

    def sessions(self, device: Device) -> list[Session]:
        """This device's sessions that get updates."""
        every = self._sessions.values()
        return [one for one in every if one.device is device and one.subscribed]

    def _send(self, packet: bytes) -> None:
        if self._transport is not None and not self._writer.is_closing():
            self._writer.write(self._transport.frame(packet))

    def _packet(self, packet: bytes) -> None:
        key_id = packet[:8]
        if key_id == _PLAIN:
            self._plain(packet)
            return
        device = self._state.devices.find(key_id)
        if device is None:
            self._send(_UNKNOWN_KEY)
            self.hang_up()
            return
        message = decrypt(device.key, packet)
        session = self._session(device, message.session_id)
        for msg_id, request in session.accept(message):
            self._request(session, msg_id, request)

    def _plain(self, packet: bytes) -> None:
        """A step of the key exchange."""
        made = self._exchange.answer(read(packet[_PLAIN_HEAD.size :]))._bytes()
        msg_id = int(time.time()) << 32 | 1
        self._send(_PLAIN_HEAD.pack(0, msg_id, len(made)) + made)

    def _session(self, device: Device, session_id: int) -> Session:
        key = (device.id, session_id)
        if key not in self._sessions:
            self._sessions[key] = Session(device, session_id, self._send)
        return self._sessions[key]

    def _request(self, session: Session, msg_id: int, request: TL) -> None:
        """Record a request, and answer it now or later."""
        call = unwrap(request)
        device = session.device
        session.subscribed |= call.wants_updates
        device.layer, device.app = call.layer or device.layer, call.app or device.app
        method = method_name(call.request)
        asker = device.account.id if device.account else None
        self._state.requests.add(Request(method, call.request, asker, call.takeout_id))
        trouble = self._state.faults.of(method, call.request)
        if trouble.hang_up_before:
            self.hang_up()
        elif trouble.delay:
            loop = asyncio.get_running_loop()
            loop.call_later(trouble.delay, self._respond, session, msg_id, call, trouble)
        else:
            self._respond(session, msg_id, call, trouble)

    def _respond(self, session: Session, msg_id: int, call: Call, trouble: Trouble) -> None:
        try:
            body = self._body(session.device, call, trouble)
        except RpcFailure as failure:
            session.failure(msg_id, failure)
        except Exception as mishap:  # noqa: BLE001  # a bug of ours, which the test shall see
            self._state.mishaps.append(mishap)
            session.failure(msg_id, bad(f"MISHAP_{type(mishap).__name__.upper()}"))
        else:
            session.result(msg_id, body, gzip=self._state.gzip)
        if trouble.hang_up_after:
            self.hang_up()

    def _body(self, device: Device, call: Call, trouble: Trouble) -> bytes:
        if trouble.failure is not None:
            raise trouble.failure
        if device.refusal is not None:
            raise device.refusal
        ask = Ask(self._state, device, call.takeout_id)
        check_takeout(ask)
        body = answer(ask, call.request)
        return body[: len(body) // 8 * 4] if trouble.truncate else body


def void(_value: object) -> None:
    """Nothing, whatever the value."""
