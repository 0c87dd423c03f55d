"""Each fault is seen as what it is, and just as often as the script says."""

import asyncio
import time

import pytest
from telethon import errors

from tg_pipeline_tests.telegram_server import (
    Above,
    Account,
    TelegramServer,
    When,
    always,
    talk,
)
from tg_pipeline_tests.telegram_server.conftest import Town
from tg_pipeline_tests.telegram_server.tl import TL

HISTORY = "messages.getHistory"


async def _tries(client: TL, count: int = 1) -> list[str]:
    """What so many attempts to read end with: an error's name, or `read`."""
    found = []
    for _ in range(count):
        try:
            await client.get_messages("harbour", limit=5)
        except Exception as error:  # noqa: BLE001
            found.append(type(error).__name__)
        else:
            found.append("read")
    return found


def test_flood(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        await client.get_entity("harbour")
        server.faults.flood(HISTORY, 3)
        with pytest.raises(errors.FloodWaitError) as caught:
            await client.get_messages("harbour")
        assert caught.value.seconds == 3
        client._flood_waited_requests.clear()  # Telethon would not even ask
        assert await _tries(client) == ["read"]

    talk(server, mira, ask)


@pytest.mark.parametrize(
    ("code", "name", "error"),
    [
        (400, "CHANNEL_INVALID", errors.ChannelInvalidError),
        (401, "SESSION_EXPIRED", errors.SessionExpiredError),
        (403, "CHAT_WRITE_FORBIDDEN", errors.ChatWriteForbiddenError),
        (406, "AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
        (500, "SOMETHING_BROKE", errors.ServerError),
        (420, "FLOOD_PREMIUM_WAIT_9", errors.FloodPremiumWaitError),
    ],
)
def test_any_error(
    server: TelegramServer, mira: Account, code: int, name: str, error: type[Exception]
) -> None:
    server.faults.error(HISTORY, code, name, always())

    async def ask(client: TL) -> None:
        with pytest.raises(error):
            await client.get_messages("harbour")

    talk(server, mira, ask, request_retries=0, raise_last_call_error=True)


@pytest.mark.parametrize(
    ("when", "hit"),
    [
        (When(), [1]),
        (When(times=3), [1, 2, 3]),
        (When(skip=2), [3]),
        (When(times=None, every=3), [3, 6, 9]),
        (When(times=2, skip=1, every=2), [3, 5]),
        (always(), list(range(1, 11))),
    ],
)
def test_how_often(server: TelegramServer, mira: Account, when: When, hit: list[int]) -> None:
    server.faults.error(HISTORY, 400, "PEER_ID_INVALID", when)
    found = talk(server, mira, lambda client: _tries(client, 10))
    assert [place for place, got in enumerate(found, 1) if got != "read"] == hit


def test_chance_is_the_same_each_time() -> None:
    draws = [[When(times=None, chance=0.3, seed=7).hits() for _ in range(50)] for _ in range(2)]
    rolls = [When(times=None, chance=0.3, seed=seed) for seed in (7, 7, 8)]
    runs = [[one.hits() for _ in range(200)] for one in rolls]
    assert draws[0] == draws[1]
    assert runs[0] == runs[1] != runs[2]
    assert 30 < sum(runs[0]) < 90


def test_hanging_up_before_an_answer(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        await client.get_entity("harbour")
        server.faults.hang_up(HISTORY)
        assert await _tries(client) == ["read"]  # Telethon connects and asks again
        assert server.requests.count(HISTORY) == 2

    talk(server, mira, ask)


def test_hanging_up_after_an_answer(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        server.faults.hang_up(HISTORY, answer_first=True)
        assert await _tries(client) == ["read"]
        assert server.requests.count(HISTORY) == 1
        assert await _tries(client) == ["read"]  # Telethon may ask twice while it connects again

    talk(server, mira, ask)


def test_hanging_up_for_good(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        await client.get_entity("harbour")
        server.faults.hang_up(None, always())
        with pytest.raises((ConnectionError, asyncio.TimeoutError)):
            await asyncio.wait_for(client.get_messages("harbour"), 0.5)
        server.faults.clear()
        assert await _tries(client) == ["read"]  # a client that leaves while it connects leaks

    talk(server, mira, ask, connection_retries=1)


def test_everybody_is_hung_up_on(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        server.hang_up()
        assert await _tries(client) == ["read"]

    talk(server, mira, ask)


def test_slow_answers(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        await client.get_entity("harbour")
        server.faults.delay(HISTORY, 0.15)
        began = time.monotonic()
        assert await _tries(client) == ["read"]
        assert time.monotonic() - began >= 0.15
        server.faults.latency = 0.2
        began = time.monotonic()
        await asyncio.gather(*(_tries(client) for _ in range(5)))
        assert 0.2 <= time.monotonic() - began < 0.9

    talk(server, mira, ask)


def test_truncated_answers(server: TelegramServer, mira: Account) -> None:
    server.faults.truncate(HISTORY)
    found = talk(server, mira, lambda client: _tries(client, 2))
    assert found[0] != "read"
    assert found[1] == "read"


def test_a_message_that_cannot_be_read(server: TelegramServer, town: Town) -> None:
    server.faults.garble(town.news.peer_id, [60])

    async def ask(client: TL) -> None:
        for _ in range(2):
            with pytest.raises(errors.TypeNotFoundError):
                await client.get_messages("harbour", limit=10, max_id=65)
        with pytest.raises(errors.TypeNotFoundError):
            await client.get_messages("harbour", ids=[60])
        assert len(await client.get_messages("harbour", limit=4, max_id=65)) == 4
        assert len(await client.get_messages("harbour", limit=4, max_id=60)) == 4

    talk(server, town.mira, ask)


def test_rules_are_for_their_method_alone(server: TelegramServer, mira: Account) -> None:
    server.faults.error("messages.getDialogs", 400, "PEER_ID_INVALID", always())
    assert talk(server, mira, _tries) == ["read"]


def test_rules_may_be_for_some_requests_alone(server: TelegramServer, mira: Account) -> None:
    server.faults.error(
        HISTORY, 400, "PEER_ID_INVALID", always(), where=lambda asked: asked.limit < 5
    )

    async def ask(client: TL) -> None:
        assert await _tries(client) == ["read"]
        with pytest.raises(errors.PeerIdInvalidError):
            await client.get_messages("harbour", limit=4)

    talk(server, mira, ask)


def test_a_limit_is_for_the_hasty(server: TelegramServer, mira: Account) -> None:
    server.faults.flood(HISTORY, 0, Above(requests=3, seconds=0.6))

    async def ask(client: TL) -> None:
        hasty = await _tries(client, 5)
        assert hasty == ["read"] * 3 + ["FloodWaitError"] * 2
        await asyncio.sleep(0.6)
        assert await _tries(client) == ["read"]

    talk(server, mira, ask)


def test_a_moved_account_is_followed(server: TelegramServer, mira: Account) -> None:
    """Every data centre that the configuration names is this server."""

    async def log_in(client: TL) -> None:
        server.faults.error("auth.sendCode", 303, "PHONE_MIGRATE_4")
        await client.send_code_request(mira.phone)
        assert (await client.sign_in(mira.phone, mira.code)).id == mira.id
        assert client.session.dc_id == 4

    talk(server, None, log_in)
