"""Service actions: what Telegram Desktop calls by a name, as TL's own types."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from tg_pipeline.generator.model import ChatPlan, Deed, TrueMessage
from tg_pipeline_tests.telegram_server.filling.media import file_number, photo
from tg_pipeline_tests.telegram_server.tl import TL

_CALL = types.InputGroupCall(7, 7)

Fields = dict[str, Any]


def action(message: TrueMessage, deed: Deed, plan: ChatPlan) -> TL:
    """The action of a service message."""
    fields: Fields = dict(deed.fields)
    if deed.type in ("edit_group_photo", "suggest_profile_photo"):
        made = photo(file_number(message), message.date, fields["width"], fields["height"], 9_000)
        kind = types.MessageActionChatEditPhoto
        return (
            kind if deed.type == "edit_group_photo" else types.MessageActionSuggestProfilePhoto
        )(made)
    if deed.type == "migrate_to_supergroup":
        return types.MessageActionChatMigrateTo(plan.peer_id)
    if deed.type == "migrate_from_group":
        return types.MessageActionChannelMigrateFrom(deed.title, old_group_id(plan))
    return _MAKERS[deed.type](deed.title, fields)


def old_group_id(plan: ChatPlan) -> int:
    """The id of the basic group that a supergroup was."""
    return plan.peer_id % 10**9


def answered(deed: Deed) -> int | None:
    """The message that an action is about: Telegram sends it as a reply."""
    fields: Fields = dict(deed.fields)
    return fields.get("message_id", fields.get("game_message_id"))


def _ids(fields: Fields) -> list[int]:
    return [one.id for one in fields["members"]]


def _phone_call(_title: str | None, fields: Fields) -> TL:
    missed = fields["discard_reason"] == "missed"
    reason = types.PhoneCallDiscardReasonMissed if missed else types.PhoneCallDiscardReasonHangup
    return types.MessageActionPhoneCall(1, reason=reason(), duration=fields.get("duration_seconds"))


def _scheduled(_title: str | None, fields: Fields) -> TL:
    at = datetime.fromtimestamp(fields["schedule_date"], UTC)
    return types.MessageActionGroupCallScheduled(_CALL, at)


_MAKERS: dict[str, Callable[[str | None, Fields], TL]] = {
    "create_group": lambda title, f: types.MessageActionChatCreate(title, _ids(f)),
    "create_channel": lambda title, _: types.MessageActionChannelCreate(title),
    "edit_group_title": lambda title, _: types.MessageActionChatEditTitle(title),
    "delete_group_photo": lambda *_: types.MessageActionChatDeletePhoto(),
    "pin_message": lambda *_: types.MessageActionPinMessage(),
    "clear_history": lambda *_: types.MessageActionHistoryClear(),
    "take_screenshot": lambda *_: types.MessageActionScreenshotTaken(),
    "invite_members": lambda _, f: types.MessageActionChatAddUser(_ids(f)),
    "remove_members": lambda _, f: types.MessageActionChatDeleteUser(_ids(f)[0]),
    "join_group_by_link": lambda _, f: types.MessageActionChatJoinedByLink(f["inviter"].id),
    "join_group_by_request": lambda *_: types.MessageActionChatJoinedByRequest(),
    "group_call": lambda _, f: types.MessageActionGroupCall(_CALL, f["duration"]),
    "group_call_scheduled": _scheduled,
    "invite_to_group_call": lambda _, f: types.MessageActionInviteToGroupCall(_CALL, _ids(f)),
    "score_in_game": lambda _, f: types.MessageActionGameScore(1, f["score"]),
    "topic_created": lambda title, _: types.MessageActionTopicCreate(title, 0x6FB9F0),
    "boost_apply": lambda _, f: types.MessageActionBoostApply(f["boosts"]),
    "set_messages_ttl": lambda _, f: types.MessageActionSetMessagesTTL(f["period"]),
    "edit_chat_theme": lambda _, f: types.MessageActionSetChatTheme(types.ChatTheme(f["emoticon"])),
    "phone_call": _phone_call,
}
