"""Service messages: what Telegram itself says in a chat."""

from collections.abc import Callable

from tg_pipeline.generator.cast import Cast
from tg_pipeline.generator.draws import Draw, wheel
from tg_pipeline.generator.model import ChatPlan, Deed
from tg_pipeline.generator.phrases import TITLES, TOPICS

_OLD = {
    "channel": wheel(pin_message=5, edit_group_photo=1, edit_group_title=1),
    "supergroup": wheel(
        pin_message=5, invite_members=8, join_group_by_link=8, remove_members=3, edit_group_title=2,
        edit_group_photo=2, group_call=2, delete_group_photo=1, score_in_game=1,
    ),
    "group": wheel(
        pin_message=4, invite_members=6, join_group_by_link=3, remove_members=2, edit_group_title=2,
        edit_group_photo=2, group_call=2,
    ),
    "private": wheel(phone_call=12, pin_message=2, take_screenshot=1, clear_history=1),
    "saved": wheel(pin_message=1),
}  # fmt: skip
_MODERN = {
    "channel": wheel(group_call=1, set_messages_ttl=1),
    "supergroup": wheel(
        topic_created=5, join_group_by_request=4, boost_apply=2, group_call_scheduled=1,
        invite_to_group_call=1, set_messages_ttl=1,
    ),
    "group": wheel(join_group_by_request=2, set_messages_ttl=1, edit_chat_theme=1),
    "private": wheel(edit_chat_theme=2, set_messages_ttl=1, suggest_profile_photo=1),
    "saved": (),
}  # fmt: skip
_PORTRAIT = (
    ("photo", "(File not included. Change data exporting settings to download.)"),
    ("width", 640),
    ("height", 640),
)


class Scene:
    """Where a service message stands."""

    __slots__ = ("cast", "draw", "earlier_id", "sent")

    def __init__(self, draw: Draw, cast: Cast, earlier_id: int, sent: int) -> None:
        self.draw = draw
        self.cast = cast
        self.earlier_id = earlier_id
        self.sent = sent


def announce(scene: Scene) -> Deed:
    """Some action that fits the chat."""
    plan = scene.cast.plan
    actions = _OLD[plan.kind] + (_MODERN[plan.kind] if plan.modern else ())
    action = scene.draw.pick(actions)
    return _MAKERS[action](scene) if action in _MAKERS else Deed(action)


def founding(plan: ChatPlan, cast: Cast, *, basic_group: bool) -> Deed:
    """The first message of a chat that somebody made."""
    if basic_group:
        return Deed("create_group", plan.title, (("members", (cast.account, *cast.people[:3])),))
    return Deed("create_channel", plan.title)


def _pin_message(scene: Scene) -> Deed:
    return Deed("pin_message", fields=(("message_id", scene.earlier_id),))


def _members(action: str) -> Callable[[Scene], Deed]:
    def make(scene: Scene) -> Deed:
        members = tuple(scene.cast.somebody(scene.draw) for _ in range(scene.draw.between(1, 3)))
        return Deed(action, fields=(("members", members),))

    return make


def _join_group_by_link(scene: Scene) -> Deed:
    return Deed("join_group_by_link", fields=(("inviter", scene.cast.somebody(scene.draw)),))


def _edit_group_title(scene: Scene) -> Deed:
    title = scene.draw.pick(TITLES).format(title=scene.cast.plan.title)
    return Deed("edit_group_title", title)


def _portrait(action: str) -> Callable[[Scene], Deed]:
    return lambda _scene: Deed(action, fields=_PORTRAIT)


def _phone_call(scene: Scene) -> Deed:
    if scene.draw.chance(300):
        return Deed("phone_call", fields=(("discard_reason", "missed"),))
    seconds = scene.draw.between(5, 3_000)
    return Deed("phone_call", fields=(("duration_seconds", seconds), ("discard_reason", "hangup")))


def _group_call(scene: Scene) -> Deed:
    return Deed("group_call", fields=(("duration", scene.draw.between(60, 7_000)),))


def _group_call_scheduled(scene: Scene) -> Deed:
    return Deed("group_call_scheduled", fields=(("schedule_date", scene.sent + 86_400),))


def _score_in_game(scene: Scene) -> Deed:
    score = scene.draw.between(10, 900)
    return Deed("score_in_game", fields=(("game_message_id", scene.earlier_id), ("score", score)))


def _topic_created(scene: Scene) -> Deed:
    return Deed("topic_created", scene.draw.pick(TOPICS))


def _boost_apply(scene: Scene) -> Deed:
    return Deed("boost_apply", fields=(("boosts", scene.draw.between(1, 4)),))


def _set_messages_ttl(scene: Scene) -> Deed:
    return Deed("set_messages_ttl", fields=(("period", scene.draw.pick((0, 86_400, 604_800))),))


def _edit_chat_theme(scene: Scene) -> Deed:
    return Deed("edit_chat_theme", fields=(("emoticon", scene.draw.pick(("🏮", "🌊", "🎄"))),))


_MAKERS: dict[str, Callable[[Scene], Deed]] = {
    "pin_message": _pin_message,
    "invite_members": _members("invite_members"),
    "remove_members": _members("remove_members"),
    "invite_to_group_call": _members("invite_to_group_call"),
    "join_group_by_link": _join_group_by_link,
    "edit_group_title": _edit_group_title,
    "edit_group_photo": _portrait("edit_group_photo"),
    "suggest_profile_photo": _portrait("suggest_profile_photo"),
    "phone_call": _phone_call,
    "group_call": _group_call,
    "group_call_scheduled": _group_call_scheduled,
    "score_in_game": _score_in_game,
    "topic_created": _topic_created,
    "boost_apply": _boost_apply,
    "set_messages_ttl": _set_messages_ttl,
    "edit_chat_theme": _edit_chat_theme,
}
