"""What a log in asks at the terminal, on standard error: standard output is for results."""

import sys
from collections.abc import Callable

import typer

from tg_pipeline.cli.console import show
from tg_pipeline.errors import TgPipelineError, UsageError


class Keyboard:
    """Asks whoever sits at the terminal; implements `sources.telegram.login.Asks`."""

    def __init__(self, otherwise: str) -> None:
        """`otherwise` says what to do where nobody sits at a terminal."""
        self._otherwise = otherwise
        self._scans = 0

    def phone(self) -> str:
        """Ask for the number."""
        self._require_somebody()
        return _asked("Phone number, with country code")

    def code(self, sent: str) -> str:
        """Ask for the code."""
        return _asked(f"Code (Telegram has sent it {sent})")

    def password(self, hint: str | None) -> str:
        """Ask for the password, unseen."""
        self._require_somebody()
        told = f"; hint: {hint}" if hint else ""
        return _asked(f"Password of two-step verification (not shown{told})", unseen=True)

    def scan(self, url: str) -> None:
        """Draw a QR code."""
        import segno

        if not self._scans:
            show.ask("In Telegram on your phone: Settings, Devices, Link Desktop Device. Scan:")
        else:
            show.ask("The code has expired; scan this one:")
        self._scans += 1
        segno.make(url, error="l").terminal(out=sys.stderr, border=2, compact=True)
        sys.stderr.flush()

    def refused(self, error: TgPipelineError) -> None:
        """Say what was wrong."""
        show.refused(error)

    def _require_somebody(self) -> None:
        if not sys.stdin.isatty():
            raise UsageError(
                "a log in asks questions, and there is no terminal to answer them",
                remedy=self._otherwise,
            )


def ask_api() -> tuple[int, str]:
    """Ask for api id and hash, saying where they come from."""
    show.ask(
        "Telegram wants to know which program asks. Once, make an api id of your own:\n"
        "  1. Open https://my.telegram.org/apps and log in with your phone number.\n"
        "  2. Fill in any title and short name, platform Desktop, and press Create application.\n"
        "  3. Copy api_id and api_hash from there. Keep the hash to yourself."
    )
    api_id = _until(_number, "api_id", "a number")
    api_hash = _until(_hash, "api_hash (not shown)", "32 digits and letters a to f", unseen=True)
    return int(api_id), api_hash


def _number(text: str) -> str | None:
    return text if text.isascii() and text.isdigit() and 0 < int(text) < 2**31 else None


def _hash(text: str) -> str | None:
    found = text.lower()
    return found if len(found) == 32 and set(found) <= set("0123456789abcdef") else None


def _until(
    usable: Callable[[str], str | None], question: str, wanted: str, *, unseen: bool = False
) -> str:
    while True:
        if (found := usable(_asked(question, unseen=unseen))) is not None:
            return found
        show.ask(f"That is not what stands there: it is {wanted}.")


def _asked(question: str, *, unseen: bool = False) -> str:
    answer: str = typer.prompt(
        question, default="", show_default=False, hide_input=unseen, err=True
    )
    return answer.strip()
