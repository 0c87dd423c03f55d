"""What the server remembers of what it was asked, takeout sessions among it."""

import pytest
from telethon import errors, functions, types

from tg_pipeline_tests.telegram_server import Account, TelegramServer, talk
from tg_pipeline_tests.telegram_server.conftest import Town
from tg_pipeline_tests.telegram_server.tl import TL


def test_requests_are_counted(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        mark = server.requests.mark()
        await client.get_messages("harbour", limit=130)
        assert server.requests.by_method(mark) == {
            "contacts.resolveUsername": 1,
            "messages.getHistory": 2,
        }
        last = server.requests.last("messages.getHistory")
        assert (last.account_id, last.arguments.limit, last.arguments.offset_id) == (
            mira.id,
            30,
            31,
        )
        times = [one.at for one in server.requests]
        assert times == sorted(times)
        server.requests.clear()
        assert len(server.requests) == 0

    talk(server, mira, ask)


def test_wrappers_are_seen_through(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        (device,) = server.devices.of(mira)
        assert device.layer > 200
        assert "Lantern 1.2" in device.app
        assert await client.get_messages("harbour")

    options = {"device_model": "Lantern", "app_version": "1.2", "receive_updates": False}
    talk(server, mira, ask, **options)


@pytest.mark.parametrize("finalize", [True, False])
def test_takeout(server: TelegramServer, mira: Account, finalize: bool) -> None:
    async def ask(client: TL) -> None:
        async with client.takeout(finalize=finalize, channels=True) as takeout:
            found = [one async for one in takeout.iter_messages("harbour", wait_time=0)]
            assert len(found) == 130
        asked = server.requests.since(method="messages.getHistory")
        (device,) = server.devices.of(mira)
        assert len({one.takeout_id for one in asked} | device.takeouts) == 1
        assert len(device.takeouts) == (0 if finalize else 1)

    talk(server, mira, ask)


def test_takeout_has_to_wait(server: TelegramServer, mira: Account) -> None:
    server.faults.takeout_delay = 7_200

    async def ask(client: TL) -> None:
        with pytest.raises(errors.TakeoutInitDelayError) as caught:
            await client.takeout().__aenter__()
        assert caught.value.seconds == 7_200

    talk(server, mira, ask)


def test_takeout_that_was_not_begun(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        users = functions.users.GetUsersRequest([types.InputUserSelf()])
        with pytest.raises(errors.TakeoutInvalidError):
            await client(functions.InvokeWithTakeoutRequest(4_711, users))
        with pytest.raises(errors.TakeoutRequiredError):
            await client(functions.account.FinishTakeoutSessionRequest())

    talk(server, mira, ask)


def test_one_request_after_another(server: TelegramServer, town: Town) -> None:
    async def ask(client: TL) -> None:
        peers = [await client.get_input_entity(one) for one in ("harbour", "elowen")]
        pages = await client(
            [functions.messages.GetHistoryRequest(one, 0, None, 0, 2, 0, 0, 0) for one in peers],
            ordered=True,
        )
        assert [one.messages[0].message for one in pages] == ["news 130", "private 120"]

    talk(server, town.mira, ask)


def test_bugs_of_the_server_fail_the_test(town: Town) -> None:
    town.news.box = None  # type: ignore[assignment]

    async def ask(client: TL) -> None:
        with pytest.raises(errors.BadRequestError, match="MISHAP_TYPEERROR"):
            await client.get_messages("harbour")

    with pytest.raises(ExceptionGroup, match="own errors"), TelegramServer(town.world) as server:
        talk(server, town.mira, ask)


def test_large_answers_can_be_packed(town: Town) -> None:
    async def ask(client: TL) -> int:
        return len(await client.get_messages("harbour", limit=100))

    with TelegramServer(town.world, gzip=True) as server:
        assert talk(server, town.mira, ask) == 100
