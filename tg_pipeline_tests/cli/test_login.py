"""`tg-pipeline login` and `logout`, against a loopback Telegram.

Most run in the tests' process; a terminal shows what is echoed, drawn and interrupted.
"""

import json
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import keyring
import keyring.backends.fail
import pytest
from keyring.backend import KeyringBackend

from tg_pipeline_tests.cli.running import ended
from tg_pipeline_tests.cli.station import Station, refused
from tg_pipeline_tests.cli.terminal import CTRL_C
from tg_pipeline_tests.telegram_server import API_HASH, API_ID, RpcFailure, always
from tg_pipeline_tests.telegram_server.conftest import PASSWORD

PHONE = "Phone number"
CODE = "Code (Telegram has sent it in your Telegram app)"
SECOND = "Password of two-step verification"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def accounts(station: Station) -> list[tuple[object, ...]]:
    return station.rows("SELECT account, user_id, name, state FROM accounts ORDER BY account")


# ---- logging in -----------------------------------------------------------------------------


def test_phone_and_code_make_a_session_for_its_owner_alone(station: Station) -> None:
    with station.keyboard("login", "-vv") as at:
        at.answer(PHONE, "+1 (202) 555-0100")
        at.answer(CODE, "12345")
        at.expect("Account main is logged in: Mira Lanternkeeper (user 700000001).")
        assert at.end() == 0, at.seen
    path = station.sessions / "main.session"
    assert mode(path) == 0o600
    assert mode(station.sessions) == 0o700
    assert len(path.read_text().strip()) == 353
    assert path.read_text().strip() not in at.seen
    assert API_HASH not in at.seen
    assert accounts(station) == [("main", 700_000_001, "Mira Lanternkeeper", "active")]
    assert station("chats", "discover").code == 0


def test_the_second_factor_is_asked_for_unseen(station: Station) -> None:
    with station.terminal("login", "joe", "-vv") as at:
        at.answer(PHONE, "12025550101")
        at.answer(CODE, "543 21")
        at.answer_unseen(SECOND, PASSWORD)
        assert at.end() == 0, at.seen
    kept = (station.sessions / "joe.session").read_text().strip()
    for secret in (PASSWORD, API_HASH, kept):
        assert secret not in at.seen
    assert accounts(station) == [("joe", 700_000_002, "Joe", "active")]


def test_who_is_logged_in_is_asked_nothing(station: Station) -> None:
    station.log_in(station.town.mira)
    outcome = station("login")
    assert outcome.code == 0, outcome.err
    assert "Account main is logged in already: Mira Lanternkeeper (user 700000001)." in outcome.out
    assert accounts(station) == [("main", 700_000_001, "Mira Lanternkeeper", "active")]
    assert station.server.requests.count("auth.sendCode") == 0


def test_a_session_that_telegram_has_ended_is_replaced(station: Station) -> None:
    station.log_in(station.town.mira)
    station.server.revoke(station.town.mira)
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345")
        assert at.end() == 0, at.seen
    assert station("login").code == 0


def test_wrong_answers_may_be_put_right_in_one_go(station: Station) -> None:
    with station.keyboard("login") as at:
        at.answer(PHONE, "my phone")
        at.expect("(telegram.phone_invalid)")
        at.answer(PHONE, "12025550101")
        at.answer(CODE, "00000")
        at.expect("that is not the code Telegram sent (telegram.code_wrong)")
        at.answer(CODE)
        at.expect("(telegram.code_wrong)")
        at.answer(CODE, "54321")
        at.answer_unseen(SECOND, "wrong")
        at.expect("(telegram.password_wrong)")
        at.answer_unseen(SECOND, PASSWORD)
        assert at.end() == 0, at.seen


def test_the_third_wrong_code_ends_it(station: Station) -> None:
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        for _ in range(3):
            at.answer(CODE, "99999")
        at.expect("error: that is not the code Telegram sent")
        at.expect("do: Log in again and type the newest code")
        at.expect("code: telegram.code_wrong")
        assert at.end() == 1
    assert not station.sessions.exists() or not list(station.sessions.iterdir())
    assert list(station.server.devices.of(station.town.mira)) == []


