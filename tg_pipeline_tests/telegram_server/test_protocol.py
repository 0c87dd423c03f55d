"""MTProto itself: salts, clocks, pings, and packets that are none."""

import asyncio
import struct
from collections import defaultdict
from io import BytesIO
from logging import getLogger
from zlib import crc32

import pytest
from telethon import functions, types
from telethon.crypto import AuthKey
from telethon.network.mtprotostate import MTProtoState

from tg_pipeline_tests.telegram_server import Account, TelegramServer, talk
from tg_pipeline_tests.telegram_server.cipher import BadMessage, Envelope, decrypt
from tg_pipeline_tests.telegram_server.handshake import HandshakeBroken
from tg_pipeline_tests.telegram_server.primes import new_prime
from tg_pipeline_tests.telegram_server.session import Session
from tg_pipeline_tests.telegram_server.tl import TL, Unreadable
from tg_pipeline_tests.telegram_server.transport import BrokenPacket


async def _reads(client: TL) -> bool:
    return len(await client.get_messages("harbour", limit=3)) == 3


def test_service_messages(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        assert (await client(functions.PingRequest(17))).ping_id == 17
        assert (await client(functions.PingDelayDisconnectRequest(18, 60))).ping_id == 18
        assert (await client(functions.DestroySessionRequest(5))).session_id == 5
        dropped = await client(functions.RpcDropAnswerRequest(1))
        assert type(dropped).__name__ == "RpcAnswerUnknown"
        assert server.requests.by_method().keys() <= {
            "help.getConfig",
            "users.getUsers",
            "updates.getState",
            "updates.getDifference",
        }

    talk(server, mira, ask)


def test_messages_about_messages(server: TelegramServer) -> None:
    device, sent = server.devices.add(), list[bytes]()
    client = MTProtoState(AuthKey(device.key), defaultdict(lambda: getLogger("test")))
    client.salt = device.salt
    session = Session(device, client.id, sent.append)

    def ask(request: TL) -> TL:
        with BytesIO() as buffer:
            client.write_data_as_message(buffer, request._bytes(), content_related=True)
            packet = client.encrypt_message_data(buffer.getvalue())
        assert session.accept(decrypt(device.key, packet)) == []
        return client.decrypt_message_data(sent[-1]).obj

    assert [one.salt for one in ask(functions.GetFutureSaltsRequest(1)).salts] == [device.salt]
    assert ask(types.MsgsStateReq([1, 2, 3])).info == chr(4) * 3
    client.salt = 5
    assert ask(functions.PingRequest(3)).new_server_salt == device.salt
    assert len(sent) == 4  # with the notice that the session is new


def test_a_new_salt_is_learnt(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        (device,) = server.devices.of(mira)
        device.salt += 1
        assert await _reads(client)

    talk(server, mira, ask)


@pytest.mark.parametrize("seconds", [-1_000, 1_000])
def test_a_wrong_clock_is_put_right(server: TelegramServer, mira: Account, seconds: int) -> None:
    async def ask(client: TL) -> None:
        client._sender._state.time_offset = seconds
        client._sender._state._last_msg_id = 0
        assert await _reads(client)
        assert abs(client._sender._state.time_offset) < 5

    talk(server, mira, ask)


@pytest.mark.parametrize(
    ("packet", "kind"),
    [
        (bytes(20) + functions.PingRequest(1)._bytes(), HandshakeBroken),
        (bytes(20) + functions.SetClientDHParamsRequest(1, 2, b"")._bytes(), HandshakeBroken),
        (bytes(20) + b"what?", Unreadable),
        (b"\x02" + bytes(23), None),  # a key that the server does not know is no mistake
    ],
)
def test_strangers_are_hung_up_on(
    server: TelegramServer, mira: Account, packet: bytes, kind: type[Exception] | None
) -> None:
    asyncio.run(_send(server.port, _framed(packet)))
    assert [type(one) for one in server.state.broken] == ([kind] if kind else [])
    assert talk(server, mira, _reads)


def test_broken_packets(server: TelegramServer, mira: Account) -> None:
    device = server.devices.add()
    whole = _framed(device.id + bytes(16 + 64))
    asyncio.run(_send(server.port, whole[:-1] + bytes((whole[-1] ^ 1,))))
    asyncio.run(_send(server.port, b"GET / HTTP/1.1\r\n\r\n"))
    asyncio.run(_send(server.port, whole))
    kinds = [type(one) for one in server.state.broken]
    assert kinds == [BrokenPacket, BrokenPacket, BadMessage]
    assert talk(server, mira, _reads)


def test_a_message_that_was_changed_on_the_way_is_refused(server: TelegramServer) -> None:
    device = server.devices.add()
    sent: list[bytes] = []
    Session(device, 7, sent.append).result(1, b"body")
    with pytest.raises(BadMessage):
        decrypt(device.key, sent[0])  # sealed for the other direction
    with pytest.raises(BadMessage):
        decrypt(device.key, sent[0][:40])


def test_message_ids_ascend(server: TelegramServer) -> None:
    ids = []
    session = Session(server.devices.add(), 7, lambda _: None)
    for kind in (1, 3, 3, 1) * 50:
        ids.append(session._next_id(kind))
        assert ids[-1] % 4 == kind
    assert ids == sorted(set(ids))


def test_envelopes_and_primes() -> None:
    assert Envelope._fields == ("salt", "session_id", "msg_id", "seq_no", "body")
    prime = new_prime(64)
    assert prime.bit_length() == 64
    assert all(pow(base, prime - 1, prime) == 1 for base in (2, 3, 5, 7))


def _framed(packet: bytes) -> bytes:
    head = struct.pack("<ii", len(packet) + 12, 0) + packet
    return head + struct.pack("<I", crc32(head))


async def _send(port: int, data: bytes) -> None:
    """Send bytes, and wait until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()
