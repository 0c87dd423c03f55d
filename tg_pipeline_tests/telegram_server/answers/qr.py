"""Logging in with a QR code: a token that another device of the account accepts."""

import secrets
from datetime import UTC, datetime, timedelta

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.login import authorize, check_app
from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.tl import TL

_LIFE = timedelta(seconds=30)


@answers(functions.auth.ExportLoginTokenRequest)
def export_login_token(ask: Ask, request: TL) -> TL:
    """A token to show; once it is accepted, the login itself."""
    check_app(request)
    device = ask.device
    if device.token_accepted_by is not None:
        account, device.token_accepted_by = device.token_accepted_by, None
        return types.auth.LoginTokenSuccess(authorize(ask, account))
    device.login_token = secrets.token_bytes(24)
    return types.auth.LoginToken(datetime.now(UTC) + _LIFE, device.login_token)


@answers(functions.auth.ImportLoginTokenRequest)
def import_login_token(ask: Ask, request: TL) -> TL:
    """The same by the token alone, as after a change of data centre."""
    device = ask.state.devices.showing(request.token)
    if device is None:
        raise bad("AUTH_TOKEN_INVALID")
    if device.token_accepted_by is None:
        return types.auth.LoginToken(datetime.now(UTC) + _LIFE, request.token)
    return types.auth.LoginTokenSuccess(authorize(ask, device.token_accepted_by))