def test_an_expired_code_is_sent_anew(station: Station) -> None:
    station.town.mira.code_expired = True
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345")
        at.expect("(telegram.code_expired)")
        at.then(lambda: setattr(station.town.mira, "code_expired", False))
        at.answer(CODE, "12345")
        assert at.end() == 0, at.seen
    assert station.server.requests.count("auth.sendCode") == 2


def test_a_code_that_stays_expired(station: Station) -> None:
    station.town.mira.code_expired = True
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        for _ in range(3):
            at.answer(CODE, "12345")
        at.expect("error: the code has expired")
        at.expect("code: telegram.code_expired")
        assert at.end() == 1


def test_the_third_wrong_password_ends_it(station: Station) -> None:
    with station.keyboard("login", "joe") as at:
        at.answer(PHONE, "12025550101")
        at.answer(CODE, "54321")
        for word in ("wrong", "", "wrong too"):
            at.answer_unseen(SECOND, word)
        at.expect("error: that is not the password of two-step verification")
        at.expect("code: telegram.password_wrong")
        assert at.end() == 1
    assert "wrong too" not in at.seen


def test_a_number_without_an_account(station: Station) -> None:
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550199")
        at.answer(CODE, "12345")
        at.expect(
            "error: Telegram does not accept this phone number: nobody has a Telegram account"
        )
        at.expect("code: telegram.phone_invalid")
        assert at.end() == 1
    assert "2025550199" not in at.seen.replace("+12025550199", "", 1)  # but for what was typed


def test_a_banned_account_cannot_log_in(station: Station) -> None:
    station.town.mira.banned = True
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        at.expect("error: Telegram has closed account main (its phone number was banned)")
        at.expect("code: telegram.account_banned")
        assert at.end() == 1
    assert accounts(station) == [("main", None, None, "banned")]


def test_a_flood_says_until_when(station: Station) -> None:
    station.server.faults.flood("auth.sendCode", 3_600)
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        at.expect("error: Telegram lets account main call auth.sendCode again at 20")
        at.expect("code: telegram.flood_wait")
        assert at.end() == 75


def test_a_name_stands_for_one_user(station: Station) -> None:
    """The wrong one's session is ended again."""
    station.log_in(station.town.mira)
    assert station("login").code == 0
    assert station("logout").code == 0
    with station.keyboard("login") as at:
        at.answer(PHONE, "12025550101")
        at.answer(CODE, "54321")
        at.answer_unseen(SECOND, PASSWORD)
        at.expect("error: account main stands for user 700000001, but the session is of user")
        at.expect("code: telegram.account_differs")
        assert at.end() == 1
    assert list(station.server.devices.of(station.town.joe)) == []
    assert not (station.sessions / "main.session").exists()


def test_a_user_has_one_account(station: Station) -> None:
    """By a second name flood waits, pace and the lock were got around."""
    station.log_in(station.town.mira)
    assert station("login").code == 0

    with station.keyboard("login", "second") as at:
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345")
        at.expect("error: user 700000001 is account main already")
        at.expect("code: telegram.account_known")
        assert at.end() == 1

    assert not (station.sessions / "second.session").exists()
    assert len(list(station.server.devices.of(station.town.mira))) == 1


def test_a_session_of_a_setting_that_has_ended_says_where_the_new_one_goes(
    station: Station,
) -> None:
    """To log in again ended in the same error."""
    given = station.with_settings(telegram_session=station.server.session(station.town.mira))
    assert given("chats", "add", "me").code == 0
    station.server.revoke(station.town.mira)

    for command in ("fetch", "login"):
        refused(given(command), 1, "telegram.session_revoked", "login --print-session", "setting")


def test_a_session_that_cannot_be_kept_is_ended_again(station: Station) -> None:
    (station.folder / "home").mkdir(exist_ok=True)
    station.sessions.touch()  # no folder can be made there
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345")
        at.expect("code: folder.not_writable")
        assert at.end() == 1
    assert list(station.server.devices.of(station.town.mira)) == []


def test_ctrl_c_leaves_at_once(station: Station) -> None:
    with station.terminal("login", "joe") as at:
        at.answer(PHONE, "12025550101")
        at.expect(CODE)
        at.press(CTRL_C)
        assert at.end() == 130
    assert "Traceback" not in at.seen
    assert list(station.server.devices.of(station.town.joe)) == []


