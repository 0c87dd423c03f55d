"""A Telegram on loopback that has the demo's chats, for pages whose readers log in and fetch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tg_pipeline_tests.printed import Asked
from tg_pipeline_tests.telegram_server import API_HASH, API_ID, TelegramServer, demo_world

USERNAMES = {1_700_000_001: "harbour_lantern_news", 1_700_000_002: "teahouse_atlas"}
"""What pages call the demo's public chats."""


@dataclass(frozen=True, slots=True)
class Telegram:
    """Where it is, and what is typed there.

    Attributes:
        environment: what leads tg-pipeline to it.
        typed: the questions of commands that ask, with the answers.
    """

    environment: Mapping[str, str]
    typed: Mapping[str, tuple[Asked, ...]]


@contextmanager
def telegram(folder: Path) -> Iterator[Telegram]:
    """Run it; its key is written to the folder."""
    world, account = demo_world()
    for number, username in USERNAMES.items():
        world.channels[number].username = username
    login = (
        Asked("api_id: ", str(API_ID)),
        Asked("api_hash (not shown): ", API_HASH, unseen=True),
        Asked("[Y/n]: ", ""),
        Asked("with country code: ", f"+{account.phone.lstrip('+')}"),
        Asked("in your Telegram app): ", account.code),
    )
    with TelegramServer(world) as server:
        environment = {
            "TG_PIPELINE_TELEGRAM_SERVER": server.address,
            "TG_PIPELINE_TELEGRAM_SERVER_KEY": str(server.write_key(folder / "telegram.pem")),
        }
        yield Telegram(environment, {"tg-pipeline login": login})
