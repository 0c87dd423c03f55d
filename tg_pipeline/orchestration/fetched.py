"""What people read of a fetch: what each account and each chat has brought, as tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from tg_pipeline.orchestration.metadata import Metadata, of_landed
from tg_pipeline.store.windows import Window

if TYPE_CHECKING:
    from tg_pipeline.flows import ChatReport, Fetched, Taken

_CHATS_SHOWN: Final = 100


def of_taken(taken: "Taken", window: Window) -> Metadata:
    """What landing has of a window, and what was fetched of its chat just before."""
    told = dict(of_landed(taken.landed[window]))
    if (chat := taken.chats.get(window.chat)) is not None:
        told["fetched"] = _chats([chat])
    return told


def of_news(fetched: "Sequence[Fetched]") -> Metadata:
    """What accounts have brought: one row for each of them, and one for each chat with news."""
    reports = [one.report for one in fetched if one.report is not None]
    chats = [chat for report in reports for chat in report.chats]
    told: dict[str, Any] = {
        "chats asked": sum(report.asked for report in reports),
        "chats with news": len(chats),
        "messages": sum(report.counts.read for report in reports),
        "new messages": sum(report.counts.new for report in reports),
        "requests": sum(report.requests for report in reports),
        "accounts": dg.MetadataValue.table([_account(one) for one in fetched], _ACCOUNT_SCHEMA),
    }
    if chats:
        most = sorted(chats, key=lambda chat: (chat.error is None, -chat.messages))
        told["chats"] = _chats(most[:_CHATS_SHOWN])
    if until := [one.until for one in fetched if one.until is not None]:
        told["goes on"] = dg.MetadataValue.timestamp(min(until))
    return told


_ACCOUNT_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("account", "string"),
        dg.TableColumn("asked", "int", description="chats it was asked for news of"),
        dg.TableColumn("with news", "int"),
        dg.TableColumn("read", "int", description="messages that came"),
        dg.TableColumn("new", "int"),
        dg.TableColumn("updated", "int"),
        dg.TableColumn("unchanged", "int"),
        dg.TableColumn("quarantined", "int"),
        dg.TableColumn("requests", "int"),
        dg.TableColumn("goes on", "string", description="when Telegram may be asked again, UTC"),
        dg.TableColumn("trouble", "string"),
    ]
)
_CHAT_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("chat", "string"),
        dg.TableColumn("title", "string"),
        dg.TableColumn("messages", "int", description="that came, known ones too"),
        dg.TableColumn("pages", "int", description="answers they came in"),
        dg.TableColumn("quarantined", "int"),
        dg.TableColumn("finished", "bool", description="nothing that was asked for is missing"),
        dg.TableColumn("trouble", "string"),
    ]
)


def _account(one: "Fetched") -> dg.TableRecord:
    report, trouble = one.report, one.later or one.failure
    counts = None if report is None else report.counts
    return dg.TableRecord(
        {
            "account": one.account,
            "asked": 0 if report is None else report.asked,
            "with news": 0 if report is None else len(report.chats),
            "read": 0 if counts is None else counts.read,
            "new": 0 if counts is None else counts.new,
            "updated": 0 if counts is None else counts.updated,
            "unchanged": 0 if counts is None else counts.unchanged,
            "quarantined": 0 if counts is None else counts.quarantined,
            "requests": 0 if report is None else report.requests,
            "goes on": "" if one.until is None else f"{one.until:%Y-%m-%d %H:%M:%S}Z",
            "trouble": "" if trouble is None else trouble.message,
        }
    )


def _chats(chats: "Sequence[ChatReport]") -> dg.TableMetadataValue:
    return dg.MetadataValue.table([_chat(chat) for chat in chats], _CHAT_SCHEMA)


def _chat(chat: "ChatReport") -> dg.TableRecord:
    return dg.TableRecord(
        {
            "chat": str(chat.chat),
            "title": chat.title or "",
            "messages": chat.messages,
            "pages": chat.pages,
            "quarantined": chat.rejected,
            "finished": chat.finished,
            "trouble": "" if chat.error is None else chat.error.message,
        }
    )
