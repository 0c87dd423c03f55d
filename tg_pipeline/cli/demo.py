"""`tg-pipeline demo`: see it work on invented chats."""

import shlex
from typing import TYPE_CHECKING

from tg_pipeline.cli.options import (
    AsJson,
    Home,
    Quiet,
    Verbose,
    archive,
    as_called,
    load_settings,
)

if TYPE_CHECKING:
    from tg_pipeline.flows import Archive
    from tg_pipeline.flows.demo import Demonstrated

_LATEST = "SELECT date, text FROM messages ORDER BY date DESC LIMIT 5"
_ACTIVE = """
SELECT to_char(date_trunc('quarter', m.date), 'YYYY "Q"Q') AS quarter, count(*) AS messages,
       count(*) FILTER (WHERE m.edited_at IS NOT NULL) AS edited,
       count(*) FILTER (WHERE m.media_meta IS NOT NULL) AS with_media
FROM messages m GROUP BY 1 ORDER BY 1
"""


def demo(
    as_json: AsJson = False, home: Home = None, verbose: Verbose = 0, quiet: Quiet = False
) -> None:
    """Import a sample of invented chats into an archive of its own and publish it.

    Examples:
      tg-pipeline demo
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.demo import demonstrate

    base = load_settings(home, verbose, quiet).settings
    own: dict[str, object] = {
        "landing": base.home / "demo" / "landing",
        "exports": base.home / "demo" / "exports",
    }
    if base.database_url is not None:
        own["database_schema"] = f"{base.database_schema[:58]}_demo"
    loaded = load_settings(base.home / "demo", verbose, quiet, **own)
    with archive(loaded) as opened:
        with show.progress() as progress:
            made = demonstrate(opened, progress)
        if as_json:
            show.json({"file": made.report.as_dict(), "exports": made.published.as_dict()})
        else:
            _tell(opened, made)


def _tell(opened: "Archive", made: "Demonstrated") -> None:
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    counts = made.report.counts
    chats = flows.status(opened)
    show.text(
        f"\nRead {counts.read:,} records of {len(chats)} chats from {made.sample}:\n"
        f"{counts.new:,} new, {counts.unchanged:,} known before, "
        f"{counts.quarantined:,} set aside because they could not be understood.\n"
    )
    show.table(
        ("chat", "type", "title", "messages", "first", "last"),
        (
            (
                chat.chat,
                chat.type,
                chat.title,
                chat.messages,
                chat.first_date and chat.first_date.date(),
                chat.last_date and chat.last_date.date(),
            )
            for chat in chats
        ),
    )
    show.text("")
    with flows.query(opened, _ACTIVE) as rows:
        show.table(next(rows), rows)
    show.text(
        f"\nParquet and JSONL: {made.published.manifest.parent}\n"
        f"  {made.published.written} files written, {made.published.unchanged} up to date\n"
    )
    _what_next(opened)


def _what_next(opened: "Archive") -> None:
    from tg_pipeline.cli.console import show

    command = as_called()
    there = f"TG_PIPELINE_HOME={shlex.quote(str(opened.settings.home))}"
    if opened.settings.database_url is not None:
        there += f" TG_PIPELINE_DATABASE_SCHEMA={opened.settings.database_schema}"
    show.text("Next, look around in this sample:")
    show.text(f"  export {there}")
    show.text(f"  {command} status")
    show.text(f'  {command} sql "{_LATEST}"')
    show.text(f"  {command} dev")
    show.text("or import an export of your own, into an archive of its own:")
    show.text("  unset TG_PIPELINE_HOME")
    show.text(f"  {command} import ~/Downloads/ChatExport/result.json")
