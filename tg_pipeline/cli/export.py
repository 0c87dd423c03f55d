"""`tg-pipeline export`: Parquet and JSONL brought up to date."""

from typing import Annotated

import typer

from tg_pipeline.cli.options import (
    AsJson,
    Chats,
    Home,
    Quiet,
    Since,
    Until,
    Verbose,
    archive,
    chat_key,
    days_of,
    load_settings,
)


def export(
    chats: Chats = None,
    since: Since = None,
    until: Until = None,
    force: Annotated[
        bool, typer.Option("--force", help="Publish against the verdict; the manifest says so.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Publish Parquet and JSONL; files that are up to date are left as they are.

    What `check` has not passed is refused (exit code 4), and the rest is published.

    Examples:
      tg-pipeline export

      tg-pipeline export -1001613744721 --since 2024-01-01
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import find_windows, publish_windows

    loaded = load_settings(home, verbose, quiet)
    keys = [chat_key(text) for text in chats or ()] or None
    first, last = days_of(since, until)
    with archive(loaded) as opened, show.progress() as progress:
        windows = find_windows(opened, keys, since=first, until=last)
        published = publish_windows(opened, windows, force=force, progress=progress)
    if as_json:
        show.json(published.as_dict())
    else:
        show.text(
            f"{published.rows:,} messages in {published.written + published.unchanged} files: "
            f"{published.written} written, {published.unchanged} unchanged"
        )
        show.text(f"Manifest: {published.manifest}")
    published.require_all()
