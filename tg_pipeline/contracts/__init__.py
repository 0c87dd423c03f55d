"""What a record is: the shapes every source yields, every batch holds and every table stores."""

from tg_pipeline.contracts.batch import BatchManifest, FileManifest, FileOutcome, IdRange, Origin
from tg_pipeline.contracts.chat import Chat, ChatType, Participant
from tg_pipeline.contracts.codec import Record, decode, encode
from tg_pipeline.contracts.content import content_hash
from tg_pipeline.contracts.identity import ChatKey
from tg_pipeline.contracts.message import (
    Action,
    DatePrecision,
    Entity,
    Forward,
    Kind,
    Media,
    Message,
    Poll,
    PollAnswer,
    Reaction,
)
from tg_pipeline.contracts.rejected import Rejected
from tg_pipeline.contracts.types import SCHEMA_VERSION, Source

__all__ = [
    "SCHEMA_VERSION",
    "Action",
    "BatchManifest",
    "Chat",
    "ChatKey",
    "ChatType",
    "DatePrecision",
    "Entity",
    "FileManifest",
    "FileOutcome",
    "Forward",
    "IdRange",
    "Kind",
    "Media",
    "Message",
    "Origin",
    "Participant",
    "Poll",
    "PollAnswer",
    "Reaction",
    "Record",
    "Rejected",
    "Source",
    "content_hash",
    "decode",
    "encode",
]
