"""What Telegram answers becomes errors of ours, and sessions stay their owner's."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import errors
from telethon.errors import rpc_message_to_error
from telethon.tl import functions, types

from tg_pipeline.errors import (
    AccountBanned,
    ApiInvalid,
    ChatInaccessible,
    FloodWait,
    InviteUnusable,
    KeyDuplicated,
    NotLoggedIn,
    SessionRevoked,
    SessionUnreadable,
    SettingInvalid,
    TelegramRefused,
    TelegramUnreachable,
    TgPipelineError,
    UsageError,
    UsernameUnknown,
)
from tg_pipeline.settings import Settings
from tg_pipeline.sources.telegram.client import at_once, connected, method_of, translated
from tg_pipeline.sources.telegram.running import run
from tg_pipeline.sources.telegram.sessions import Sessions, account_name

REQUEST = functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 1, 0, 0, 0)
SESSION = "1" + "A" * 4 + "_" * 344 + "=" * 4


def answered(code: int, name: str) -> Exception:
    error: Exception = rpc_message_to_error(types.RpcError(code, name), REQUEST)
    return error


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        (401, "AUTH_KEY_UNREGISTERED", SessionRevoked),
        (401, "SESSION_REVOKED", SessionRevoked),
        (401, "SESSION_EXPIRED", SessionRevoked),
        (406, "AUTH_KEY_DUPLICATED", KeyDuplicated),
        (401, "USER_DEACTIVATED", AccountBanned),
        (401, "USER_DEACTIVATED_BAN", AccountBanned),
        (400, "PHONE_NUMBER_BANNED", AccountBanned),
        (420, "FROZEN_METHOD_INVALID", AccountBanned),
        (400, "API_ID_INVALID", ApiInvalid),
        (400, "CHANNEL_PRIVATE", ChatInaccessible),
        (400, "CHANNEL_INVALID", ChatInaccessible),
        (403, "CHAT_FORBIDDEN", ChatInaccessible),
        (400, "USER_BANNED_IN_CHANNEL", ChatInaccessible),
        (400, "USER_NOT_PARTICIPANT", ChatInaccessible),
        (400, "USERNAME_NOT_OCCUPIED", UsernameUnknown),
        (400, "USERNAME_INVALID", UsernameUnknown),
        (400, "INVITE_HASH_EXPIRED", InviteUnusable),
        (400, "INVITE_HASH_INVALID", InviteUnusable),
        (500, "RPC_CALL_FAIL", TelegramUnreachable),
        (500, "INTERDC_2_CALL_ERROR", TelegramUnreachable),
        (-503, "Timeout", TelegramUnreachable),
        (-500, "No workers running", TelegramUnreachable),
        (400, "MSG_ID_INVALID", TelegramRefused),
        (400, "SOMETHING_NEW", TelegramRefused),
    ],
)
def test_answers(code: int, name: str, kind: type[TgPipelineError]) -> None:
    with pytest.raises(kind) as caught, translated("main", "messages.getHistory", chat="@harbour"):
        raise answered(code, name)
    told = str(caught.value)
    if kind in {ChatInaccessible, InviteUnusable, UsernameUnknown}:
        assert "harbour" in told
    elif kind not in {TelegramUnreachable, TelegramRefused, ApiInvalid}:
        assert "main" in told
    if kind is TelegramRefused:
        assert name in told
        assert "https://core.telegram.org/method/messages.getHistory" in told


@pytest.mark.parametrize("name", ["FLOOD_WAIT_7", "FLOOD_PREMIUM_WAIT_7", "TAKEOUT_INIT_DELAY_7"])
def test_waits_are_left_to_whoever_can_wait(name: str) -> None:
    with pytest.raises(errors.FloodError), translated("main", "x"):
        raise answered(420, name)
    with pytest.raises(FloodWait), at_once("main", "x"), translated("main", "x"):
        raise answered(420, name)


@pytest.mark.parametrize(
    "error",
    [ConnectionError("gone"), TimeoutError(), EOFError("0 bytes read"), OSError(113, "No route")],
)
def test_a_broken_line(error: Exception) -> None:
    with pytest.raises(TelegramUnreachable), translated("main", "x"):
        raise error


def test_methods_are_called_as_telegram_calls_them() -> None:
    assert method_of(REQUEST) == "messages.getHistory"
    assert method_of(functions.help.GetConfigRequest()) == "help.getConfig"
    assert method_of(functions.PingRequest(1)) == "ping"


# ---- sessions -------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_a_path_never_leaves_its_folder(name: str) -> None:
    home = Path("/nowhere/home")
    try:
        account_name(name)
    except UsageError:
        with pytest.raises(UsageError):
            Sessions(Settings(home=home)).load(name)
    else:
        place = Path(Sessions(Settings(home=home)).place(name))
        assert place.parent == home / "sessions"
        assert place.name == f"{name}.session"


def test_a_session_is_never_open_to_others(tmp_path: Path) -> None:
    sessions = Sessions(Settings(home=tmp_path))
    folder = tmp_path / "sessions"
    folder.mkdir()
    folder.chmod(0o755)
    left = folder / ".main.session.1.tmp"
    left.touch()
    before = os.umask(0)
    try:
        path = Path(sessions.keep("main", SESSION))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(one.name for one in folder.iterdir()) == [".gitignore", "main.session"]
    assert sessions.has("main")
    with pytest.raises(NotLoggedIn):
        sessions.load("second")
    sessions.remove("main")
    sessions.remove("main")
    assert not sessions.has("main")


@pytest.mark.parametrize("text", ["", "x", "1", "1abc", "2" + SESSION[1:], "1" + "A" * 352, "1é"])
def test_what_is_no_session(tmp_path: Path, text: str) -> None:
    sessions = Sessions(Settings(home=tmp_path))
    path = Path(sessions.keep("main", SESSION))
    path.write_text(text)
    with pytest.raises(SessionUnreadable) as caught:
        sessions.load("main")
    assert "AAAA" not in str(caught.value)


def test_a_key_that_is_none(tmp_path: Path) -> None:
    async def connect(path: Path) -> None:
        settings = Settings(
            home=tmp_path,
            telegram_api_id=1,
            telegram_api_hash="0" * 32,
            telegram_server="127.0.0.1:1",
            telegram_server_key=path,
        )
        async with connected(settings, "main", None):
            pass

    (tmp_path / "key").write_text("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n")
    for name in ("key", "nowhere"):
        with pytest.raises(SettingInvalid, match="telegram_server_key"):
            run(connect(tmp_path / name))
