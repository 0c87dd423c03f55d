"""What Telegram Desktop writes for a TL message, as far as an import takes notice of it.

A second way from a TL message to a record: through Desktop's rules and our import of its files.
"""

from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tg_pipeline_tests.sources.making import Json
from tg_pipeline_tests.sources.tl import TL

SHIFT = 1_000_000_000
_UNAVAILABLE = "(File unavailable, please try again later)"
_PARTS = {
    types.MessageEntityMention: "mention",
    types.MessageEntityHashtag: "hashtag",
    types.MessageEntityBotCommand: "bot_command",
    types.MessageEntityUrl: "link",
    types.MessageEntityEmail: "email",
    types.MessageEntityBold: "bold",
    types.MessageEntityItalic: "italic",
    types.MessageEntityCode: "code",
    types.MessageEntityPre: "pre",
    types.MessageEntityTextUrl: "text_link",
    types.MessageEntityMentionName: "mention_name",
    types.MessageEntityPhone: "phone",
    types.MessageEntityCashtag: "cashtag",
    types.MessageEntityUnderline: "underline",
    types.MessageEntityStrike: "strikethrough",
    types.MessageEntityBlockquote: "blockquote",
    types.MessageEntityBankCard: "bank_card",
    types.MessageEntitySpoiler: "spoiler",
    types.MessageEntityCustomEmoji: "custom_emoji",
}


def exported(message: TL, *, before_migration: bool = False) -> Json:
    """The object of one message."""
    shift = SHIFT if before_migration else 0
    made: Json = {"id": message.id - shift, "type": "message"}
    if isinstance(message.media, types.MessageMediaUnsupported):
        return made | {"type": "unsupported"}
    made |= {"date": f"{message.date:%Y-%m-%dT%H:%M:%S}", "date_unixtime": _stamp(message.date)}
    sender = peer(message.from_id or message.peer_id)
    action = _action(message.action) if isinstance(message, types.MessageService) else {}
    if action:
        made |= {"type": "service", "actor_id": sender} | action
        made |= _reply(message, shift, _TARGETS.get(made.get("action", ""), ""))
        return made | {"text": "", "text_entities": []}
    if message.edit_date:
        made |= {"edited": "2024-01-01T00:00:00", "edited_unixtime": _stamp(message.edit_date)}
    made |= {"from_id": sender} | _reply(message, shift, "reply_to_message_id")
    if message.post_author:
        made["author"] = message.post_author
    return made | _forwarded(message.fwd_from) | _media(message.media) | _shown(message)


def _reply(message: TL, shift: int, key: str) -> Json:
    target = getattr(message.reply_to, "reply_to_msg_id", None)
    other = getattr(message.reply_to, "reply_to_peer_id", None)
    if not target or not key:
        return {}
    if other:
        return {key: target, "reply_to_peer_id": peer(other)}
    return {key: target - shift}


def _shown(message: TL) -> Json:
    parts = split(message.message or "", message.entities or [])
    made: Json = {"text": parts, "text_entities": parts}
    if message.reactions and message.reactions.results:
        made["reactions"] = [_reaction(one) for one in message.reactions.results]
    return made


def peer(tl_peer: TL) -> str:
    if isinstance(tl_peer, types.PeerUser):
        return f"user{tl_peer.user_id}"
    if isinstance(tl_peer, types.PeerChat):
        return f"chat{tl_peer.chat_id}"
    return f"channel{tl_peer.channel_id}"


def split(text: str, entities: list[TL]) -> list[Json]:
    """Text cut where formatting begins and ends; all counts are of UTF-16 units."""
    units = text.encode("utf-16-le", "surrogatepass")
    size = len(text.encode("utf-8", "surrogatepass"))
    parts: list[Json] = []
    done = 0

    def piece(start: int, end: int, kind: str, **more: Any) -> None:
        inside = units[start * 2 : end * 2].decode("utf-16-le", "replace")
        parts.append({"type": kind, "text": inside, **more})

    for entity in entities:
        start, end = entity.offset, entity.offset + entity.length
        if start < done or entity.length <= 0 or end > size:
            continue
        if start > done:
            piece(done, start, "plain")
        piece(start, end, _PARTS.get(type(entity), "unknown"), **_additional(entity))
        done = end
    if size > done:
        piece(done, size, "plain")
    return parts


