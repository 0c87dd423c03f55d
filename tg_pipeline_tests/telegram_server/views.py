"""People and chats as TL objects, the way one account sees them."""

from collections.abc import Collection, Iterable
from contextlib import suppress

from telethon.tl import types

from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.box import UNKNOWN_CONSTRUCTOR
from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.peers import Channel, Group, Peer, Person
from tg_pipeline_tests.telegram_server.tl import TL, Opaque
from tg_pipeline_tests.telegram_server.world import World


class View:
    """The world as one account sees it."""

    def __init__(
        self, world: World, account: Account, garbled: Collection[int] = frozenset()
    ) -> None:
        self.world = world
        self.account = account
        self._garbled = garbled

    def peer(self, peer_id: int) -> Peer:
        """Whom a marked id names; PEER_ID_INVALID where there is nobody."""
        try:
            return self.world.peer(peer_id)
        except KeyError:
            raise bad("PEER_ID_INVALID") from None

    def user(self, one: Person) -> TL:
        """A user."""
        return types.User(
            one.id,
            is_self=one.id == self.account.id,
            contact=False,
            deleted=one.first_name is None,
            bot=one.bot,
            bot_info_version=1 if one.bot else None,
            access_hash=self.account.access_hash(one.id),
            first_name=one.first_name,
            last_name=one.last_name,
            username=one.username,
            phone=one.phone.lstrip("+") if one.phone and one.id == self.account.id else None,
        )

    def _user_bytes(self, one: Person) -> bytes:
        """A user, serialised once: pages name the same people again and again."""
        shown = self.account.shown
        if one not in shown:
            shown[one] = self.user(one)._bytes()
        return shown[one]

    def chat(self, one: Group | Channel) -> TL:
        """A basic group, channel or supergroup, or what is left of it for this account."""
        return self._group(one) if isinstance(one, Group) else self._channel(one)

    def chats(self, found: Iterable[Group | Channel]) -> list[Opaque]:
        """Several, serialised; garbled ones as nobody can read them."""
        return [Opaque(self._chat_bytes(one)) for one in found]

    def _chat_bytes(self, one: Group | Channel) -> bytes:
        data: bytes = self.chat(one)._bytes()
        return UNKNOWN_CONSTRUCTOR + data[4:] if one.peer_id in self._garbled else data

    def named(self, peer_ids: Iterable[int]) -> tuple[list[Opaque], list[Opaque]]:
        """The chats and users of an answer that names these peers; unknown ones are left out."""
        chats: list[Opaque] = []
        users: list[Opaque] = []
        for peer_id in dict.fromkeys(peer_ids):
            with suppress(KeyError):
                one = self.world.peer(peer_id)
                if isinstance(one, Person):
                    users.append(Opaque(self._user_bytes(one)))
                else:
                    chats.append(Opaque(self._chat_bytes(one)))
        return chats, users

    def input_channel(self, one: Channel) -> TL:
        """How this account names a channel in a request."""
        return types.InputChannel(one.id, self.account.access_hash(one.peer_id))

    def _group(self, one: Group) -> TL:
        if self.account.id in one.banned:
            return types.ChatForbidden(one.id, one.title)
        moved = one.migrated_to
        return types.Chat(
            one.id,
            one.title,
            types.ChatPhotoEmpty(),
            participants_count=0 if moved else len(one.members),
            date=one.made,
            version=1,
            left=self.account.id not in one.members,
            deactivated=moved is not None,
            noforwards=one.noforwards,
            migrated_to=self.input_channel(moved) if moved else None,
        )

    def _channel(self, one: Channel) -> TL:
        access_hash = self.account.access_hash(one.peer_id)
        if self.account.id in one.banned:
            return types.ChannelForbidden(
                one.id, access_hash, one.title, broadcast=one.broadcast, megagroup=one.megagroup
            )
        return types.Channel(
            one.id,
            one.title,
            types.ChatPhotoEmpty(),
            one.made,
            left=self.account.id not in one.members,
            broadcast=one.broadcast,
            megagroup=one.megagroup,
            signatures=one.signatures,
            has_link=one.linked is not None,
            noforwards=one.noforwards,
            forum=one.forum,
            access_hash=access_hash,
            username=one.username,
            participants_count=members(one),
        )


def members(one: Channel) -> int:
    """How many it says it has."""
    return len(one.members) if one.shown_members is None else one.shown_members
