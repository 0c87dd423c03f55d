"""`tg-pipeline fetch`: what Telegram has and the archive has not."""

from typing import TYPE_CHECKING, Annotated

import typer

from tg_pipeline.cli.options import (
    AsJson,
    Home,
    Quiet,
    Since,
    Until,
    Verbose,
    archive,
    days_of,
    load_settings,
    no_options,
)
from tg_pipeline.errors import EXIT_QUARANTINED
from tg_pipeline.words import so_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tg_pipeline.contracts import ChatKey
    from tg_pipeline.flows import Archive, ChatReport, FetchReport


def fetch(
    chats: Annotated[
        list[str] | None,
        typer.Argument(
            help="Usernames, ids or keys of followed chats; all if left out.",
            callback=no_options,
        ),
    ] = None,
    account: Annotated[str, typer.Option(help="Account that reads.", metavar="NAME")] = "main",
    since: Since = None,
    until: Until = None,
    takeout: Annotated[
        bool | None,
        typer.Option(
            "--takeout/--no-takeout",
            help="Read in a takeout session, which you allow once on your phone; "
            "default: the setting.",
            show_default=False,
        ),
    ] = None,
    no_export: Annotated[
        bool, typer.Option("--no-export", help="Do not check and publish afterwards.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Fetch the history of followed chats from Telegram: news first, then what is still missing.

    Killed at any moment, the next run goes on with the page after the last one that came.
    Exit code 75: Telegram wants to be asked later, and the message says when.

    Examples:
      tg-pipeline fetch

      tg-pipeline fetch @telegram --since 2024-01-01

      tg-pipeline fetch || [ $? -eq 75 ]
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import FetchOptions, fetch_chats, followed_chats, followed_keys

    loaded = load_settings(home, verbose, quiet)
    options = FetchOptions(account, *days_of(since, until), takeout)
    with archive(loaded) as opened:
        keys = followed_keys(opened, account, chats) if chats else None
        with show.progress() as progress:
            report = fetch_chats(opened, keys, options, progress)
        if as_json:
            show.json(report.as_dict())
        else:
            _tell(report, account)
        if not no_export:
            _publish(opened, report, keys or followed_chats(opened), as_json)
    return _exit_code(report)


def _tell(report: "FetchReport", account: str) -> None:
    from tg_pipeline.cli.console import show

    if report.left:
        chats = ", ".join(str(chat) for chat in dict.fromkeys(report.left))
        show.note(f"Took in what an earlier run had fetched before it was cut off, of {chats}.")
    for chat in report.chats:
        if chat.error is not None:
            show.error(chat.error)
        elif chat.pages or chat.finished:
            show.text(_line(chat))
    counts = report.counts
    if not report.asked:
        if report.deferred is None:
            show.text(
                f"Account {account} follows no chats. "
                f"Add one with: tg-pipeline chats add @username --account {account}"
            )
        return
    show.text(f"{so_many(report.asked, 'chat')} asked, {_brought(report)}")
    if counts.quarantined:
        show.note("`tg-pipeline quarantine list` shows what could not be understood, and why.")


def _brought(report: "FetchReport") -> str:
    counts, requests = report.counts, so_many(report.requests, "request")
    found = [chat for chat in report.chats if chat.error is None]
    if not found and not counts.read:
        return f"nothing new: {requests}"
    return (
        f"{len(found):,} with something to fetch: "
        f"{counts.read:,} read, {counts.new:,} new, {counts.updated:,} updated, "
        f"{counts.unchanged:,} unchanged, {counts.quarantined:,} quarantined; {requests}"
    )


def _line(chat: "ChatReport") -> str:
    state = "" if chat.finished else " (to be continued)"
    messages, pages = so_many(chat.messages, "message"), so_many(chat.pages, "page")
    return f"{chat.chat} {chat.title or ''}: {messages} in {pages}{state}"


def _publish(
    opened: "Archive", report: "FetchReport", asked: "Sequence[ChatKey]", as_json: bool
) -> None:
    """Publish what has come, and what earlier runs have left."""
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import known_chats, refresh, unpublished

    touched = {chat.chat for chat in report.chats if chat.pages} | set(report.left)
    touched |= set(unpublished(opened, asked))
    touched &= known_chats(opened)
    if not touched:
        return
    with show.progress() as progress:
        published = refresh(opened, sorted(touched), progress)
    if not as_json:
        show.text(
            f"Published to {opened.exports}: {published.written} files written, "
            f"{published.unchanged} unchanged"
        )
    published.require_all()


def _exit_code(report: "FetchReport") -> int:
    if report.deferred is not None:
        raise report.deferred
    if refused := [chat.error.exit_code for chat in report.chats if chat.error is not None]:
        return max(refused)
    return EXIT_QUARANTINED if report.counts.quarantined else 0
