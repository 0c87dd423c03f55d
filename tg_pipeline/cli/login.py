"""`tg-pipeline login` and `logout`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tg_pipeline.cli.options import Home, Quiet, Verbose, archive, as_called, load_settings
from tg_pipeline.errors import ApiInvalid, ApiMissing

if TYPE_CHECKING:
    from tg_pipeline.flows import LoggedIn
    from tg_pipeline.settings import Loaded, Settings

_DEFAULT = "main"
_AccountName = Annotated[str, typer.Argument(help="A name of your choice for the account.")]
_ELSEWHERE = (
    "Log in on a machine with a keyboard by `tg-pipeline login --print-session`, and set "
    "TG_PIPELINE_TELEGRAM_SESSION here to what it prints."
)
_FOR_ANOTHER = (
    "Whoever has this is logged in. Put it into a file that only you can read, on the other "
    "machine, and name it there in TG_PIPELINE_TELEGRAM_SESSION_FILE."
)


def login(
    account: _AccountName = _DEFAULT,
    qr: Annotated[
        bool, typer.Option("--qr", help="Show a QR code, which a device that is logged in scans.")
    ] = False,
    print_session: Annotated[
        bool,
        typer.Option(
            "--print-session", help="Print a session for another machine; nothing is kept here."
        ),
    ] = False,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """Log in to Telegram, so that chats can be read. Asks for phone number, code and password.

    The session is kept in a file that only you can read, or in the system's keyring. Whoever has
    it is logged in as you: never copy it, log in once on each machine.

    Examples:
      tg-pipeline login

      tg-pipeline login second --qr

      tg-pipeline login --print-session
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.sources.telegram.sessions import account_name

    loaded = load_settings(home, verbose, quiet)
    account_name(account)
    loaded, to_write = _with_api(loaded)
    try:
        done = _log_in(loaded, account, qr, print_session)
    except ApiInvalid:
        to_write = False
        raise
    finally:
        if to_write:
            _write_api(loaded.settings)
    if print_session:
        show.note(_FOR_ANOTHER)
        return
    again = "is logged in already" if done.before else "is logged in"
    show.text(f"Account {account} {again}: {done.name} (user {done.user_id}).")
    show.note(f"Session: {done.place}")
    show.note(f"Next: {as_called()} chats discover")


def logout(
    account: _AccountName = _DEFAULT,
    home: Home = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
) -> None:
    """End the session at Telegram and remove it here. What is archived stays.

    Examples:
      tg-pipeline logout

      tg-pipeline logout second
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows import log_out

    loaded = load_settings(home, verbose, quiet)
    with archive(loaded) as opened:
        gone = log_out(opened, account)
    show.text(f"Account {account} is logged out.")
    if not gone:
        show.warn("the setting telegram_session still holds the session, which is of no use now")


def _log_in(loaded: "Loaded", account: str, qr: bool, print_session: bool) -> "LoggedIn":
    from tg_pipeline.cli.asking import Keyboard
    from tg_pipeline.flows import log_in, new_session

    asks = Keyboard(_ELSEWHERE)
    with archive(loaded) as opened:
        if not print_session:
            return log_in(opened, asks, account, qr=qr)
        session, done = new_session(opened, asks, account, qr=qr)
    sys.stdout.write(f"{session}\n")
    return done


def _with_api(loaded: "Loaded") -> tuple["Loaded", bool]:
    """Settings with api id and hash, asked for where they are missing; whether to write them.

    Raises:
        ApiMissing: they are, and there is nobody to ask.
    """
    from dataclasses import replace

    from tg_pipeline.cli.asking import ask_api

    settings = loaded.settings
    if settings.telegram_api_id is not None and settings.telegram_api_hash is not None:
        return loaded, False
    if not sys.stdin.isatty():
        raise ApiMissing
    api_id, api_hash = ask_api()
    given = {"telegram_api_id": api_id, "telegram_api_hash": api_hash}
    question = "Write api_id to tg_pipeline.yaml, and api_hash to .env, which only you may read?"
    to_write = typer.confirm(question, default=True, err=True)
    return replace(loaded, settings=settings.model_copy(update=given)), to_write


def _write_api(settings: "Settings") -> None:
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.project import keep_api

    if settings.telegram_api_id is not None and settings.telegram_api_hash is not None:
        written = keep_api(Path.cwd(), settings.telegram_api_id, settings.telegram_api_hash)
        show.note(f"Written: {', '.join(written)}")
