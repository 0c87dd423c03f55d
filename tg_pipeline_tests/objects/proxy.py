"""A proxy that cuts connections: TCP on loopback, to be put before a server."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

BLOCK = 1 << 14


@dataclass(slots=True)
class Proxy:
    """Passes everything on until so many bytes have been sent to the server.

    Attributes:
        cut_after: bytes of one connection after which it is cut; None cuts nothing.
        cuts: how many connections may be cut; None means all that send so much.
        bytes_per_second: of one connection, towards the server; None means no limit.
    """

    target: int
    port: int = 0
    cut_after: int | None = None
    cuts: int | None = None
    bytes_per_second: int | None = None
    made: int = 0
    sent: int = 0

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await end.wait()
        server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        tasks: list[asyncio.Task[None]] = []
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            ends.append(back)
            tasks.append(asyncio.create_task(self._up(reader, back)))
            tasks.append(asyncio.create_task(self._down(there, writer)))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.transport.abort()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _up(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        passed = 0
        while data := await reader.read(BLOCK):
            passed += len(data)
            self.sent += len(data)
            if self._is_cut(passed):
                self.made += 1
                return
            back.write(data)
            await back.drain()
            if self.bytes_per_second is not None:
                await asyncio.sleep(len(data) / self.bytes_per_second)

    def _is_cut(self, passed: int) -> bool:
        may = self.cuts is None or self.made < self.cuts
        return self.cut_after is not None and may and passed > self.cut_after

    async def _down(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await there.read(BLOCK):
            writer.write(data)
            await writer.drain()


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A proxy before a port of this machine, in a thread of its own."""
    proxy, ready = Proxy(target), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    end = asyncio.Event()

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        await proxy.serve(ready, end)

    thread = threading.Thread(target=asyncio.run, args=[main()])
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy
    finally:
        loops[0].call_soon_threadsafe(end.set)
        thread.join(10)
