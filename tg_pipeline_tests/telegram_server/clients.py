"""Clients of the server for tests: connected within a block, and gone after it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.server import TelegramServer
from tg_pipeline_tests.telegram_server.tl import TL

T = TypeVar("T")
_LONGEST = 60  # seconds
_IMPATIENT: dict[str, Any] = {"retry_delay": 0, "flood_sleep_threshold": 0}


@asynccontextmanager
async def connected(
    server: TelegramServer, who: Account | str | None = None, **options: object
) -> AsyncIterator[TL]:
    """A connected client: logged in as an account, with a saved session, or as nobody.

    It waits neither for retries nor for floods; `options` are Telethon's own.
    """
    session = server.session(who) if isinstance(who, Account) else who
    client = server.client(session, **{**_IMPATIENT, **options})
    try:
        await client.connect()
        yield client
    finally:
        await client.disconnect()


def talk(
    server: TelegramServer,
    who: Account | str | None,
    say: Callable[[TL], Awaitable[T]],
    **options: object,
) -> T:
    """What comes of talking to the server with a client of its own, for a minute at most."""

    async def within() -> T:
        async with connected(server, who, **options) as client:
            return await say(client)

    return asyncio.run(asyncio.wait_for(within(), _LONGEST))
