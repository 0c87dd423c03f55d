"""Users, chats, channels, and how their names and links lead to them."""

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.errors import RpcFailure, bad
from tg_pipeline_tests.telegram_server.peers import Channel, Group, Person
from tg_pipeline_tests.telegram_server.records import tl_peer
from tg_pipeline_tests.telegram_server.tl import TL
from tg_pipeline_tests.telegram_server.views import members

_QUIET = types.PeerNotifySettings()


@answers(functions.users.GetUsersRequest)
def get_users(ask: Ask, request: TL) -> object:
    """Users by their ids and access hashes; unknown ones are left out."""
    _ = ask.account
    found = []
    for named in request.id:
        try:
            one = ask.peer(named)
        except RpcFailure:
            continue
        if isinstance(one, Person):
            found.append(ask.view.user(one))
    return found


@answers(functions.users.GetFullUserRequest)
def get_full_user(ask: Ask, request: TL) -> TL:
    """All about a user."""
    one = ask.peer(request.id)
    if not isinstance(one, Person):
        raise bad("USER_ID_INVALID")
    full = types.UserFull(one.id, types.PeerSettings(), _QUIET, common_chats_count=0)
    return types.users.UserFull(full, [], [ask.view.user(one)])


@answers(functions.channels.GetChannelsRequest)
def get_channels(ask: Ask, request: TL) -> TL:
    """Channels by their ids and access hashes."""
    return types.messages.Chats(ask.view.chats(ask.channel(one) for one in request.id))


@answers(functions.messages.GetChatsRequest)
def get_chats(ask: Ask, request: TL) -> TL:
    """Basic groups by their ids."""
    return types.messages.Chats(ask.view.chats(_group(ask, one) for one in request.id))


@answers(functions.channels.GetFullChannelRequest)
def get_full_channel(ask: Ask, request: TL) -> TL:
    """All about a channel, with the chats it is tied to."""
    one = ask.channel(request.channel)
    ask.may_read(one)
    old, top = one.migrated_from, one.box.top
    full = types.ChannelFull(
        one.id,
        about="",
        read_inbox_max_id=top.id if top else 0,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=types.PhotoEmpty(0),
        notify_settings=_QUIET,
        bot_info=[],
        pts=one.pts,
        participants_count=members(one),
        migrated_from_chat_id=old.id if old else None,
        migrated_from_max_id=_newest(ask, old) if old else None,
        linked_chat_id=one.linked.id if one.linked else None,
    )
    tied: list[Group | Channel] = [chat for chat in (one, one.linked, old) if chat is not None]
    return types.messages.ChatFull(full, ask.view.chats(tied), [])


@answers(functions.messages.GetFullChatRequest)
def get_full_chat(ask: Ask, request: TL) -> TL:
    """All about a basic group."""
    one = _group(ask, request.chat_id)
    inside = [
        types.ChatParticipant(member, inviter_id=member, date=one.made) for member in one.members
    ]
    full = types.ChatFull(one.id, "", types.ChatParticipants(one.id, inside, 1), _QUIET)
    chats, users = ask.view.named((one.peer_id, *one.members))
    return types.messages.ChatFull(full, chats, users)


@answers(functions.contacts.ResolveUsernameRequest)
def resolve_username(ask: Ask, request: TL) -> TL:
    """Whom a public name belongs to."""
    view = ask.view
    one = ask.world.find_username(request.username.removeprefix("@"))
    if one is None:
        raise bad("USERNAME_NOT_OCCUPIED")
    chats, users = view.named((one.peer_id,))
    return types.contacts.ResolvedPeer(tl_peer(one.peer_id), chats, users)


@answers(functions.messages.CheckChatInviteRequest)
def check_chat_invite(ask: Ask, request: TL) -> TL:
    """What a link leads to: for members the chat itself, for others its poster."""
    view = ask.view
    channels = ask.world.channels.values()
    one = next((channel for channel in channels if channel.invite == request.hash), None)
    if one is None:
        raise bad("INVITE_HASH_EXPIRED")
    if view.account.id in one.members:
        return types.ChatInviteAlready(view.chat(one))
    return types.ChatInvite(
        one.title,
        types.PhotoEmpty(0),
        members(one),
        color=0,
        channel=True,
        broadcast=one.broadcast,
        megagroup=one.megagroup,
        public=one.username is not None,
    )


def _group(ask: Ask, group_id: int) -> Group:
    one = ask.world.groups.get(group_id)
    if one is None or one.peer_id not in ask.account.boxes:
        raise bad("CHAT_ID_INVALID")
    return one


def _newest(ask: Ask, old: Group) -> int:
    top = ask.account.box(old.peer_id).top
    return top.id if top else 0
