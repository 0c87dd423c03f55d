"""From Telethon's TL objects to records, equal in content to what Telegram Desktop exports."""

from tg_pipeline.sources.telegram.convert.chats import participants
from tg_pipeline.sources.telegram.convert.message import MIGRATION_SHIFT, Context, to_message
from tg_pipeline.sources.telegram.convert.raw import as_raw
from tg_pipeline.sources.unfit import Unfit

__all__ = [
    "MIGRATION_SHIFT",
    "Context",
    "Unfit",
    "as_raw",
    "participants",
    "to_message",
]