def _additional(entity: TL) -> Json:
    if isinstance(entity, types.MessageEntityTextUrl):
        return {"href": entity.url}
    if isinstance(entity, types.MessageEntityMentionName):
        return {"user_id": entity.user_id}
    if isinstance(entity, types.MessageEntityPre):
        return {"language": entity.language}
    if isinstance(entity, types.MessageEntityCustomEmoji):
        return {"document_id": "stickers/sticker.webm"}
    if isinstance(entity, types.MessageEntityBlockquote):
        return {"collapsed": bool(entity.collapsed)}
    return {}


def _stamp(moment: Any) -> str:
    return str(int(moment.timestamp()))


def _forwarded(header: TL) -> Json:
    made: Json = {}
    if header is None:
        return made
    if header.from_id:
        made |= {"forwarded_from": "Somebody", "forwarded_from_id": peer(header.from_id)}
    elif header.from_name:
        made["forwarded_from"] = header.from_name
    if header.saved_from_peer:
        made["saved_from"] = "Somebody"
    return made


def _reaction(counted: TL) -> Json:
    reaction = counted.reaction
    if isinstance(reaction, types.ReactionEmoji):
        return {"type": "emoji", "count": counted.count, "emoji": reaction.emoticon}
    if isinstance(reaction, types.ReactionCustomEmoji):
        return {"type": "custom_emoji", "count": counted.count, "document_id": "s.webm"}
    return {
        "type": "paid" if isinstance(reaction, types.ReactionPaid) else "empty",
        "count": counted.count,
    }


# ---- media ----------------------------------------------------------------------------------


def _media(media: TL) -> Json:
    writer = _WRITERS.get(type(media))
    return {} if writer is None else writer(media)


def _document(media: TL) -> Json:
    made: Json = {"file": _UNAVAILABLE}
    if not isinstance(media.document, types.Document):
        return made
    is_: set[str] = set()
    for one in media.document.attributes:
        if isinstance(one, types.DocumentAttributeVideo):
            is_.add("video_message" if one.round_message else "video_file")
        elif isinstance(one, types.DocumentAttributeAudio):
            is_.add("voice_message" if one.voice else "audio_file")
        elif isinstance(one, types.DocumentAttributeAnimated):
            is_.add("animation")
        elif isinstance(one, types.DocumentAttributeSticker | types.DocumentAttributeCustomEmoji):
            is_.add("sticker")
    for kind in (
        "sticker",
        "video_message",
        "voice_message",
        "animation",
        "video_file",
        "audio_file",
    ):
        if kind in is_:
            return made | {"media_type": kind}
    return made


def _point(geo: TL) -> Json | None:
    if isinstance(geo, types.GeoPointEmpty):
        return None
    return {"latitude": geo.lat, "longitude": geo.long}


def _venue(media: TL) -> Json:
    made: Json = {"place_name": media.title} if media.title else {}
    if point := _point(media.geo):
        made["location_information"] = point
    return made


def _text(value: TL) -> list[Json]:
    return split(value.text, value.entities)


def _poll(media: TL) -> Json:
    votes = {one.option: one for one in media.results.results or ()}

    def answer(one: TL) -> Json:
        voters = votes.get(one.option)
        return {
            "text": _text(one.text),
            "voters": (voters and voters.voters) or 0,
            "chosen": bool(voters and voters.chosen),
        }

    return {
        "poll": {
            "question": _text(media.poll.question),
            "closed": bool(media.poll.closed),
            "total_voters": media.results.total_voters or 0,
            "answers": [answer(one) for one in media.poll.answers],
        }
    }


_WRITERS: dict[type[Any], Callable[[TL], Json]] = {
    types.MessageMediaPhoto: lambda _: {"photo": _UNAVAILABLE},
    types.MessageMediaDocument: _document,
    types.MessageMediaContact: lambda media: {
        "contact_information": {"first_name": media.first_name}
    },
    types.MessageMediaGeo: lambda media: {"location_information": _point(media.geo)},
    types.MessageMediaGeoLive: lambda media: {
        "location_information": _point(media.geo),
        "live_location_period_seconds": media.period,
    },
    types.MessageMediaVenue: _venue,
    types.MessageMediaGame: lambda media: {"game_title": media.game.title},
    types.MessageMediaInvoice: lambda media: {"invoice_information": {"title": media.title}},
    types.MessageMediaPoll: _poll,
    types.MessageMediaToDo: lambda _: {"todo_list": {}},
    types.MessageMediaGiveaway: lambda _: {"giveaway_information": {}},
    types.MessageMediaGiveawayResults: lambda _: {"giveaway_results": {}},
    types.MessageMediaPaidMedia: lambda media: {"paid_stars_amount": media.stars_amount},
}
"""Web pages, dice, stories and live stories leave nothing."""


