"""`tg-pipeline quarantine`: what could not be understood, and why."""

from typing import TYPE_CHECKING, Annotated

import typer

from tg_pipeline.cli.options import (
    AsJson,
    Home,
    Quiet,
    Verbose,
    archive,
    chat_key,
    load_settings,
)

if TYPE_CHECKING:
    from tg_pipeline.contracts import ChatKey

app = typer.Typer(help="Records that could not be understood, and why.", no_args_is_help=True)


@app.command("list")
def list_quarantine(
    chat: Annotated[str | None, typer.Option(help="Only this chat's.", metavar="CHAT")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason's.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 100,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """List records in quarantine.

    Examples:
      tg-pipeline quarantine list

      tg-pipeline quarantine list --reason missing_date --json
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    key = chat_key(chat) if chat else None
    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        found = flows.quarantined(opened, chat=key, reason=reason, limit=limit)
        reasons = [] if found else flows.quarantine_reasons(opened, key)
    if as_json:
        show.json([one.as_dict() for one in found])
    elif not found:
        show.text(_nothing(key, reason, reasons))
    else:
        columns = ("batch", "line", "chat", "id", "reason", "place")
        show.table(columns, ([getattr(one, name) for name in columns] for one in found))
        if len(found) == limit:
            show.note(f"Shown are the first {limit}; --limit shows more.")


def _nothing(chat: "ChatKey | None", reason: str | None, reasons: list[str]) -> str:
    place = f" of {chat}" if chat else ""
    if not reasons:
        return f"Nothing{place} is in quarantine."
    return f"Nothing{place} is in quarantine for {reason}; reasons there are: {', '.join(reasons)}."


@app.command("show")
def show_quarantine(
    batch: Annotated[str, typer.Argument(help="The batch, as `quarantine list` shows it.")],
    line: Annotated[int, typer.Argument(help="The line in the batch.")],
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Show one record with its reason and its own bytes.

    Examples:
      tg-pipeline quarantine show 6c1f0d2a9b3e4f55-1a2b3c4d-00001 17
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        found = flows.quarantined_one(opened, batch, line)
    if as_json:
        show.json(found.as_dict())
        return
    for name, value in found.as_dict().items():
        show.field(name, value)


@app.callback()
def quarantine() -> None:
    """Records that could not be understood, and why."""
