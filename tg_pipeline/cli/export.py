"""`tg-pipeline export`: Parquet and JSONL brought up to date."""

from datetime import datetime
from typing import Annotated

import typer

from tg_pipeline.cli.options import AsJson, Home, Quiet, Verbose, archive, chat_key, load_settings

_DAY = ["%Y-%m-%d"]


def export(
    chats: Annotated[
        list[str] | None, typer.Argument(help="Chat keys, as `status` shows; all if left out.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="First day (UTC), included.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Last day (UTC), included.")
    ] = None,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Publish Parquet and JSONL; files that are up to date are left as they are.

    Examples:
      tg-pipeline export

      tg-pipeline export -1001613744721 --since 2024-01-01
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import publish_window

    loaded = load_settings(home, verbose, quiet)
    keys = [chat_key(text) for text in chats or ()] or None
    with archive(loaded) as opened, show.progress() as progress:
        published = publish_window(
            opened,
            keys,
            since=since.date() if since else None,
            until=until.date() if until else None,
            progress=progress,
        )
    if as_json:
        show.json(published.as_dict())
        return
    show.text(
        f"{published.rows:,} messages in {published.written + published.unchanged} files: "
        f"{published.written} written, {published.unchanged} unchanged"
    )
    show.text(f"Manifest: {published.manifest}")
