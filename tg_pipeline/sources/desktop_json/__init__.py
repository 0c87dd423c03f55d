"""Telegram Desktop's JSON exports: `discover` files, `scan` each once, `read` its chats."""

from tg_pipeline.sources.desktop_json.discover import Discovery, discover
from tg_pipeline.sources.desktop_json.identity import Note, NoteCode
from tg_pipeline.sources.desktop_json.inputs import Input
from tg_pipeline.sources.desktop_json.options import DesktopOptions
from tg_pipeline.sources.desktop_json.read import (
    ChatPart,
    DesktopRecord,
    Reading,
    Summary,
    read,
)
from tg_pipeline.sources.desktop_json.repair import Repair
from tg_pipeline.sources.desktop_json.scan import Scan, scan

__all__ = [
    "ChatPart",
    "DesktopOptions",
    "DesktopRecord",
    "Discovery",
    "Input",
    "Note",
    "NoteCode",
    "Reading",
    "Repair",
    "Scan",
    "Summary",
    "discover",
    "read",
    "scan",
]
