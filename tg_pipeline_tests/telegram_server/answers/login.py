"""Logging in by code and password, and logging out."""

import secrets

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.errors import bad, unauthorized
from tg_pipeline_tests.telegram_server.password import no_password
from tg_pipeline_tests.telegram_server.state import API_HASH, API_ID
from tg_pipeline_tests.telegram_server.tl import TL
from tg_pipeline_tests.telegram_server.views import View


def check_app(request: TL) -> None:
    """API_ID_INVALID unless the application is the one that is registered."""
    if (request.api_id, request.api_hash) != (API_ID, API_HASH):
        raise bad("API_ID_INVALID")


def authorize(ask: Ask, account: Account) -> TL:
    """Log in, unless the second factor is missing still."""
    if account.banned:
        raise unauthorized("USER_DEACTIVATED_BAN")
    if account.password is not None:
        ask.device.awaiting_password = account
        raise unauthorized("SESSION_PASSWORD_NEEDED")
    return _welcome(ask, account)


@answers(functions.auth.SendCodeRequest)
def send_code(ask: Ask, request: TL) -> TL:
    """Pretend to send a code; every number gets one, also those without an account."""
    check_app(request)
    phone = request.phone_number
    if not phone.lstrip("+").isdigit():
        raise bad("PHONE_NUMBER_INVALID")
    account = ask.world.find_phone(phone)
    if account is not None and account.banned:
        raise bad("PHONE_NUMBER_BANNED")
    return _sent(ask, phone)


@answers(functions.auth.ResendCodeRequest)
def resend_code(ask: Ask, request: TL) -> TL:
    """The same again."""
    _check_hash(ask, request)
    return _sent(ask, request.phone_number)


@answers(functions.auth.SignInRequest)
def sign_in(ask: Ask, request: TL) -> TL:
    """Prove the code."""
    _check_hash(ask, request)
    account = ask.world.find_phone(request.phone_number)
    if account is None:
        return types.auth.AuthorizationSignUpRequired()
    if not request.phone_code:
        raise bad("PHONE_CODE_EMPTY")
    if account.code_expired:
        raise bad("PHONE_CODE_EXPIRED")
    if request.phone_code != account.code:
        raise bad("PHONE_CODE_INVALID")
    return authorize(ask, account)


@answers(functions.account.GetPasswordRequest)
def get_password(ask: Ask, _request: TL) -> TL:
    """A challenge for whoever is half or wholly logged in."""
    account = ask.device.awaiting_password or ask.account
    return account.password.challenge() if account.password else no_password()


@answers(functions.auth.CheckPasswordRequest)
def check_password(ask: Ask, request: TL) -> TL:
    """Prove the password."""
    account = ask.device.awaiting_password
    if account is None or account.password is None:
        raise unauthorized("AUTH_KEY_UNREGISTERED")
    account.password.check(request.password)
    return _welcome(ask, account)


@answers(functions.auth.LogOutRequest)
def log_out(ask: Ask, _request: TL) -> TL:
    """The key stays known, but nobody is logged in with it."""
    _ = ask.account
    ask.device.account = None
    return types.auth.LoggedOut()


def _welcome(ask: Ask, account: Account) -> TL:
    ask.device.log_in(account)
    return types.auth.Authorization(View(ask.world, account).user(account.person))


def _sent(ask: Ask, phone: str) -> TL:
    proof = ask.state.codes.setdefault(phone.lstrip("+"), secrets.token_hex(9))
    return types.auth.SentCode(types.auth.SentCodeTypeApp(5), proof, timeout=60)


def _check_hash(ask: Ask, request: TL) -> None:
    if not request.phone_code_hash:
        raise bad("PHONE_CODE_HASH_EMPTY")
    if ask.state.codes.get(request.phone_number.lstrip("+")) != request.phone_code_hash:
        raise bad("PHONE_CODE_EXPIRED")
