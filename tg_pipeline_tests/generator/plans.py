from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import orjson

from tg_pipeline.generator import ChatPlan, DesktopStyle, History, history, write_desktop_json

END = datetime(2024, 9, 1, tzinfo=UTC)
MUCH_LATER = END + timedelta(days=500)
NEW = DesktopStyle()
MOMENTS = (datetime(2024, 4, 1, tzinfo=UTC), END, MUCH_LATER)
SUPERGROUP = ChatPlan(
    "supergroup",
    1_700_000_002,
    "Teahouse Atlas",
    900,
    datetime(2024, 1, 1, tzinfo=UTC),
    END,
    people=20,
    before_migration=200,
)
EARLY = ChatPlan(
    "group",
    77_001,
    "Früh",
    400,
    datetime(2019, 1, 1, tzinfo=UTC),
    datetime(2019, 12, 1, tzinfo=UTC),
)
EARLY_LATER = datetime(2020, 6, 1, tzinfo=UTC)


def written(*histories: History, as_of: datetime = MUCH_LATER, style: DesktopStyle = NEW) -> bytes:
    file = BytesIO()
    write_desktop_json(file, histories, as_of=as_of, style=style)
    return file.getvalue()


def messages(
    plan: ChatPlan = SUPERGROUP,
    *,
    as_of: datetime = MUCH_LATER,
    style: DesktopStyle = NEW,
) -> list[dict[str, Any]]:
    document = orjson.loads(written(history(plan, 1), as_of=as_of, style=style))
    return list(document["messages"])
