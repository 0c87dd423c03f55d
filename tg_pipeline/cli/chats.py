"""`tg-pipeline chats`: which chats are followed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tg_pipeline.cli import chat_views as views
from tg_pipeline.cli.options import (
    AsJson,
    Home,
    Quiet,
    Verbose,
    archive,
    as_called,
    load_settings,
    no_options,
)

if TYPE_CHECKING:
    from tg_pipeline.contracts import ChatType
    from tg_pipeline.flows import Outcome
    from tg_pipeline.settings import Loaded
    from tg_pipeline.sources.telegram.references import Reference

app = typer.Typer(help="The followed chats, and chats.yaml.", no_args_is_help=True)
Account = Annotated[
    str, typer.Option(help="Account that reads them.", metavar="ACCOUNT", show_default=True)
]
NoComments = Annotated[
    bool, typer.Option("--no-comments", help="Leave out the discussion groups of channels.")
]
_NEGATIVE = {"ignore_unknown_options": True}  # ids begin with a minus
_ALL = "all"


@app.command("list")
def list_chats(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """List the followed chats, and why one of them cannot be read.

    Examples:
      tg-pipeline chats list

      tg-pipeline chats list --json
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import chats_to_fetch

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        found = chats_to_fetch(opened, account)
    if as_json:
        show.json([views.facts(one) for one in found])
        return
    if not found:
        show.text("No chats are followed.")
        show.note(f"Next: {as_called()} chats discover")
        return
    columns = ("chat", "type", "title", "username", "account", "state")
    show.table(columns, [(*views.cells(one), one.account, views.state(one)) for one in found])