def test_the_connection_is_kept_alive_while_somebody_thinks(station: Station) -> None:
    """Telegram hangs up, Telethon connects anew, and the code counts still."""
    with station.keyboard("login") as at:
        at.answer(PHONE, "+12025550100")
        at.then(station.server.hang_up)
        at.then(lambda: time.sleep(1))
        at.answer(CODE, "12345")
        assert at.end() == 0, at.seen


# ---- QR codes -------------------------------------------------------------------------------


def shown_token(station: Station, after: bytes = b"") -> bytes:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for device in station.server.devices._by_id.values():
            if device.login_token not in (b"", after):
                return device.login_token
        time.sleep(0.05)
    raise AssertionError("no QR code is shown")


def test_a_qr_code_is_scanned(station: Station) -> None:
    def scan() -> None:
        station.server.accept_login(shown_token(station), station.town.mira)

    phone = Thread(target=scan)
    phone.start()
    with station.keyboard("login", "--qr") as at:
        assert at.end() == 0, at.seen
    phone.join()
    assert "Link Desktop Device. Scan:" in at.seen
    assert "\u2588" in at.seen
    assert accounts(station) == [("main", 700_000_001, "Mira Lanternkeeper", "active")]


def test_after_a_qr_code_the_password_is_asked_for(station: Station) -> None:
    with station.terminal("login", "joe", "--qr") as at:
        at.expect("Scan:")
        at.expect("\u2588")
        station.server.accept_login(shown_token(station), station.town.joe)
        at.answer_unseen(SECOND, "wrong")
        at.expect("(telegram.password_wrong)")
        at.answer_unseen(SECOND, PASSWORD)
        assert at.end() == 0, at.seen


# ---- without a keyboard ---------------------------------------------------------------------


def test_a_session_for_another_machine_is_printed_and_not_kept(station: Station) -> None:
    with station.keyboard("login", "--print-session", "-q") as at:
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345\n")
        at.expect("\n1")
        assert at.end() == 0, at.seen
    session = at.seen.strip().splitlines()[-1]
    assert not station.sessions.exists()
    elsewhere = station.with_settings(telegram_session=session)
    outcome = elsewhere("login")
    assert outcome.code == 0, outcome.err
    assert "is logged in already" in outcome.out
    assert not station.sessions.exists()
    shown = elsewhere("config", "show").out
    assert session[:40] not in shown


def test_a_session_from_a_secret_file_outranks_what_is_kept(station: Station) -> None:
    station.log_in(station.town.joe)
    secret = station.folder / "secret"
    secret.write_text(station.server.session(station.town.mira) + "\n")
    outcome = station.with_settings(telegram_session_file=str(secret))("login")
    assert outcome.code == 0, outcome.err
    assert "Mira" in outcome.out


def test_without_a_terminal_nobody_can_be_asked(station: Station) -> None:
    refused(station("login"), 2, "usage", "no terminal", "--print-session")
    refused(station.without_api()("login"), 2, "telegram.api_missing", "https://my.telegram.org")


def test_a_name_that_would_leave_the_folder_is_refused(station: Station) -> None:
    for name in ("../main", "Main", "a/b", "x" * 33, ""):
        refused(station("login", name), 2, "usage", "no name for an account")
        refused(station("logout", name), 2, "usage", "no name for an account")


# ---- api id and hash ------------------------------------------------------------------------


def test_api_id_and_hash_are_asked_for_and_written(station: Station) -> None:
    (station.folder / "tg_pipeline.yaml").write_text("# mine\nperiod: day")
    subprocess.run(["git", "init", "-q", str(station.folder)], check=True)
    new = station.without_api()
    with new.keyboard("login") as at:
        at.expect("https://my.telegram.org/apps")
        at.answer("api_id", "twelve")
        at.expect("not what stands there")
        at.answer("api_id", str(API_ID))
        at.answer_unseen("api_hash (not shown)", API_HASH)
        at.answer("only you may read? [Y/n]")
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345")
        at.expect("Written: telegram_api_id in tg_pipeline.yaml, TG_PIPELINE_TELEGRAM_API_HASH in")
        assert at.end() == 0, at.seen
    assert API_HASH not in at.seen
    text = (station.folder / "tg_pipeline.yaml").read_text()
    assert text == f"# mine\nperiod: day\ntelegram_api_id: {API_ID}\n"
    assert mode(station.folder / ".env") == 0o600
    assert API_HASH in (station.folder / ".env").read_text()
    assert (station.folder / ".gitignore").read_text() == ".env\n"
    outcome = new("login")
    assert outcome.code == 0, outcome.err