# ---- actions --------------------------------------------------------------------------------

_TARGETS = {
    "pin_message": "message_id",
    "score_in_game": "game_message_id",
    "send_payment": "invoice_message_id",
    "set_chat_wallpaper": "message_id",
    "set_same_chat_wallpaper": "message_id",
}
_TITLED = {"create_group", "edit_group_title", "create_channel", "migrate_from_group"} | {
    "topic_created"
}
_ACTIONS = {
    "BoostApply": "boost_apply",
    "ChangeCreator": "change_creator",
    "ChannelCreate": "create_channel",
    "ChannelMigrateFrom": "migrate_from_group",
    "ChatAddUser": "invite_members",
    "ChatCreate": "create_group",
    "ChatDeletePhoto": "delete_group_photo",
    "ChatDeleteUser": "remove_members",
    "ChatEditPhoto": "edit_group_photo",
    "ChatEditTitle": "edit_group_title",
    "ChatJoinedByLink": "join_group_by_link",
    "ChatJoinedByRequest": "join_group_by_request",
    "ChatJoinedViaCommunity": "join_group_via_community",
    "ChatMigrateTo": "migrate_to_supergroup",
    "ConferenceCall": "conference_call",
    "ContactSignUp": "joined_telegram",
    "GameScore": "score_in_game",
    "GeoProximityReached": "proximity_reached",
    "GiftCode": "gift_code_prize",
    "GiftPremium": "send_premium_gift",
    "GiftStars": "send_stars_gift",
    "GiftTon": "send_ton_gift",
    "GiveawayLaunch": "giveaway_launch",
    "GiveawayResults": "giveaway_results",
    "GroupCall": "group_call",
    "GroupCallScheduled": "group_call_scheduled",
    "HistoryClear": "clear_history",
    "InviteToGroupCall": "invite_to_group_call",
    "ManagedBotCreated": "managed_bot_created",
    "NewCreatorPending": "new_creator_pending",
    "NoForwardsRequest": "no_forwards_request",
    "NoForwardsToggle": "no_forwards_toggle",
    "PaidMessagesPrice": "paid_messages_price_change",
    "PaidMessagesRefunded": "paid_messages_refund",
    "PaymentRefunded": "refunded_payment",
    "PaymentSent": "send_payment",
    "PhoneCall": "phone_call",
    "PinMessage": "pin_message",
    "PollAppendAnswer": "poll_append_answer",
    "PollDeleteAnswer": "poll_delete_answer",
    "PrizeStars": "stars_prize",
    "RequestedPeer": "requested_peer",
    "ScreenshotTaken": "take_screenshot",
    "SecureValuesSent": "send_passport_values",
    "SetChatTheme": "edit_chat_theme",
    "SetMessagesTTL": "set_messages_ttl",
    "StarGift": "send_star_gift",
    "StarGiftPurchaseOffer": "send_star_gift",
    "StarGiftPurchaseOfferDeclined": "send_star_gift",
    "StarGiftUnique": "send_star_gift",
    "SuggestBirthday": "suggest_birthday",
    "SuggestProfilePhoto": "suggest_profile_photo",
    "SuggestedPostApproval": "process_suggested_post",
    "SuggestedPostRefund": "suggested_post_refund",
    "SuggestedPostSuccess": "suggested_post_success",
    "TodoAppendTasks": "todo_append_tasks",
    "TodoCompletions": "todo_completions",
    "TopicCreate": "topic_created",
    "TopicEdit": "topic_edit",
    "WebViewDataSent": "send_webview_data",
}
UNWRITTEN = {"ChangeCommunity"}
"""Actions that no Desktop known to us writes."""
OF_BOTS = {"PaymentSentMe", "RequestedPeerSentMe", "SecureValuesSentMe", "WebViewDataSentMe"}
"""Actions that only bots see: Desktop never exports for one."""


def _action(action: TL) -> Json:
    name = type(action).__name__.removeprefix("MessageAction")
    if name == "CustomAction":
        return {"information_text": action.message}
    if name == "SetChatWallPaper":
        return {"action": "set_same_chat_wallpaper" if action.same else "set_chat_wallpaper"}
    if name == "BotAllowed":
        if action.attach_menu:
            return {"action": "attach_menu_bot_allowed"}
        allowed = "web_app_bot_allowed" if action.from_request else "allow_sending_messages"
        return {"action": allowed}
    if name == "Empty":
        return {}
    made = {"action": _ACTIONS[name]}
    if made["action"] in _TITLED and action.title:
        made["title"] = action.title
    return made
