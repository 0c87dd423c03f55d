"""Service actions under Telegram Desktop's names.

Desktop writes `title` for few of them, and only that title is content: elsewhere it is a field like
any other.
"""

import re
from typing import Any

from tg_pipeline.contracts import Action
from tg_pipeline.sources.telegram.convert.raw import plain_fields

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
NAMES = {
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
    "CustomAction": "custom_action",
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
    "PaymentSentMe": "send_payment",
    "PhoneCall": "phone_call",
    "PinMessage": "pin_message",
    "PollAppendAnswer": "poll_append_answer",
    "PollDeleteAnswer": "poll_delete_answer",
    "PrizeStars": "stars_prize",
    "RequestedPeer": "requested_peer",
    "RequestedPeerSentMe": "requested_peer",
    "ScreenshotTaken": "take_screenshot",
    "SecureValuesSent": "send_passport_values",
    "SecureValuesSentMe": "send_passport_values",
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
    "WebViewDataSentMe": "send_webview_data",
}
_TITLED = frozenset(
    {
        "ChannelCreate",
        "ChannelMigrateFrom",
        "ChatCreate",
        "ChatEditTitle",
        "TopicCreate",
    }
)
_TARGETS = {
    "PinMessage": "message_id",
    "SetChatWallPaper": "message_id",
    "GameScore": "game_message_id",
    "PaymentSent": "invoice_message_id",
}
"""Actions on another message, which is no reply to it; and Desktop's name for that one's id."""


def acts_on_another(action: Any) -> bool:
    """Whether what Telegram calls a reply is the message that the action is about."""
    return _own_name(action) in _TARGETS


def action_of(action: Any, target: int | None) -> Action | None:
    """What a service message announces; `target` is the message that it may be about."""
    name = _own_name(action)
    if name == "Empty":
        return None
    fields = plain_fields(action)
    title = fields.pop("title", None) if name in _TITLED else None
    if target is not None and name in _TARGETS:
        fields[_TARGETS[name]] = target
    return Action(type=_desktops_name(name, action), title=title or None, fields=fields)


def _own_name(action: Any) -> str:
    return type(action).__name__.removeprefix("MessageAction")


def _desktops_name(name: str, action: Any) -> str:
    """Of an action that Desktop does not write: its constructor's name."""
    if name == "SetChatWallPaper":
        return "set_same_chat_wallpaper" if action.same else "set_chat_wallpaper"
    if name == "BotAllowed":
        if action.attach_menu:
            return "attach_menu_bot_allowed"
        return "web_app_bot_allowed" if action.from_request else "allow_sending_messages"
    return NAMES.get(name) or _WORD.sub("_", name).lower()