def test_api_id_and_hash_are_not_written_unasked_nor_when_wrong(station: Station) -> None:
    new = station.without_api()
    for answer, api_hash, code in (("n", API_HASH, 0), ("y", "0" * 32, 1)):
        with new.keyboard("login", "a" if code else "b") as at:
            at.answer("api_id", str(API_ID))
            at.answer_unseen("api_hash", api_hash)
            at.answer("only you may read?", answer)
            at.answer(PHONE, "+12025550100")
            if code:
                at.expect(f"error: Telegram does not accept api id {API_ID} with its hash")
                at.expect("code: telegram.api_invalid")
            else:
                at.answer(CODE, "12345")
            assert at.end() == code, at.seen
    assert not (station.folder / ".env").exists()
    assert not (station.folder / "tg_pipeline.yaml").exists()


# ---- what Telegram has done to an account ---------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "code", "state", "words"),
    [
        (None, "telegram.session_revoked", "revoked", "has ended the session of account main"),
        (
            RpcFailure(406, "AUTH_KEY_DUPLICATED"),
            "telegram.key_duplicated",
            "duplicated",
            "used from two addresses",
        ),
        (
            RpcFailure(401, "USER_DEACTIVATED_BAN"),
            "telegram.account_banned",
            "banned",
            "has closed account main",
        ),
        (RpcFailure(401, "SESSION_EXPIRED"), "telegram.session_revoked", "revoked", "EXPIRED"),
    ],
    ids=["revoked", "duplicated", "banned", "expired"],
)
def test_an_account_that_telegram_has_ended(
    station: Station, failure: RpcFailure | None, code: str, state: str, words: str
) -> None:
    station.log_in(station.town.mira)
    assert station("login").code == 0
    station.server.revoke(station.town.mira, failure)
    refused(station("chats", "discover"), 1, code, words)
    assert accounts(station)[0][3] == state
    examined = station("doctor")
    assert examined.code == 1
    assert "FAIL  accounts: " in examined.out
    assert "ok    database: " in examined.out


def test_a_check_up_tells_who_is_logged_in(station: Station) -> None:
    assert "ok    accounts: none is logged in\n" in station("doctor").out
    path = station.log_in(station.town.mira)
    assert station("login").code == 0
    examined = station("doctor")
    assert "ok    accounts: logged in: main (Mira" in examined.out
    assert examined.code == 0
    path.chmod(0o644)
    examined = station("doctor")
    assert f"chmod 600 {path}" in examined.out
    assert examined.code == 1


def test_a_key_that_telegram_has_forgotten(station: Station) -> None:
    station.log_in(station.town.mira)
    (device,) = station.server.devices.of(station.town.mira)
    station.server.devices.forget(device)
    refused(station("chats", "discover", "-vv"), 1, "telegram.session_revoked")


def test_an_account_that_is_not_logged_in(station: Station) -> None:
    refused(station("chats", "discover"), 1, "telegram.not_logged_in", "main.session")
    refused(station("logout"), 1, "telegram.not_logged_in", "tg-pipeline login main")


def test_a_session_that_others_may_read_is_refused(station: Station) -> None:
    path = station.log_in(station.town.mira)
    path.chmod(0o640)
    refused(station("chats", "discover"), 1, "telegram.session_unreadable", f"chmod 600 {path}")
    path.chmod(0o600)
    path.write_text("a secret of another kind")
    outcome = station("chats", "discover", "-vv")
    refused(outcome, 1, "telegram.session_unreadable", "it is not the text of a session")
    assert "another kind" not in outcome.err
    path.unlink()
    path.symlink_to("elsewhere")
    refused(station("chats", "discover"), 1, "telegram.session_unreadable")


def test_telegram_cannot_be_reached(station: Station) -> None:
    station.log_in(station.town.mira)
    station.server.stop()
    outcome = station.process("login")
    refused(outcome, 75, "telegram.unreachable", "Connection to Telegram failed")
    assert "never retrieved" not in outcome.err


def test_a_server_whose_key_nobody_knows_is_not_believed(station: Station) -> None:
    with station.with_settings(telegram_server_key="").terminal("login") as at:
        at.expect("error: Telegram cannot be reached: auth_key generation failed 3 time(s)")
        at.expect("code: telegram.unreachable")
        assert at.end() == 75
    assert "Traceback" not in at.seen
    assert "never retrieved" not in at.seen


