"""`tg-pipeline import`: export files into the archive, and the datasets brought up to date."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tg_pipeline.cli.options import AsJson, Home, Quiet, Verbose, archive, load_settings
from tg_pipeline.errors import EXIT_QUARANTINED

if TYPE_CHECKING:
    from tg_pipeline.flows import Archive, FileReport, Imports


def import_command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="result.json files, .zip archives, or folders that hold some.",
            readable=False,  # not asked here: one path must not stop the others
        ),
    ],
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of the computer that made an old export: Europe/Berlin."),
    ] = None,
    account: Annotated[
        int | None, typer.Option(help="Telegram user id of whoever made the export.", min=1)
    ] = None,
    chat_id: Annotated[
        int | None,
        typer.Option(help="Marked id of the chat, where a file does not tell: -1001234567890."),
    ] = None,
    supplier: Annotated[
        str | None, typer.Option(help="A label for whoever gave you the file.")
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="You vouch that nothing is left out between the first and the last message: "
            "what an earlier export showed and this one does not was deleted.",
        ),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Withdraw an earlier import of this file first."),
    ] = False,
    no_export: Annotated[
        bool, typer.Option("--no-export", help="Leave Parquet and JSONL as they are.")
    ] = False,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> int:
    """Import Telegram Desktop exports (JSON) and publish their chats.

    The same file again changes nothing; a killed import continues.

    Examples:
      tg-pipeline import ~/Downloads/ChatExport_2024-06-01/result.json

      tg-pipeline import ~/Downloads/ChatExport.zip

      tg-pipeline import exports/ --timezone Europe/Berlin
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import ImportOptions, import_files

    loaded = load_settings(home, verbose, quiet, timezone=timezone, account=account)
    options = ImportOptions(
        timezone=loaded.settings.timezone,
        account=loaded.settings.account,
        chat_id=chat_id,
        supplier=supplier,
        complete=complete,
        replace=replace,
    )
    with archive(loaded) as opened:
        with show.progress() as progress:
            imports = import_files(opened, paths, options, progress)
            reports = list(_told(imports, as_json))
        if as_json:
            show.json([report.as_dict() for report in reports])
        if not no_export:
            _publish(opened, reports, as_json)
    return _exit_code(reports)


def _told(imports: "Imports", as_json: bool) -> "Iterator[FileReport]":
    """Tell of each file as it ends, and of all of them at the end."""
    from tg_pipeline.cli.imported import Told

    told = Told()
    for report in imports:
        if not as_json:
            told.tell(report)
        yield report
    if not as_json:
        told.tell_all(imports)


def _publish(opened: "Archive", reports: "list[FileReport]", as_json: bool) -> None:
    from tg_pipeline.cli.console import show
    from tg_pipeline.contracts import ChatKey
    from tg_pipeline.flows import known_chats, published_chats, refresh

    touched = {
        ChatKey.parse(chat) for report in reports for chat in (*report.chats, *report.withdrawn)
    }
    if not touched:
        return
    there = known_chats(opened) | published_chats(opened)
    with show.progress() as progress:
        published = refresh(opened, sorted(touched & there), progress)
    if not as_json:
        show.text(
            f"Published to {opened.exports}: {published.written} files written, "
            f"{published.unchanged} unchanged"
        )
    published.require_all()


def _exit_code(reports: "list[FileReport]") -> int:
    from tg_pipeline.contracts import FileOutcome

    refused = [report.error.exit_code for report in reports if report.error]
    if refused:
        return max(refused)
    incomplete = any(
        report.counts.quarantined or report.outcome is FileOutcome.PARTIAL for report in reports
    )
    return EXIT_QUARANTINED if incomplete else 0
