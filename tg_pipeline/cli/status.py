"""`tg-pipeline status`: what the archive holds, how far it is behind, and what to do next."""

from tg_pipeline.cli.options import (
    AsJson,
    Chats,
    Home,
    Quiet,
    Verbose,
    archive,
    chat_key,
    load_settings,
)


def status(
    chats: Chats = None,
    as_json: AsJson = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Show every chat with its counts and dates (UTC), and how far behind Telegram it is.

    Examples:
      tg-pipeline status

      tg-pipeline status -1001613744721

      tg-pipeline status --json | jq '.chats[].messages'
    """
    from tg_pipeline import flows
    from tg_pipeline.cli.console import show

    loaded = load_settings(home, verbose, quiet)
    keys = [chat_key(text) for text in chats or ()] or None
    if keys is None and not flows.is_made(loaded.settings):
        found = flows.Overview()
    else:
        with archive(loaded) as opened:
            found = flows.overview(opened, keys)
    if as_json:
        show.json(found.as_dict())
    else:
        from tg_pipeline.cli.status_view import tell

        tell(found, every=keys is not None)
