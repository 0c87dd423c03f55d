"""Configuration, and the state of updates: this server never has news for a client."""

from datetime import UTC, datetime, timedelta

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.state import DC
from tg_pipeline_tests.telegram_server.tl import TL


@answers(functions.help.GetConfigRequest)
def config(ask: Ask, _request: TL) -> TL:
    """Every data centre is this server."""
    now = datetime.now(UTC)
    return types.Config(
        date=now,
        expires=now + timedelta(hours=1),
        test_mode=False,
        this_dc=DC,
        dc_options=[types.DcOption(dc, "127.0.0.1", ask.state.port) for dc in range(1, 6)],
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2**31 - 1,
        revoke_pm_time_limit=2**31 - 1,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1_024,
        message_length_max=4_096,
        webfile_dc_id=4,
    )


@answers(functions.help.GetNearestDcRequest)
def nearest_dc(_ask: Ask, _request: TL) -> TL:
    """This one."""
    return types.NearestDc("DE", DC, DC)


@answers(functions.help.GetAppConfigRequest)
def app_config(_ask: Ask, request: TL) -> TL:
    """Nothing special."""
    return types.help.AppConfig(1, types.JsonObject([]))


@answers(functions.updates.GetStateRequest)
def state(ask: Ask, _request: TL) -> TL:
    """The same for ever."""
    _ = ask.account
    return types.updates.State(pts=1, qts=0, date=datetime.now(UTC), seq=1, unread_count=0)


@answers(functions.updates.GetDifferenceRequest)
def difference(ask: Ask, _request: TL) -> TL:
    """No difference."""
    _ = ask.account
    return types.updates.DifferenceEmpty(datetime.now(UTC), 1)


@answers(functions.updates.GetChannelDifferenceRequest)
def channel_difference(ask: Ask, request: TL) -> TL:
    """No difference; ask again in an hour."""
    channel = ask.channel(request.channel)
    ask.may_read(channel)
    return types.updates.ChannelDifferenceEmpty(channel.pts, final=True, timeout=3_600)
