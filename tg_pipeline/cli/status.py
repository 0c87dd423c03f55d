"""`tg-pipeline status`: what the archive holds."""

from tg_pipeline.cli.options import AsJson, Home, Quiet, Verbose, archive, load_settings


def status(
    as_json: AsJson = False, home: Home = None, verbose: Verbose = 0, quiet: Quiet = False
) -> None:
    """Show every chat with its counts and dates (UTC).

    Examples:
      tg-pipeline status

      tg-pipeline status --json | jq '.[].messages'
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        chats = flows.status(opened)
    if as_json:
        show.json([chat.as_dict() for chat in chats])
        return
    if not chats:
        show.text(
            "The archive is empty. Fill it with: tg-pipeline import result.json, "
            "or begin with: tg-pipeline login"
        )
        return
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
            for chat in chats
        ),
    )
    waiting = sum(max(0, chat.landed - chat.loaded) for chat in chats)
    if waiting:
        show.warn(f"{waiting:,} records are landed but not loaded: `tg-pipeline db load`")
    lacking = sum(max(0, chat.loaded - chat.landed) for chat in chats)
    if lacking:
        show.warn(f"{lacking:,} records are loaded that landing no longer has: is it all there?")
