"""Generated histories as the TL objects that Telegram would hold of them."""

from tg_pipeline_tests.telegram_server.filling.chats import demo_world, fill

__all__ = ["demo_world", "fill"]
