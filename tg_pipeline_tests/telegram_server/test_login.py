"""Logging in through the real client: by code, by password, by QR code; and being thrown out."""

import asyncio
from datetime import UTC, datetime

import pytest
from telethon import errors, functions, types
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
)

from tg_pipeline_tests.telegram_server import Account, RpcFailure, TelegramServer, connected, talk
from tg_pipeline_tests.telegram_server.conftest import PASSWORD, Town
from tg_pipeline_tests.telegram_server.handshake import ServerKey
from tg_pipeline_tests.telegram_server.tl import TL


async def _me(client: TL) -> int | None:
    me = await client.get_me()
    return me.id if me else None


def test_code(server: TelegramServer, mira: Account) -> None:
    async def log_in(client: TL) -> str:
        assert not await client.is_user_authorized()
        await client.send_code_request(mira.phone)
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(mira.phone, "99999")
        me = await client.sign_in(mira.phone, mira.code)
        assert (me.id, me.first_name, me.phone) == (mira.id, "Mira", "12025550100")
        session: str = client.session.save()
        return session

    session = talk(server, None, log_in)
    assert talk(server, session, _me) == mira.id


def test_password(server: TelegramServer, town: Town) -> None:
    async def log_in(client: TL) -> int:
        await client.send_code_request(town.joe.phone)
        with pytest.raises(errors.SessionPasswordNeededError):
            await client.sign_in(town.joe.phone, town.joe.code)
        assert not await client.is_user_authorized()
        with pytest.raises(errors.PasswordHashInvalidError):
            await client.sign_in(password="wrong")
        me = await client.sign_in(password=PASSWORD)
        return int(me.id)

    assert talk(server, None, log_in) == town.joe.id


def test_expired_code(server: TelegramServer, mira: Account) -> None:
    async def log_in(client: TL) -> None:
        await client.send_code_request(mira.phone)
        mira.code_expired = True
        with pytest.raises(errors.PhoneCodeExpiredError):
            await client.sign_in(mira.phone, mira.code)
        with pytest.raises(errors.PhoneCodeExpiredError):
            await client.sign_in(mira.phone, mira.code, phone_code_hash="another")

    talk(server, None, log_in)


@pytest.mark.parametrize(
    ("phone", "error"),
    [("+12025559999", errors.PhoneNumberUnoccupiedError), ("+", errors.PhoneNumberInvalidError)],
)
def test_unknown_number(server: TelegramServer, phone: str, error: type[Exception]) -> None:
    async def log_in(client: TL) -> None:
        with pytest.raises(error):
            await send_and_sign_in(client)

    async def send_and_sign_in(client: TL) -> None:
        sent = await client(
            functions.auth.SendCodeRequest(
                phone, client.api_id, client.api_hash, types.CodeSettings()
            )
        )
        await client.sign_in(phone, "12345", phone_code_hash=sent.phone_code_hash)

    talk(server, None, log_in)


def test_wrong_application(server: TelegramServer, mira: Account) -> None:
    async def log_in(client: TL) -> None:
        with pytest.raises(errors.ApiIdInvalidError):
            await client(functions.auth.SendCodeRequest(mira.phone, 1, "no", types.CodeSettings()))

    talk(server, None, log_in)


def test_qr(server: TelegramServer, mira: Account) -> None:
    async def log_in(client: TL) -> int:
        code = await client.qr_login()
        waiting = asyncio.ensure_future(code.wait(10))
        await asyncio.sleep(0.05)
        server.accept_login(code.url, mira)
        return int((await waiting).id)

    assert talk(server, None, log_in) == mira.id


def test_qr_of_an_account_elsewhere(server: TelegramServer, mira: Account) -> None:
    async def log_in(client: TL) -> int:
        code = await client.qr_login()
        waiting = asyncio.ensure_future(code.wait(10))
        await asyncio.sleep(0.05)
        server.accept_login(code.url, mira, moved_to=4)
        me = await waiting
        assert client.session.dc_id == 4
        return int(me.id)

    assert talk(server, None, log_in) == mira.id


