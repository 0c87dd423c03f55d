"""A Telegram on loopback that an unmodified Telethon talks to."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

from telethon import TelegramClient
from telethon.crypto import AuthKey, rsa
from telethon.sessions import StringSession
from telethon.tl import types

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.connection import Connection
from tg_pipeline_tests.telegram_server.devices import Device, Devices
from tg_pipeline_tests.telegram_server.errors import RpcFailure, unauthorized
from tg_pipeline_tests.telegram_server.faults import Faults
from tg_pipeline_tests.telegram_server.handshake import ServerKey
from tg_pipeline_tests.telegram_server.recording import Requests
from tg_pipeline_tests.telegram_server.state import API_HASH, API_ID, DC, State
from tg_pipeline_tests.telegram_server.tl import TL
from tg_pipeline_tests.telegram_server.world import World

HOST = "127.0.0.1"


class TelegramServer:
    """Runs in a thread with an event loop of its own; stopped and started again it is the same."""

    def __init__(
        self,
        world: World | None = None,
        *,
        port: int = 0,
        gzip: bool = False,
        key: ServerKey | None = None,
    ) -> None:
        self.state = State(world or World(), key)
        self.state.port, self.state.gzip = port, gzip
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._connections: dict[Connection, asyncio.Task[None]] = {}

    def __enter__(self) -> "TelegramServer":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self.state.mishaps and error is None:
            raise ExceptionGroup("the server's own errors", self.state.mishaps)

    @property
    def world(self) -> World:
        """What exists."""
        return self.state.world

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.state.faults

    @property
    def requests(self) -> Requests:
        """What was asked."""
        return self.state.requests

    @property
    def devices(self) -> Devices:
        """Who is logged in where."""
        return self.state.devices

    @property
    def port(self) -> int:
        """Where it listens; the same after a restart."""
        return self.state.port

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        """Listen; returns when clients can connect."""
        TelegramClient._config = None  # Telethon keeps what the first server of a process told it
        ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self._thread.start()
        ready.wait()
        if self._loop is None:
            raise OSError(f"cannot listen at {self.address}")

    def stop(self) -> None:
        """Hang up on everybody and stop listening."""
        loop, stopping, thread = self._loop, self._stopping, self._thread
        if loop is None or stopping is None or thread is None:
            return
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        self._loop = self._stopping = self._thread = None

    def restart(self) -> None:
        """Stop and start again at the same port, with the same state."""
        self.stop()
        self.start()

    def hang_up(self) -> None:
        """Close all connections now."""

        def close() -> None:
            for connection in list(self._connections):
                connection.hang_up()

        self._soon(close)

    def client(self, session: str | None = None, **options: object) -> TelegramClient:
        """An unmodified client of this server, not connected yet.

        Args:
            session: What `session` or `StringSession.save` returned; by default nobody is
                logged in.
            options: Telethon's own.
        """
        rsa.add_key(self.state.key.pem, old=False)
        kept = StringSession(session)
        if session is None:
            kept.set_dc(DC, HOST, self.port)
        return TelegramClient(kept, API_ID, API_HASH, **options)

    def session(self, account: Account) -> str:
        """A StringSession of a new device on which an account is logged in."""
        device = self.devices.add()
        device.log_in(account)
        return self.session_of(device)

    def session_of(self, device: Device) -> str:
        """The StringSession of a device."""
        made = StringSession()
        made.set_dc(DC, HOST, self.port)
        made.auth_key = AuthKey(device.key)
        text: str = made.save()
        return text

    def write_key(self, path: Path) -> Path:
        """Write the public RSA key as PEM."""
        path.write_text(self.state.key.pem, "ascii")
        return path

    def accept_login(
        self, token: str | bytes, account: Account, *, moved_to: int | None = None
    ) -> None:
        """Scan a QR code, given its URL or token, with a device of an account.

        With `moved_to` the account belongs to another data centre, where the client has to go on.
        """
        if isinstance(token, str):
            text = token.rpartition("token=")[2]
            token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        device = self.devices.showing(token)
        if device is None:
            raise KeyError("no device shows this token")
        device.token_accepted_by, device.token_moved_to = account, moved_to
        self.push(device, types.UpdateLoginToken())

    def revoke(self, account: Account, failure: RpcFailure | None = None) -> None:
        """End all sessions of an account; every later request gets the failure."""
        for device in self.devices.of(account):
            device.refusal = failure or unauthorized("AUTH_KEY_UNREGISTERED")

    def push(self, device: Device, update: TL) -> None:
        """Send an update to a device's connections that want updates."""

        def send() -> None:
            for connection in list(self._connections):
                for session in connection.sessions(device):
                    session.update(update)

        self._soon(send)

    def _soon(self, action: Callable[[], None]) -> None:
        """Run something in the server's thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(action)

    async def _run(self, ready: Event) -> None:
        try:
            listener = await asyncio.start_server(self._connected, HOST, self.port)
        except OSError:
            ready.set()
            return
        self.state.port = listener.sockets[0].getsockname()[1]
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await self._stopping.wait()
        listener.close()
        serving = list(self._connections.values())
        for connection in list(self._connections):
            connection.abort()
        await asyncio.gather(*serving)
        await listener.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve, known from the first moment: a stop leaves no socket open."""
        connection = Connection(self.state, reader, writer)
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._connections[connection] = task
        task.add_done_callback(lambda _: self._connections.pop(connection))
