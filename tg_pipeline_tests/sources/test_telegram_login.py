"""Logging in with the unmodified client: QR codes expire, and people are asked in their thread."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tg_pipeline.errors import QrExpired, TelegramUnreachable, TgPipelineError
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram import login
from tg_pipeline.sources.telegram.client import connected
from tg_pipeline.sources.telegram.login import Identity, asking_once, log_in, who_is
from tg_pipeline.sources.telegram.running import in_front, run
from tg_pipeline_tests.telegram_server import API_HASH, API_ID, Account, TelegramServer
from tg_pipeline_tests.telegram_server.conftest import PASSWORD, Town


class Person:
    """Answers, and scans the code that is shown as so manieth, if any."""

    def __init__(
        self,
        server: TelegramServer,
        account: Account,
        scans: int = 0,
        *,
        moved_to: int | None = None,
    ) -> None:
        self.shown: list[str] = []
        self.threads: set[str] = set()
        self.refusals: list[str] = []
        self._server, self._account = server, account
        self._scans, self._moved_to = scans, moved_to

    def phone(self) -> str:
        self.threads.add(threading.current_thread().name)
        return self._account.phone

    def code(self, sent: str) -> str:
        self.threads.add(threading.current_thread().name)
        assert sent == "in your Telegram app"
        return self._account.code

    def password(self, hint: str | None) -> str:
        assert hint is None or PASSWORD not in hint
        return PASSWORD

    def scan(self, url: str) -> None:
        self.shown.append(url)
        if len(self.shown) == self._scans:
            self._server.accept_login(url, self._account, moved_to=self._moved_to)

    def refused(self, error: TgPipelineError) -> None:
        self.refusals.append(error.code)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def server(town: Town) -> Iterator[TelegramServer]:
    with TelegramServer(town.world) as running:
        yield running


@pytest.fixture
def settings(server: TelegramServer, tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        telegram_api_id=API_ID,
        telegram_api_hash=API_HASH,
        telegram_server=server.address,
        telegram_server_key=server.write_key(tmp_path / "key.pem"),
    )


def logged_in(settings: Settings, person: Person, *, qr: bool = False) -> tuple[str, Identity]:
    def keep(session: str, identity: Identity) -> tuple[str, Identity]:
        return session, identity

    return run(log_in(settings, "main", person, keep, qr=qr))


async def whose(settings: Settings, session: str) -> Identity:
    async with connected(settings, "main", session) as client:
        return await who_is(asking_once(client, "main"))


def test_a_code_that_expires_is_shown_anew(
    server: TelegramServer, town: Town, settings: Settings
) -> None:
    server.state.qr_seconds = 1
    person = Person(server, town.joe, scans=3)
    session, identity = logged_in(settings, person, qr=True)
    assert identity == Identity(700_000_002, "Joe")
    assert len(set(person.shown)) == 3
    assert all(url.startswith("tg://login?token=") for url in person.shown)
    assert run(whose(settings, session)) == identity


def test_nobody_scans(
    server: TelegramServer, town: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.state.qr_seconds = 1
    monkeypatch.setattr(login, "QR_SECONDS", 2)
    person = Person(server, town.mira)
    with pytest.raises(QrExpired, match="nobody scanned the QR code within 2 seconds"):
        logged_in(settings, person, qr=True)
    assert 2 <= len(person.shown) <= 3
    assert list(server.devices.of(town.mira)) == []


def test_an_account_of_another_data_centre(
    server: TelegramServer, town: Town, settings: Settings
) -> None:
    session, identity = logged_in(settings, Person(server, town.mira, 1, moved_to=4), qr=True)
    assert identity.user_id == 700_000_001
    assert run(whose(settings, session)) == identity


def test_questions_are_asked_in_the_thread_that_called(
    server: TelegramServer, town: Town, settings: Settings
) -> None:
    person = Person(server, town.mira)
    logged_in(settings, person)
    assert person.threads == {threading.current_thread().name}


def test_a_keeper_that_fails_ends_the_session(
    server: TelegramServer, town: Town, settings: Settings
) -> None:
    def keep(session: str, identity: Identity) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(log_in(settings, "main", Person(server, town.mira), keep))
    assert list(server.devices.of(town.mira)) == []


def test_an_answer_that_never_comes(
    server: TelegramServer, town: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tg_pipeline.sources.telegram.client.ANSWER_SECONDS", 0.5)
    server.faults.delay("auth.sendCode", 10)
    with pytest.raises(TelegramUnreachable, match="no answer in time"):
        logged_in(settings, Person(server, town.mira))


# ---- the thread of its own ------------------------------------------------------------------


def test_it_runs_inside_of_a_running_loop() -> None:
    async def inner() -> int:
        return await in_front(lambda: 7)

    async def outer() -> int:
        return run(inner())

    assert asyncio.run(outer()) == 7


def test_errors_of_questions_and_of_the_work_arrive() -> None:
    def ask() -> None:
        raise KeyError("no")

    async def asking() -> str:
        try:
            await in_front(ask)
        except KeyError:
            return "refused"
        return "answered"

    async def failing() -> None:
        raise ZeroDivisionError

    assert run(asking()) == "refused"
    with pytest.raises(ZeroDivisionError):
        run(failing())


def test_whoever_leaves_at_a_question_has_all_ended() -> None:
    ended = threading.Event()

    def leave() -> None:
        raise KeyboardInterrupt

    async def asking() -> None:
        try:
            await in_front(leave)
        finally:
            await asyncio.sleep(0)
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        run(asking())
    assert ended.is_set()
    assert [one.name for one in threading.enumerate() if one.name == "telegram"] == []
