"""A Telegram on loopback: a real MTProto server that the unmodified Telethon client talks to.

What a test writes:

    world = World()
    mira = world.account(700_000_001, "Mira", phone="+12025550100")
    news = world.channel(1_700_000_001, "Harbour News", mira, username="harbour")
    world.post(news, "The lantern boats leave at dusk.", by=news)

    with TelegramServer(world) as server:
        server.faults.flood("messages.getHistory", seconds=2, when=When(skip=3))
        posts = talk(server, mira, lambda client: client.get_messages("harbour", limit=10))
        assert server.requests.count("messages.getHistory") == 1
"""

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.clients import connected, talk
from tg_pipeline_tests.telegram_server.discussions import comment, publish
from tg_pipeline_tests.telegram_server.errors import RpcFailure
from tg_pipeline_tests.telegram_server.faults import Above, When, always
from tg_pipeline_tests.telegram_server.filling import demo_world, fill
from tg_pipeline_tests.telegram_server.peers import Channel, Group, Person, Topic
from tg_pipeline_tests.telegram_server.server import TelegramServer
from tg_pipeline_tests.telegram_server.state import API_HASH, API_ID
from tg_pipeline_tests.telegram_server.world import World

__all__ = [
    "API_HASH",
    "API_ID",
    "Above",
    "Account",
    "Channel",
    "Group",
    "Person",
    "RpcFailure",
    "TelegramServer",
    "Topic",
    "When",
    "World",
    "always",
    "comment",
    "connected",
    "demo_world",
    "fill",
    "publish",
    "talk",
]
