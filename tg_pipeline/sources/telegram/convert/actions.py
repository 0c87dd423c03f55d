"""Service actions under Telegram Desktop's names.

Desktop writes `title` for few of them, and only that title is content: elsewhere it is a field like
any other.
"""

import re
from typing import Any

from telethon.tl import types

from tg_pipeline.contracts import Action
from tg_pipeline.sources.telegram.convert.raw import plain_fields

_PREFIX = "MessageAction"
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
NAMES: dict[type[Any], str] = {
    types.MessageActionBoostApply: "boost_apply",
    types.MessageActionChangeCreator: "change_creator",
    types.MessageActionChannelCreate: "create_channel",
    types.MessageActionChannelMigrateFrom: "migrate_from_group",
    types.MessageActionChatAddUser: "invite_members",
    types.MessageActionChatCreate: "create_group",
    types.MessageActionChatDeletePhoto: "delete_group_photo",
    types.MessageActionChatDeleteUser: "remove_members",
    types.MessageActionChatEditPhoto: "edit_group_photo",
    types.MessageActionChatEditTitle: "edit_group_title",
    types.MessageActionChatJoinedByLink: "join_group_by_link",
    types.MessageActionChatJoinedByRequest: "join_group_by_request",
    types.MessageActionChatJoinedViaCommunity: "join_group_via_community",
    types.MessageActionChatMigrateTo: "migrate_to_supergroup",
    types.MessageActionConferenceCall: "conference_call",
    types.MessageActionContactSignUp: "joined_telegram",
    types.MessageActionCustomAction: "custom_action",
    types.MessageActionGameScore: "score_in_game",
    types.MessageActionGeoProximityReached: "proximity_reached",
    types.MessageActionGiftCode: "gift_code_prize",
    types.MessageActionGiftPremium: "send_premium_gift",
    types.MessageActionGiftStars: "send_stars_gift",
    types.MessageActionGiftTon: "send_ton_gift",
    types.MessageActionGiveawayLaunch: "giveaway_launch",
    types.MessageActionGiveawayResults: "giveaway_results",
    types.MessageActionGroupCall: "group_call",
    types.MessageActionGroupCallScheduled: "group_call_scheduled",
    types.MessageActionHistoryClear: "clear_history",
    types.MessageActionInviteToGroupCall: "invite_to_group_call",
    types.MessageActionManagedBotCreated: "managed_bot_created",
    types.MessageActionNewCreatorPending: "new_creator_pending",
    types.MessageActionNoForwardsRequest: "no_forwards_request",
    types.MessageActionNoForwardsToggle: "no_forwards_toggle",
    types.MessageActionPaidMessagesPrice: "paid_messages_price_change",
    types.MessageActionPaidMessagesRefunded: "paid_messages_refund",
    types.MessageActionPaymentRefunded: "refunded_payment",
    types.MessageActionPaymentSent: "send_payment",
    types.MessageActionPaymentSentMe: "send_payment",
    types.MessageActionPhoneCall: "phone_call",
    types.MessageActionPinMessage: "pin_message",
    types.MessageActionPollAppendAnswer: "poll_append_answer",
    types.MessageActionPollDeleteAnswer: "poll_delete_answer",
    types.MessageActionPrizeStars: "stars_prize",
    types.MessageActionRequestedPeer: "requested_peer",
    types.MessageActionRequestedPeerSentMe: "requested_peer",
    types.MessageActionScreenshotTaken: "take_screenshot",
    types.MessageActionSecureValuesSent: "send_passport_values",
    types.MessageActionSecureValuesSentMe: "send_passport_values",
    types.MessageActionSetChatTheme: "edit_chat_theme",
    types.MessageActionSetMessagesTTL: "set_messages_ttl",
    types.MessageActionStarGift: "send_star_gift",
    types.MessageActionStarGiftPurchaseOffer: "send_star_gift",
    types.MessageActionStarGiftPurchaseOfferDeclined: "send_star_gift",
    types.MessageActionStarGiftUnique: "send_star_gift",
    types.MessageActionSuggestBirthday: "suggest_birthday",
    types.MessageActionSuggestProfilePhoto: "suggest_profile_photo",
    types.MessageActionSuggestedPostApproval: "process_suggested_post",
    types.MessageActionSuggestedPostRefund: "suggested_post_refund",
    types.MessageActionSuggestedPostSuccess: "suggested_post_success",
    types.MessageActionTodoAppendTasks: "todo_append_tasks",
    types.MessageActionTodoCompletions: "todo_completions",
    types.MessageActionTopicCreate: "topic_created",
    types.MessageActionTopicEdit: "topic_edit",
    types.MessageActionWebViewDataSent: "send_webview_data",
    types.MessageActionWebViewDataSentMe: "send_webview_data",
}
_TITLED = frozenset(
    {
        types.MessageActionChannelCreate,
        types.MessageActionChannelMigrateFrom,
        types.MessageActionChatCreate,
        types.MessageActionChatEditTitle,
        types.MessageActionTopicCreate,
    }
)
TARGETS: dict[type[Any], str] = {
    types.MessageActionPinMessage: "message_id",
    types.MessageActionSetChatWallPaper: "message_id",
    types.MessageActionGameScore: "game_message_id",
    types.MessageActionPaymentSent: "invoice_message_id",
}
"""Actions on another message, which is no reply to it; and Desktop's name for that one's id."""


def action_of(action: Any, target: int | None) -> Action | None:
    """What a service message announces; `target` is the message that it acts on."""
    kind = type(action)
    if kind is types.MessageActionEmpty:
        return None
    fields = plain_fields(action)
    title = fields.pop("title", None) if kind in _TITLED else None
    if target is not None and kind in TARGETS:
        fields[TARGETS[kind]] = target
    return Action(type=_name(action), title=title or None, fields=fields)


def _name(action: Any) -> str:
    kind = type(action)
    if kind is types.MessageActionSetChatWallPaper:
        return "set_same_chat_wallpaper" if action.same else "set_chat_wallpaper"
    if kind is types.MessageActionBotAllowed:
        if action.attach_menu:
            return "attach_menu_bot_allowed"
        return "web_app_bot_allowed" if action.from_request else "allow_sending_messages"
    return NAMES.get(kind) or _own_name(kind)


def _own_name(kind: type[Any]) -> str:
    """Of an action that Desktop does not write: its constructor's name."""
    return _WORD.sub("_", kind.__name__.removeprefix(_PREFIX)).lower()
