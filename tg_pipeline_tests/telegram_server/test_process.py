"""The server as a process of its own."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from telethon import TelegramClient, errors
from telethon.crypto import rsa
from telethon.sessions import StringSession


def test_a_process_tells_all_that_a_client_needs(tmp_path: Path) -> None:
    key = tmp_path / "telegram.pem"
    options = ["--messages", "150", "--chats", "4", "--password", "oil", "--key-file", str(key)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tg_pipeline_tests.telegram_server", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts["key_file"] == str(key)
        rsa.add_key(key.read_text("ascii"), old=False)
        try:
            asyncio.run(_talk(facts))
        finally:
            process.terminate()
    assert process.returncode == 0


async def _talk(facts: dict[str, object]) -> None:
    session = StringSession(facts["session"])
    async with TelegramClient(session, facts["api_id"], facts["api_hash"]) as client:
        counted = {one.id: (await client.get_messages(one, limit=0)).total for one in
                   await client.get_dialogs()}  # fmt: skip
    chats = facts["chats"]
    assert isinstance(chats, list)
    assert counted == {one["entity_id"]: one["messages"] for one in chats}
    nobody = StringSession()
    nobody.set_dc(2, "127.0.0.1", facts["port"])
    client = TelegramClient(nobody, facts["api_id"], facts["api_hash"])
    await client.connect()
    try:
        await client.send_code_request(facts["phone"])
        with pytest.raises(errors.SessionPasswordNeededError):
            await client.sign_in(facts["phone"], facts["code"])
        assert await client.sign_in(password=facts["password"])
    finally:
        await client.disconnect()
