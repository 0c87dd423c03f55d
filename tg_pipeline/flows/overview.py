"""All of the archive at a glance: accounts, chats, what is behind, and what to do next."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import ChatUnknown
from tg_pipeline.flows.archive import Archive
from tg_pipeline.quality.refusals import Refusal, refusals
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram.patience import next_midnight
from tg_pipeline.store.following import (
    ALL_METHODS,
    AccountStatus,
    Reading,
    account_statuses,
    readings,
)
from tg_pipeline.store.status import ChatStatus, chat_statuses, not_archived
from tg_pipeline.words import so_many

_DEFAULT_ACCOUNT = "main"


@dataclass(frozen=True, slots=True)
class ChatOverview:
    """One chat: what is archived of it, how far it is read, and what may not be published.

    Attributes:
        status: counts and dates; all 0 while nothing of it is archived.
        reading: None where nobody follows it.
        refusal: None where nothing is known to fail.
    """

    status: ChatStatus
    reading: Reading | None = None
    refusal: Refusal | None = None

    @property
    def waiting(self) -> int:
        """Records that are landed and not loaded."""
        return max(0, self.status.landed - self.status.loaded)

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            **self.status.as_dict(),
            "refused": self.refusal and asdict(self.refusal),
            "following": self.reading and self.reading.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to be done, or that goes on by itself.

    Attributes:
        what: is the matter.
        command: does it; None where somebody is at it.
        at: from when on, UTC; None: now.
    """

    what: str
    command: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What `status` shows. Accounts by name, chats by key, the most urgent step first."""

    accounts: tuple[AccountStatus, ...] = ()
    chats: tuple[ChatOverview, ...] = ()
    next: tuple[NextStep, ...] = ()

    @property
    def followed(self) -> list[tuple[ChatOverview, Reading]]:
        """The chats that are fetched."""
        return [(chat, chat.reading) for chat in self.chats if chat.reading is not None]

    def as_dict(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "accounts": [account.as_dict() for account in self.accounts],
            "chats": [chat.as_dict() for chat in self.chats],
            "next": [asdict(step) for step in self.next],
        }


def overview(archive: Archive, chats: Sequence[ChatKey] | None = None) -> Overview:
    """Accounts, and all chats or those that are named.

    Raises:
        ChatUnknown: a chat is neither archived nor followed.
    """
    with archive.database.snapshot() as connection:
        archived = {
            ChatKey(one.entity_id, one.account_id): one
            for one in chat_statuses(connection, archive.zone)
        }
        followed = {one.chat: one for one in readings(connection)}
        refused = refusals(connection, archive.settings.period)
        accounts = account_statuses(connection, archive.database.schema)
    wanted = sorted(archived.keys() | followed.keys()) if chats is None else list(chats)
    for chat in wanted:
        if chat not in archived and chat not in followed:
            raise ChatUnknown(str(chat))
    found = Overview(
        tuple(accounts),
        tuple(
            ChatOverview(
                archived.get(chat) or _only_followed(followed[chat]),
                followed.get(chat),
                refused.get(chat),
            )
            for chat in wanted
        ),
    )
    return replace(found, next=tuple(_next(found, archive.settings)))


def _only_followed(reading: Reading) -> ChatStatus:
    return replace(not_archived(reading.chat), title=reading.title, type=reading.type)


# ---- what to do


def _next(found: Overview, settings: Settings) -> Iterator[NextStep]:
    for account in found.accounts:
        read = [(chat, one) for chat, one in found.followed if one.account == account.account]
        if read:
            yield _of_account(account, [one for _, one in read], settings)
            if account.state == "active" and not account.busy and not account.fetching_waits:
                yield from _in_time(account.account, read, settings.telegram_reread_days)
    if waiting := sum(chat.waiting for chat in found.chats):
        landed = f"{so_many(waiting, 'record')} landed but not loaded"
        yield NextStep(landed, "tg-pipeline db load")
    if refused := sum(chat.refusal.windows for chat in found.chats if chat.refusal is not None):
        closed = f"{so_many(refused, 'window')} kept back by the quality gate"
        yield NextStep(closed, "tg-pipeline check")


def _of_account(account: AccountStatus, read: Sequence[Reading], settings: Settings) -> NextStep:
    """What an account does next."""
    name, budget = account.account, settings.telegram_daily_requests
    if account.busy:
        return NextStep(f"account {name} is in use by {account.holder or 'another process'}")
    if account.state == "logged_out" and settings.telegram_session is None:
        return NextStep(f"account {name} is not logged in", f"tg-pipeline login {name}")
    if account.state not in {"active", "logged_out"}:
        since = f" since {account.state_since:%Y-%m-%d}" if account.state_since else ""
        remedy = "doctor" if account.state == "banned" else f"login {name}"
        return NextStep(f"account {name} is {account.state}{since}", f"tg-pipeline {remedy}")
    command = _fetch(name)
    if waits := account.fetching_waits:
        longest = waits[0]
        method = "anything" if longest.method == ALL_METHODS else longest.method
        return NextStep(f"account {name} waits to call {method} again", command, longest.until)
    if budget is not None and account.requests_today >= budget:
        spent = f"account {name} goes on, whose {budget:,} requests of today are made"
        return NextStep(spent, command, next_midnight())
    return NextStep(_behind(name, read), command)


def _in_time(
    account: str, read: Sequence[tuple[ChatOverview, Reading]], days: int
) -> Iterator[NextStep]:
    """What runs do beside fetching news, from a time that is still to come."""
    now = datetime.now(UTC)
    lively = [
        one.rereads_at
        for chat, one in read
        if one.inaccessible is None
        and one.rereads_at is not None
        and chat.status.last_date is not None
        and chat.status.last_date > now - timedelta(days=days)
    ]
    shut = [one.retries_at for _, one in read if one.retries_at is not None]
    for what, moments in (
        (f"reads the newest {days} days again, for edits and deletions", lively),
        ("tries again to read the chats that it could not", shut),
    ):
        if (first := min(moments, default=now)) > now:
            yield NextStep(f"account {account} {what}", _fetch(account), first)


def _fetch(account: str) -> str:
    return "tg-pipeline fetch" + (f" --account {account}" if account != _DEFAULT_ACCOUNT else "")


def _behind(account: str, read: Sequence[Reading]) -> str:
    open_ = [one for one in read if one.inaccessible is None]
    missing = [one for one in open_ if one.backlog]
    never = sum(one.backlog is None for one in open_)
    if missing:
        ids = sum(one.backlog or 0 for one in missing)
        behind = f"{so_many(ids, 'id')} of {so_many(len(missing), 'chat')}"
        return f"account {account} has about {behind} to fetch"
    if never:
        return f"account {account} has {so_many(never, 'chat')} to fetch, never asked for yet"
    return f"account {account} has all that was there when it last asked"
