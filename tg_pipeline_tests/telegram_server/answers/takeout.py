"""Takeout sessions: telling Telegram that an export begins and ends."""

import secrets

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.errors import bad, forbidden, too_fast
from tg_pipeline_tests.telegram_server.tl import TL


@answers(functions.account.InitTakeoutSessionRequest)
def begin(ask: Ask, _request: TL) -> TL:
    """A takeout session, or how long to wait until one is granted."""
    _ = ask.account
    delay = ask.state.faults.takeout_delay
    if delay is not None:
        raise too_fast(f"TAKEOUT_INIT_DELAY_{delay}")
    takeout = secrets.randbits(62)
    ask.device.takeouts.add(takeout)
    return types.account.Takeout(takeout)


@answers(functions.account.FinishTakeoutSessionRequest)
def finish(ask: Ask, _request: TL) -> bool:
    """The end of the session in which this is asked."""
    _ = ask.account
    if ask.takeout_id is None:
        raise forbidden("TAKEOUT_REQUIRED")
    ask.device.takeouts.discard(ask.takeout_id)
    return True


def check(ask: Ask) -> None:
    """TAKEOUT_INVALID for requests in a session that is not open."""
    if ask.takeout_id is not None and ask.takeout_id not in ask.device.takeouts:
        raise bad("TAKEOUT_INVALID")
