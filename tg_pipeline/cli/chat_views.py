"""How `tg-pipeline chats` shows chats, to people and to programs."""

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tg_pipeline.errors import TgPipelineError
    from tg_pipeline.flows import Discovered, Drift, Outcome
    from tg_pipeline.store.followed import Followed


def called(chat: "Followed") -> str:
    """A chat in a line."""
    name = f"@{chat.username}" if chat.username else ""
    words = [chat.type.value, str(chat.key), chat.title or "", name]
    words += [f"comments of {chat.comments_of}" if chat.comments_of else ""]
    return " ".join(word for word in words if word)


def cells(chat: "Followed") -> tuple[object, ...]:
    """Its first columns."""
    return str(chat.key), chat.type.value, chat.title, chat.username


def state(chat: "Followed") -> str:
    """Whether it can be read, and if not why."""
    if chat.inaccessible is not None:
        since = f" since {chat.inaccessible_since:%Y-%m-%d}" if chat.inaccessible_since else ""
        return f"cannot be read{since}: {chat.inaccessible}"
    return f"comments of {chat.comments_of}" if chat.comments_of is not None else "followed"


def facts(chat: "Followed") -> dict[str, object]:
    """All about it, for JSON output."""
    facts = asdict(chat)
    key = facts.pop("key")
    return {"chat": str(chat.key), **key, **facts}


def problem(error: "TgPipelineError | None") -> dict[str, str] | None:
    """An error, for JSON output."""
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "remedy": error.remedy}


def outcome_facts(outcome: "Outcome") -> dict[str, object]:
    """What became of the list, for JSON output."""
    return {
        "added": [facts(one) for one in outcome.added],
        "changed": [facts(one) for one in outcome.changed],
        "removed": [facts(one) for one in outcome.removed],
        "failed": [problem(one) for one in outcome.failed],
        "stopped": problem(outcome.stopped),
    }


def drift_facts(drift: "Drift") -> dict[str, object]:
    """What would change, for JSON output."""
    return {
        "add": [{"chat": one.called, "account": one.account} for one in drift.add],
        "change": [{"chat": str(one.chat.key), "fields": list(one.fields)} for one in drift.change],
        "remove": [facts(one) for one in drift.remove],
    }


def discovered_facts(one: "Discovered") -> dict[str, object]:
    """A chat of the account's list, for JSON output."""
    ref = one.dialog.ref
    return {
        "chat": str(one.key),
        "entity_id": ref.id,
        "type": ref.type.value,
        "title": ref.title,
        "username": ref.username,
        "members": one.dialog.members,
        "last_message": one.dialog.last_message,
        "followed": one.followed,
    }


def discovered_row(one: "Discovered") -> tuple[object, ...]:
    """The same as columns."""
    facts = discovered_facts(one)
    names = ("chat", "type", "title", "username", "members", "last_message")
    return (*(facts[name] for name in names), "yes" if one.followed else "")