def test_a_busy_account_names_its_holder(station: Station) -> None:
    station.log_in(station.town.mira)
    station.server.faults.delay("messages.getDialogs", 15)
    holder = station.start("chats", "discover")
    deadline = time.monotonic() + 30
    while not station.server.requests.count("messages.getDialogs"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    refused(
        station("chats", "discover"), 75, "telegram.account_busy",
        f"account main is in use by tg-pipeline chats discover, process {holder.pid} on ",
    )  # fmt: skip
    holder.send_signal(signal.SIGKILL)
    ended(holder)
    station.server.faults.clear()
    assert station("chats", "discover").code == 0


# ---- logging out ----------------------------------------------------------------------------


def test_logging_out_ends_the_session_and_removes_it(station: Station) -> None:
    path = station.log_in(station.town.mira)
    assert station("login").code == 0
    outcome = station("logout")
    assert outcome.code == 0, outcome.err
    assert "Account main is logged out." in outcome.out
    assert not path.exists()
    assert list(station.server.devices.of(station.town.mira)) == []
    assert accounts(station) == [("main", 700_000_001, "Mira Lanternkeeper", "logged_out")]


def test_logging_out_of_a_session_that_has_ended_removes_it(station: Station) -> None:
    path = station.log_in(station.town.mira)
    station.server.revoke(station.town.mira)
    assert station("logout").code == 0
    assert not path.exists()


def test_logging_out_without_telegram_keeps_the_session(station: Station) -> None:
    path = station.log_in(station.town.mira)
    station.server.faults.error("auth.logOut", 500, "INTERNAL", always())
    refused(station("logout", "-vv"), 75, "telegram.unreachable")
    assert path.exists()


def test_logging_out_of_a_setting_says_that_it_stands_there_still(station: Station) -> None:
    given = station.with_settings(telegram_session=station.server.session(station.town.mira))
    outcome = given("logout")
    assert outcome.code == 0, outcome.err
    assert "warning: the setting telegram_session still holds" in outcome.err


# ---- the keyring ----------------------------------------------------------------------------


class Folder(KeyringBackend):
    """A keyring in a file."""

    priority = 1.0

    def __init__(self, file: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.file = file

    @property
    def kept(self) -> dict[str, str]:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.file.write_text(json.dumps({**self.kept, f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        kept = self.kept
        del kept[f"{service}/{username}"]
        self.file.write_text(json.dumps(kept))


@contextmanager
def keyring_of(backend: KeyringBackend) -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)


def test_the_keyring_keeps_sessions(station: Station) -> None:
    folder = Folder(station.folder / "kept.json")
    using = station.with_settings(telegram_session_store="keyring")
    with keyring_of(folder):
        with using.keyboard("login") as at:
            at.answer(PHONE, "+12025550100")
            at.answer(CODE, "12345")
            at.expect("Session: the system's keyring")
            assert at.end() == 0, at.seen
        assert [f"tg-pipeline/main of {station.folder / 'home'}"] == list(folder.kept)
        assert not station.sessions.exists()
        assert "already" in using("login").out
        assert using("logout").code == 0
        assert folder.kept == {}


def test_a_keyring_that_is_not_there(station: Station) -> None:
    using = station.with_settings(telegram_session_store="keyring")
    nowhere = keyring.backends.fail.Keyring()  # type: ignore[no-untyped-call]
    with keyring_of(nowhere):
        refused(using("login"), 1, "telegram.keyring_unavailable", "tg-pipeline[keyring]")


def test_git_takes_no_session(station: Station) -> None:
    subprocess.run(["git", "init", "-q", str(station.folder)], check=True)
    with station.terminal("login") as at:
        at.answer(PHONE, "+12025550100")
        at.answer(CODE, "12345")
        assert at.end() == 0, at.seen
    command = ["git", "-C", str(station.folder), "status", "--porcelain", "--untracked-files=all"]
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert ".session" not in seen


def test_a_flood_while_connecting_says_until_when(station: Station) -> None:
    station.log_in(station.town.mira)
    station.server.faults.flood("updates.getState", 4_000, always())
    refused(station("login"), 75, "telegram.flood_wait", "account main")
