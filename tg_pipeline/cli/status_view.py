"""`tg-pipeline status` for people: accounts, what is behind, every chat, and what to do next."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tg_pipeline.cli.console import show
from tg_pipeline.words import so_many

if TYPE_CHECKING:
    from tg_pipeline.flows import ChatOverview, Overview
    from tg_pipeline.store.following import AccountStatus, Reading

_BEHIND_SHOWN: Final = 15
_CHATS_SHOWN: Final = 20
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def tell(found: "Overview", *, every: bool) -> None:
    """Show it on one screen: what is behind most, the largest chats; `every`: all of them."""
    if found.accounts:
        _tell_accounts(found.accounts)
    if found.followed:
        _tell_followed(found, every=every)
    _tell_chats(found.chats, every=every)
    for step in found.next:
        _tell_step(step.what, step.command, step.at)
    lacking = sum(max(0, chat.status.loaded - chat.status.landed) for chat in found.chats)
    if lacking:
        show.warn(f"{lacking:,} records are loaded that landing no longer has: is it all there?")


def _tell_accounts(accounts: "Sequence[AccountStatus]") -> None:
    show.table(
        ("account", "state", "chats", "requests today", "in use by", "waits until"),
        (
            (
                one.account,
                one.state,
                one.chats,
                one.requests_today,
                one.holder or "another process" if one.busy else "",
                "; ".join(
                    f"{wait.until:%Y-%m-%d %H:%M} {_method(wait.method)}" for wait in one.waits
                ),
            )
            for one in accounts
        ),
    )
    show.text("")


def _method(method: str) -> str:
    return "all of Telegram" if method == "*" else method


def _tell_followed(found: "Overview", *, every: bool) -> None:
    """The chats that are behind, the worst first, and how the others are."""
    behind = sorted(
        (one for one in found.followed if every or _is_behind(*one)),
        key=lambda one: (one[1].inaccessible is None, -(one[1].backlog or 0)),
    )
    shown = behind if every else behind[:_BEHIND_SHOWN]
    if shown:
        show.table(
            ("followed chat", "title", "asked", "newest", "top id", "fetched to", "behind",
             "holes", "trouble"),
            (_followed_row(chat, reading) for chat, reading in shown),
        )  # fmt: skip
        if len(behind) > len(shown):
            show.text(f"and {len(behind) - len(shown):,} more; --json lists them")
    if not every:
        show.text(_followed_line(found))
    show.text("")


def _is_behind(chat: "ChatOverview", reading: "Reading") -> bool:
    refused = chat.refusal is not None
    return reading.inaccessible is not None or reading.backlog != 0 or refused or bool(chat.waiting)


def _followed_row(chat: "ChatOverview", reading: "Reading") -> tuple[object, ...]:
    return (
        chat.status.chat,
        reading.title or chat.status.title or "",
        _ago(reading.fetched_at),
        _ago(chat.status.last_date),
        reading.top_id,
        reading.newest_fetched,
        "unknown" if reading.backlog is None else f"about {reading.backlog:,}",
        reading.holes,
        "; ".join(_troubles(chat, reading)),
    )


def _troubles(chat: "ChatOverview", reading: "Reading") -> Iterator[str]:
    if reading.inaccessible is not None:
        since = reading.inaccessible_since
        yield f"{reading.inaccessible}{f', since {since:%Y-%m-%d}' if since else ''}"
    if reading.past_shut_since is not None:
        yield "the basic group that it was cannot be read"
    if chat.waiting:
        yield f"{chat.waiting:,} landed but not loaded"
    if chat.refusal is not None:
        refused = so_many(chat.refusal.windows, "window")
        yield f"{refused} refused: {', '.join(chat.refusal.rules)}"


def _followed_line(found: "Overview") -> str:
    readings = [reading for _, reading in found.followed]
    shut = sum(one.inaccessible is not None for one in readings)
    missing = [one.backlog for one in readings if one.backlog and one.inaccessible is None]
    never = sum(one.backlog is None and one.inaccessible is None for one in readings)
    told = [f"{len(readings) - shut - len(missing) - never:,} up to date"]
    if missing:
        told.append(f"{len(missing):,} with about {so_many(sum(missing), 'id')} to fetch")
    if never:
        told.append(f"{never:,} never asked for")
    if shut:
        told.append(f"{shut:,} not readable")
    asked = max((one.fetched_at for one in readings if one.fetched_at), default=None)
    followed = so_many(len(readings), "chat")
    return f"{followed} followed: {', '.join(told)}; last asked {_ago(asked)}"


def _tell_chats(chats: "Sequence[ChatOverview]", *, every: bool) -> None:
    if not chats:
        show.text(
            "The archive is empty. Fill it with: tg-pipeline import result.json, "
            "or begin with: tg-pipeline login"
        )
        return
    statuses = [one.status for one in chats]
    if not every and len(statuses) > _CHATS_SHOWN:
        largest = sorted(statuses, key=lambda one: -one.messages)[:_CHATS_SHOWN]
        statuses = [one for one in statuses if one in largest]
    show.table(
        ("chat", "type", "title", "messages", "versions", "first", "last", "quarantined"),
        (
            (
                chat.chat,
                chat.type,
                chat.title or "",
                chat.messages,
                chat.versions,
                chat.first_date and chat.first_date.date(),
                chat.last_date and chat.last_date.date(),
                chat.quarantined,
            )
            for chat in statuses
        ),
    )
    if len(chats) > len(statuses):
        messages = sum(one.status.messages for one in chats)
        more = len(chats) - len(statuses)
        show.text(f"and {more:,} smaller ones, {messages:,} messages in all; --json lists them")


def _tell_step(what: str, command: str | None, at: datetime | None) -> None:
    when = "" if at is None else f" from {at:%Y-%m-%d %H:%M:%S} UTC on"
    show.text(f"Next: {what}" + ("" if command is None else f"{when}: `{command}`"))


def _ago(moment: datetime | None) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return "never"
    seconds = max(timedelta(), datetime.now(UTC) - moment).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return "just now"
