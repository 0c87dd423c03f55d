"""Taking in what Telegram has: the news of all accounts, or what some windows lack.

An account is used by one process at a time and may have to wait, so what it could not do now is
told beside what it did.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tg_pipeline.contracts import ChatKey
from tg_pipeline.errors import (
    AccountBanned,
    AccountBusy,
    AccountDiffers,
    ApiInvalid,
    ApiMissing,
    KeyDuplicated,
    KeyringUnavailable,
    NotLoggedIn,
    SessionRevoked,
    SessionUnreadable,
    SpoolDamaged,
    TelegramRefused,
    TgPipelineError,
    Transient,
)
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.progress import Progress, silent
from tg_pipeline.flows.stages import Landed, verify_windows
from tg_pipeline.store import followed, following
from tg_pipeline.store.windows import Window

if TYPE_CHECKING:
    from tg_pipeline.flows.fetching import ChatReport, FetchReport

_OF_ONE_ACCOUNT: Final = (
    AccountBanned,
    AccountBusy,
    AccountDiffers,
    ApiInvalid,
    ApiMissing,
    KeyDuplicated,
    KeyringUnavailable,
    NotLoggedIn,
    SessionRevoked,
    SessionUnreadable,
    SpoolDamaged,
    TelegramRefused,
)
"""What keeps an account from reading, and no other."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one account's fetching.

    Attributes:
        account: its name.
        report: what it has brought; None where it could not begin, or broke off.
        error: why it could not.
    """

    account: str
    report: "FetchReport | None" = None
    error: TgPipelineError | None = None

    @property
    def later(self) -> Transient | None:
        """Why it goes on another time; None where it is done, or somebody has to act."""
        if self.report is not None:
            return self.report.deferred
        return self.error if isinstance(self.error, Transient) else None

    @property
    def failure(self) -> TgPipelineError | None:
        """What a person has to put right: with the account, or with a chat Telegram refused."""
        if self.report is None:
            return None if self.later is not None else self.error
        errors = (chat.error for chat in self.report.chats)
        return next((one for one in errors if isinstance(one, TelegramRefused)), None)

    @property
    def until(self) -> datetime | None:
        """When it goes on, UTC; None where that is not known."""
        return getattr(self.later, "until", None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What landing has of windows, and what was fetched for them just before, by chat."""

    landed: dict[Window, Landed]
    chats: dict[ChatKey, "ChatReport"] = field(default_factory=dict)
    requests: int = 0


def followed_chats(archive: Archive) -> list[ChatKey]:
    """The chats that are fetched, in key order."""
    return [chat.key for chat in _followed(archive)]


def reading_accounts(archive: Archive) -> list[str]:
    """The accounts that some followed chat is read with, by name."""
    return sorted({chat.account for chat in _followed(archive)})


def account_waits(archive: Archive) -> dict[str, datetime]:
    """Until when Telegram lets accounts fetch nothing, UTC; those that may are left out."""
    with archive.database.snapshot() as connection:
        found = following.account_statuses(connection, archive.database.schema)
    return {one.account: one.fetching_waits[0].until for one in found if one.fetching_waits}


def fetch_news(archive: Archive, progress: Progress = silent) -> list[Fetched]:
    """Let every account ask once which of its chats have news, and fetch and load these.

    What keeps one account from reading keeps no other from it: see `failure` and `later` of what
    is returned.
    """
    return [_news_of(archive, account, progress) for account in reading_accounts(archive)]


def take_windows(archive: Archive, windows: Sequence[Window], progress: Progress = silent) -> Taken:
    """Fetch what is missing of the followed chats among these windows, then verify what is landed.

    Nothing is fetched of chats that nobody follows, or that are read elsewhere: where there is
    no api id and hash, or no session of their account.

    Raises:
        FloodWait, BudgetSpent, TakeoutDelay, TelegramUnreachable, AccountBusy: later. What came
            before is landed and loaded.
        SessionRevoked, KeyDuplicated, AccountBanned: somebody has to act.
    """
    reports = _fetch(archive, windows, progress)
    return Taken(
        landed=verify_windows(archive, windows, progress),
        chats={chat.chat: chat for report in reports for chat in report.chats},
        requests=sum(report.requests for report in reports),
    )


def _news_of(archive: Archive, account: str, progress: Progress) -> Fetched:
    from tg_pipeline.flows.fetching import FetchOptions, fetch_chats  # noqa: PLC0415 - slow

    try:
        report = fetch_chats(archive, None, FetchOptions(account), progress)
    except _OF_ONE_ACCOUNT as error:
        return Fetched(account, error=error)
    return Fetched(account, report)


@dataclass(frozen=True, slots=True)
class _Call:
    """Chats of one account that are wanted from and to the same days, both included."""

    account: str
    since: date
    until: date


def _fetch(archive: Archive, windows: Sequence[Window], progress: Progress) -> "list[FetchReport]":
    calls = _calls(archive, windows)
    if not calls:
        return []
    from tg_pipeline.flows.fetching import FetchOptions, fetch_chats  # noqa: PLC0415 - slow

    reports = [
        fetch_chats(
            archive, sorted(chats), FetchOptions(call.account, call.since, call.until), progress
        )
        for call, chats in calls.items()
        if _can_read(archive, call.account)
    ]
    for report in reports:
        if report.deferred is not None:
            raise report.deferred
    return reports


def _calls(archive: Archive, windows: Sequence[Window]) -> dict[_Call, set[ChatKey]]:
    accounts = {chat.key: chat.account for chat in _followed(archive)}
    spans: defaultdict[ChatKey, list[Window]] = defaultdict(list)
    for window in windows:
        if window.chat in accounts:
            spans[window.chat].append(window)
    calls: defaultdict[_Call, set[ChatKey]] = defaultdict(set)
    for chat, span in spans.items():
        calls[_Call(accounts[chat], *_days(span))].add(chat)
    return dict(calls)


def _days(windows: Iterable[Window]) -> tuple[date, date]:
    """The first and the last day of windows."""
    ordered = sorted(windows)
    return ordered[0].period, ordered[-1].next_period - timedelta(days=1)


def _can_read(archive: Archive, account: str) -> bool:
    from tg_pipeline.sources.telegram.sessions import Sessions  # noqa: PLC0415 - slow

    settings = archive.settings
    if settings.telegram_api_id is None or settings.telegram_api_hash is None:
        return False
    return Sessions(settings).has(account)


def _followed(archive: Archive) -> list[followed.Followed]:
    with archive.database.snapshot() as connection:
        return followed.every(connection)
