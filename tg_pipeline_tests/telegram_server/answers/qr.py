"""Logging in with a QR code: a token that another device of the account accepts."""

import secrets
from datetime import UTC, datetime, timedelta

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.login import authorize, check_app
from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.devices import Device
from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.tl import TL


@answers(functions.auth.ExportLoginTokenRequest)
def export_login_token(ask: Ask, request: TL) -> TL:
    """A token to show; once it is accepted, the login itself or where to go on."""
    check_app(request)
    device = ask.device
    if device.token_accepted_by is None:
        device.login_token = secrets.token_bytes(24)
        return _shown(ask, device.login_token)
    if device.token_moved_to is not None:
        return types.auth.LoginTokenMigrateTo(device.token_moved_to, device.login_token)
    return _logged_in(ask, device)


@answers(functions.auth.ImportLoginTokenRequest)
def import_login_token(ask: Ask, request: TL) -> TL:
    """Going on at another data centre, by the token alone."""
    device = ask.state.devices.showing(request.token)
    if device is None:
        raise bad("AUTH_TOKEN_INVALID")
    if device.token_accepted_by is None:
        return _shown(ask, request.token)
    return _logged_in(ask, device)


def _shown(ask: Ask, token: bytes) -> TL:
    life = timedelta(seconds=ask.state.qr_seconds)
    return types.auth.LoginToken(datetime.now(UTC) + life, token)


def _logged_in(ask: Ask, shower: Device) -> TL:
    """Log in where this is asked, which may be another device than the one that showed the code."""
    account, shower.token_accepted_by = shower.token_accepted_by, None
    if account is None:
        raise bad("AUTH_TOKEN_INVALID")
    return types.auth.LoginTokenSuccess(authorize(ask, account))