def test_qr_codes_expire(server: TelegramServer) -> None:
    server.state.qr_seconds = 1

    async def look(client: TL) -> None:
        code = await client.qr_login()
        assert (code.expires - datetime.now(UTC)).total_seconds() <= 1
        before = code.token
        await code.recreate()
        assert code.token != before

    talk(server, None, look)


def test_qr_with_password(server: TelegramServer, town: Town) -> None:
    async def log_in(client: TL) -> int:
        code = await client.qr_login()
        waiting = asyncio.ensure_future(code.wait(10))
        await asyncio.sleep(0.05)
        server.accept_login(code.token, town.joe)
        with pytest.raises(errors.SessionPasswordNeededError):
            await waiting
        return int((await client.sign_in(password=PASSWORD)).id)

    assert talk(server, None, log_in) == town.joe.id


def test_log_out(server: TelegramServer, mira: Account) -> None:
    session = server.session(mira)

    async def log_out(client: TL) -> None:
        assert await client.log_out()

    talk(server, session, log_out)
    assert talk(server, session, _me) is None
    assert list(server.devices.of(mira)) == []


def test_banned(server: TelegramServer, mira: Account) -> None:
    session = server.session(mira)

    async def ban(client: TL) -> None:
        mira.banned = True
        with pytest.raises(errors.UserDeactivatedBanError):
            await client.get_dialogs()

    async def log_in(client: TL) -> None:
        with pytest.raises(errors.PhoneNumberBannedError):
            await client.send_code_request(mira.phone)

    talk(server, session, ban)
    talk(server, None, log_in)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (None, errors.AuthKeyUnregisteredError),
        (RpcFailure(401, "SESSION_REVOKED"), errors.SessionRevokedError),
        (RpcFailure(406, "AUTH_KEY_DUPLICATED"), errors.AuthKeyDuplicatedError),
    ],
)
def test_revoked(
    server: TelegramServer, mira: Account, failure: RpcFailure | None, error: type[Exception]
) -> None:
    async def revoke(client: TL) -> None:
        server.revoke(mira, failure)
        with pytest.raises(error):
            await client.get_dialogs()

    talk(server, mira, revoke)


def test_forgotten_key(server: TelegramServer, mira: Account) -> None:
    async def forget(client: TL) -> None:
        for device in server.devices.of(mira):
            server.devices.forget(device)
        with pytest.raises(errors.AuthKeyNotFound):
            await client.get_dialogs()

    talk(server, mira, forget)


def test_saved_session_outlives_a_restart(server: TelegramServer, mira: Account) -> None:
    session, port = server.session(mira), server.port
    assert talk(server, session, _me) == mira.id
    server.restart()
    assert server.port == port
    assert talk(server, session, _me) == mira.id


def test_client_stays_through_a_restart(server: TelegramServer, mira: Account) -> None:
    async def within(client: TL) -> None:
        await asyncio.to_thread(server.restart)
        assert (await client.get_me()).id == mira.id

    talk(server, mira, within, connection_retries=20)


@pytest.mark.parametrize(
    "transport", [ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate]
)
def test_transports(server: TelegramServer, mira: Account, transport: type) -> None:
    async def read(client: TL) -> int:
        return len(await client.get_messages("harbour", limit=100))

    assert talk(server, mira, read, connection=transport) == 100


def test_two_accounts_at_once(server: TelegramServer, town: Town) -> None:
    async def both() -> list[int | None]:
        async with connected(server, town.mira) as one, connected(server, town.joe) as other:
            return list(await asyncio.gather(_me(one), _me(other)))

    assert asyncio.run(both()) == [town.mira.id, town.joe.id]


def test_a_client_that_does_not_know_the_key_does_not_connect(town: Town) -> None:
    async def connect() -> None:
        stranger = known.client(connection_retries=1, retry_delay=0)
        stranger.session.set_dc(2, "127.0.0.1", unknown.port)
        with pytest.raises(ConnectionError):
            await stranger.connect()

    with TelegramServer(town.world) as known, TelegramServer(key=ServerKey()) as unknown:
        asyncio.run(connect())
