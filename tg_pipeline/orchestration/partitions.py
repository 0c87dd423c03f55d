"""One definition of partitions for all assets and checks: chat × period."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import dagster as dg

from tg_pipeline.contracts import ChatKey
from tg_pipeline.orchestration.names import Names
from tg_pipeline.store.windows import Grain, Window

_FIRST_DAY = "2013-08-01"  # Telegram was launched in that month
_CHAT, _DATE = "chat", "date"


def definition(names: Names, grain: Grain) -> dg.MultiPartitionsDefinition:
    """Chats are added as they turn up; periods end with the present one."""
    periods = dg.MonthlyPartitionsDefinition if grain == "month" else dg.DailyPartitionsDefinition
    return dg.MultiPartitionsDefinition(
        {
            _CHAT: dg.DynamicPartitionsDefinition(name=names.partitions),
            _DATE: periods(start_date=_FIRST_DAY, end_offset=1, timezone="UTC"),
        }
    )


def key_of(window: Window) -> str:
    """A window's partition key, for example `-1001613744721|2024-06-01`."""
    return dg.MultiPartitionKey({_CHAT: str(window.chat), _DATE: f"{window.period}"})


def window_of(key: str, grain: Grain) -> Window:
    """The window of a partition key.

    Raises:
        ValueError: it is none of ours.
    """
    chat, _, period = key.rpartition("|")
    return Window(ChatKey.parse(chat), date.fromisoformat(period), grain)


def has(window: Window) -> bool:
    """Whether Dagster has a partition for it: messages with impossible dates lie in no period."""
    return date.fromisoformat(_FIRST_DAY) <= window.period <= datetime.now(UTC).date()


def register(instance: dg.DagsterInstance, names: Names, chats: Iterable[ChatKey]) -> None:
    """Let Dagster know these chats. A chat key is safe as a partition key by its syntax."""
    known = set(instance.get_dynamic_partitions(names.partitions))
    fresh = sorted({str(chat) for chat in chats} - known)
    if fresh:
        instance.add_dynamic_partitions(names.partitions, fresh)
