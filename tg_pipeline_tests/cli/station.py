"""The command line with a loopback Telegram: what it is told, and what must never be seen."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from tg_pipeline_tests.cli import inside
from tg_pipeline_tests.cli.running import Outcome, Program
from tg_pipeline_tests.cli.terminal import Terminal, terminal
from tg_pipeline_tests.telegram_server import API_HASH, API_ID, Account, TelegramServer
from tg_pipeline_tests.telegram_server.conftest import PASSWORD, Town

_SESSION = re.compile(r"1[A-Za-z0-9_-]{340,}={0,2}")


@dataclass(frozen=True)
class Station:
    """`tg-pipeline` beside a server, in a home of its own."""

    program: Program
    server: TelegramServer
    town: Town

    @property
    def folder(self) -> Path:
        return self.program.folder

    @property
    def sessions(self) -> Path:
        return self.folder / "home" / "sessions"

    @property
    def chats_file(self) -> Path:
        return self.folder / "chats.yaml"

    def __call__(self, *words: object) -> Outcome:
        """Run without a terminal; nothing secret may be seen, however much is told.

        All events are, but tracebacks only with a `-vv`: most commands end before one is drawn.
        """
        telling = self.with_settings(log_level="debug").program
        return self._no_secret_in(inside.run(telling, *words))

    def process(self, *words: object) -> Outcome:
        """The same as a process of its own, with tracebacks; it takes 30 times as long."""
        return self._no_secret_in(self.program(*words, "-vv"))

    def keyboard(self, *words: object) -> inside.Keyboard:
        """Somebody who types what the command asks for."""
        return inside.Keyboard(self.program, words)

    def start(self, *words: object) -> subprocess.Popen[str]:
        return self.program.start(*words)

    def terminal(self, *words: str, **environment: str) -> Any:
        return terminal(self.folder, *words, **{**self.program.environment, **environment})

    def with_settings(self, **settings: str) -> "Station":
        """The same with further settings."""
        given = {f"TG_PIPELINE_{name.upper()}": value for name, value in settings.items()}
        environment = {**self.program.environment, **given}
        return replace(self, program=replace(self.program, environment=environment))

    def without_api(self) -> "Station":
        """The same before anybody has told the api id and hash."""
        lacking = {
            name: value for name, value in self.program.environment.items() if "_API_" not in name
        }
        return replace(self, program=replace(self.program, environment=lacking))

    def log_in(self, account: Account, name: str = "main", *, old: str | None = None) -> Path:
        """Have a session where `login` would have kept it, of which nothing is noted."""
        self.sessions.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.sessions / f"{name}.session"
        path.touch(mode=0o600)
        path.write_text(old or self.server.session(account))
        return path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the tables answer."""
        url = self.program.environment["TG_PIPELINE_DATABASE_URL"]
        schema = self.program.environment["TG_PIPELINE_DATABASE_SCHEMA"]
        with psycopg.connect(url, options=f"-c search_path={schema}") as connection:
            return connection.execute(query.encode()).fetchall()

    def _no_secret_in(self, outcome: Outcome) -> Outcome:
        self.require_no_secret(outcome.out + outcome.err)
        return outcome

    def require_no_secret(self, seen: str) -> None:
        assert not _SESSION.search(seen)
        for secret in self.secrets():
            assert secret not in seen

    def secrets(self) -> Iterator[str]:
        yield API_HASH
        yield PASSWORD
        for account in self.town.world.accounts.values():
            yield account.phone.removeprefix("+")


def environment(server: TelegramServer, folder: Path) -> dict[str, str]:
    """Settings that lead to the server."""
    return {
        "TG_PIPELINE_TELEGRAM_API_ID": str(API_ID),
        "TG_PIPELINE_TELEGRAM_API_HASH": API_HASH,
        "TG_PIPELINE_TELEGRAM_SERVER": server.address,
        "TG_PIPELINE_TELEGRAM_SERVER_KEY": str(server.write_key(folder / "telegram.pem")),
        "TG_PIPELINE_TELEGRAM_REQUESTS_PER_SECOND": "1000",
    }


def refused(outcome: Outcome, exit_code: int, code: str, *words: str) -> None:
    """The command has failed as it should, in so many words."""
    assert outcome.code == exit_code, outcome.err
    assert f" code: {code}" in outcome.err
    for word in words:
        assert word in outcome.err
    assert "error: " in outcome.err
    assert "   do: " in outcome.err


__all__ = ["Station", "Terminal", "environment", "refused"]
