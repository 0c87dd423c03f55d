"""Which function answers which method, and what such a function has at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from telethon.tl import types

from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.devices import Device
from tg_pipeline_tests.telegram_server.errors import bad
from tg_pipeline_tests.telegram_server.peers import Channel, Peer
from tg_pipeline_tests.telegram_server.state import State
from tg_pipeline_tests.telegram_server.tl import TL, write
from tg_pipeline_tests.telegram_server.views import View
from tg_pipeline_tests.telegram_server.world import World


@dataclass(frozen=True)
class Ask:
    """Who asks whom; raises what Telegram answers where they may not."""

    state: State
    device: Device
    takeout_id: int | None = None

    @property
    def world(self) -> World:
        """What exists."""
        return self.state.world

    @cached_property
    def account(self) -> Account:
        """Who asks; an error for those who are not logged in."""
        return self.device.owner()

    @cached_property
    def view(self) -> View:
        """What they see."""
        return View(self.world, self.account, self.state.faults.garbled_chats)

    def peer(self, named: TL) -> Peer:
        """Whom an InputPeer names; the access hash must be this account's."""
        if isinstance(named, types.InputPeerSelf | types.InputUserSelf):
            return self.account.person
        if isinstance(named, types.InputPeerUser | types.InputUser):
            self._check(named.user_id, named.access_hash, "USER_ID_INVALID")
            return self.view.peer(named.user_id)
        if isinstance(named, types.InputPeerChat):
            return self.view.peer(-named.chat_id)
        if isinstance(named, types.InputPeerChannel | types.InputChannel):
            return self.channel(named)
        raise bad("PEER_ID_INVALID")

    def channel(self, named: TL) -> Channel:
        """The channel or supergroup that an input names, if this account may see it."""
        marked = channel_peer(named.channel_id)
        self._check(marked, named.access_hash, "CHANNEL_INVALID")
        found = self.world.channels.get(named.channel_id)
        if found is None:
            raise bad("CHANNEL_INVALID")
        return found

    def readable(self, named: TL) -> Peer:
        """A peer whose messages this account may read."""
        found = self.peer(named)
        if isinstance(found, Channel):
            self.may_read(found)
        elif found.peer_id < 0 and found.peer_id not in self.account.boxes:
            raise bad("CHAT_ID_INVALID")
        return found

    def may_read(self, channel: Channel) -> None:
        """CHANNEL_PRIVATE unless the account is a member, or the channel public."""
        if self.account.id in channel.banned:
            raise bad("CHANNEL_PRIVATE")
        if self.account.id not in channel.members and not _open(channel):
            raise bad("CHANNEL_PRIVATE")

    def _check(self, marked: int, access_hash: int, name: str) -> None:
        if access_hash != self.account.access_hash(marked):
            raise bad(name)


def _open(channel: Channel) -> bool:
    """Whether everybody may read it: it is public, or discusses a public channel."""
    linked = channel.linked
    return bool(channel.username or (channel.megagroup and linked and linked.username))


Answerer = Callable[[Ask, TL], object]
_ANSWERERS: dict[int, Answerer] = {}


def answers(*methods: type) -> Callable[[Answerer], Answerer]:
    """Declare what answers some methods."""

    def remember(function: Answerer) -> Answerer:
        for method in methods:
            _ANSWERERS[method.CONSTRUCTOR_ID] = function  # type: ignore[attr-defined]
        return function

    return remember


def answer(ask: Ask, request: TL) -> bytes:
    """The answer to a request; RpcFailure where it is an error."""
    function = _ANSWERERS.get(request.CONSTRUCTOR_ID)
    if function is None:
        raise bad("INPUT_METHOD_INVALID")
    with ask.world.lock:
        return write(function(ask, request))