@app.command("add", context_settings=_NEGATIVE)
def add(
    chats: Annotated[
        list[str],
        typer.Argument(
            help="Usernames, t.me links, invite links, ids, or me.", callback=no_options
        ),
    ],
    account: Account = "main",
    no_comments: NoComments = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Follow these chats. Nothing is ever joined: links must lead to chats you are in.

    Examples:
      tg-pipeline chats add @telegram

      tg-pipeline chats add https://t.me/telegram/1 -1001613744721 me

      tg-pipeline chats add https://t.me/+AbCdEfGhIjKl --account second
    """
    from tg_pipeline.sources.telegram.references import read_reference

    loaded = load_settings(home, verbose, quiet)
    references = [read_reference(text) for text in chats]
    _add(loaded, references, account, no_comments, as_json)


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="A list, one chat a line; # begins a comment.")],
    account: Account = "main",
    no_comments: NoComments = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Add the chats of a plain list of usernames, links and ids.

    Examples:
      tg-pipeline chats import channels.txt
    """
    from tg_pipeline.errors import InputMissing, InputUnreadable
    from tg_pipeline.sources.telegram.references import read_list

    loaded = load_settings(home, verbose, quiet)
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise InputMissing(file, "a text file with a chat on each line") from error
    except OSError as error:
        raise InputUnreadable(file, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise InputUnreadable(
            file, "it is no text in UTF-8", "Save it as text in UTF-8, a chat on each line."
        ) from error
    _add(loaded, list(read_list(lines, str(file))), account, no_comments, as_json)


@app.command("remove", context_settings=_NEGATIVE)
def remove(
    chats: Annotated[
        list[str],
        typer.Argument(help="Ids, usernames or links of followed chats.", callback=no_options),
    ],
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Follow these chats no more, nor the comments that came with them. What is archived stays.

    Examples:
      tg-pipeline chats remove @telegram

      tg-pipeline chats remove -1001613744721
    """
    from tg_pipeline.flows import remove_chats

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        outcome = remove_chats(opened, chats)
    _report(outcome, as_json)


@app.command("plan")
def plan(
    as_json: AsJson = False, home: Home = None, verbose: Verbose = 0, quiet: Quiet = False
) -> None:
    """Show what `chats apply` would change: what chats.yaml has otherwise than the database.

    Examples:
      tg-pipeline chats plan

      tg-pipeline chats plan --json
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import plan_chats

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        drift = plan_chats(opened)
    if as_json:
        show.json(views.drift_facts(drift))
        return
    for entry in drift.add:
        show.text(f"add     {entry.called}, read by {entry.account}")
    for change in drift.change:
        now = ", ".join(
            f"{name} {getattr(change.chat, name)} -> {getattr(change.ref, name)}"
            for name in change.fields
        )
        show.text(f"change  {views.called(change.chat)}: {now}")
    for chat in drift.remove:
        show.text(f"remove  {views.called(chat)}")
    if drift:
        show.note(f"Next: {as_called()} chats apply")
    else:
        show.text("Nothing to change.")


@app.command("apply")
def apply(
    no_comments: NoComments = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Follow what chats.yaml lists, and nothing else; complete its entries.

    Examples:
      tg-pipeline chats apply
    """
    from tg_pipeline.flows import apply_chats

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        outcome = apply_chats(opened, comments=not no_comments, waiting=_waiting)
    _report(outcome, as_json)


@app.command("discover")
def discover(
    account: Account = "main",
    add_types: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            help="Add all chats of this type: channel, supergroup, group, private, bot, saved, "
            "or all.",
            metavar="TYPE",
        ),
    ] = None,
    no_comments: NoComments = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """List the account's own chats, newest message first, and which of them are followed.

    Examples:
      tg-pipeline chats discover

      tg-pipeline chats discover --add channel --add supergroup
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import discover_chats

    loaded = load_settings(home, verbose, quiet)
    types = _types(add_types or [])
    with archive(loaded) as opened:
        found, outcome = discover_chats(
            opened, account, types, comments=not no_comments, waiting=_waiting
        )
    if as_json:
        show.json(
            {
                "chats": [views.discovered_facts(one) for one in found],
                **views.outcome_facts(outcome),
            }
        )
        _require_all(outcome)
        return
    columns = ("chat", "type", "title", "username", "members", "last message", "followed")
    if found or outcome.stopped is None:
        show.table(columns, [views.discovered_row(one) for one in found])
    if types:
        _report(outcome, as_json)
    _require_all(outcome)


@app.callback()
def chats() -> None:
    """The followed chats, and chats.yaml."""


def _add(
    loaded: "Loaded", references: "list[Reference]", account: str, no_comments: bool, as_json: bool
) -> None:
    from tg_pipeline.flows import add_chats

    with archive(loaded) as opened:
        outcome = add_chats(opened, references, account, comments=not no_comments, waiting=_waiting)
    _report(outcome, as_json)


def _waiting(passed: float, whole: float) -> None:
    from tg_pipeline.cli.console import show

    if passed < 1 <= whole:
        show.note(f"Telegram wants to be left alone for {whole:.0f} seconds.")


def _types(names: list[str]) -> "list[ChatType]":
    from tg_pipeline.contracts import ChatType

    known: list[ChatType] = [one for one in ChatType if one is not ChatType.UNKNOWN]
    if _ALL in names:
        return known
    wrong = [name for name in names if name not in {one.value for one in known}]
    if wrong:
        several = ", ".join(one.value for one in known)
        raise typer.BadParameter(f"{wrong[0]!r} is no type of chat; there are {several}, {_ALL}")
    return [ChatType(name) for name in names]


# ---- what is shown


def _report(outcome: "Outcome", as_json: bool) -> None:
    from tg_pipeline.cli.console import show

    if as_json:
        show.json(views.outcome_facts(outcome))
    else:
        for what, chats in (
            ("added", outcome.added), ("changed", outcome.changed), ("removed", outcome.removed)
        ):  # fmt: skip
            for chat in chats:
                show.text(f"{what:<8}{views.called(chat)}")
        if not (outcome.added or outcome.changed or outcome.removed or outcome.trouble):
            show.text("Nothing changed.")
    _require_all(outcome)


def _require_all(outcome: "Outcome") -> None:
    """Tell all failures; the last one with what to do, and its exit code."""
    from tg_pipeline.cli.console import show

    for error in outcome.trouble[1:]:
        show.refused(error)
    outcome.require_all()
