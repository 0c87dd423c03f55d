"""From what people call a chat to the chat: usernames, invitations, ids, and the list of chats.

A username is asked for once: Telegram lets that be done rarely, and then not for a day. What is
known already, or stands in the account's own list of chats, is not asked for at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from telethon import utils
from telethon.errors import TypeNotFoundError
from telethon.tl import functions, types

from tg_pipeline.contracts import ChatType
from tg_pipeline.contracts.identity import CHANNEL_MARK, channel_peer
from tg_pipeline.errors import ChatInaccessible, InviteUnusable, UsernameUnknown
from tg_pipeline.sources.telegram.chat_ref import SAVED_TITLE, ChatRef, entities, ref_of
from tg_pipeline.sources.telegram.client import not_readable
from tg_pipeline.sources.telegram.history import Ask
from tg_pipeline.sources.telegram.references import Named, Reference

_PAGE: Final = 100
_FEW: Final = 5
"""More usernames than these are looked for in the list of chats first."""
_NEVER_JOINED = "the account has not joined it"
_NOT_LISTED = "it is not in the account's list of chats"
_NAME_IT = (
    "An id alone leads only to chats the account has: check it, or give the chat's username "
    "or a link."
)


@dataclass(frozen=True, slots=True)
class Dialog:
    """A chat in the account's list; times are UTC."""

    ref: ChatRef
    members: int | None
    last_message: datetime | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A chat with what only a closer look tells.

    Attributes:
        ref: the chat, with the basic group that it was before.
        members: how many; None where Telegram does not tell.
        comments: the group where a channel's posts are discussed.
    """

    ref: ChatRef
    members: int | None = None
    comments: ChatRef | None = None


class Directory:
    """Finds the chats of one account.

    Args:
        ask: how Telegram is asked.
        account: its name.
        user_id: its user id.
        known: chats found before, which need not be asked for again.
    """

    def __init__(self, ask: Ask, account: str, user_id: int, known: Iterable[ChatRef] = ()) -> None:
        self._ask = ask
        self._account = account
        self._user_id = user_id
        self._known = [
            ref.model_copy(update={"account": account})
            for ref in known
            if account in ref.access_hash
        ]
        self._dialogs: list[Dialog] | None = None

    async def prepare(self, references: Iterable[Reference]) -> None:
        """Look into the list of chats, if that spares asking for many names."""
        missing = [one for one in references if self._found(one) is None]
        names = sum(one.named is Named.USERNAME for one in missing)
        if names > _FEW or any(one.named is Named.ID for one in missing):
            await self.dialogs()

    async def resolve(self, reference: Reference) -> ChatRef:
        """The chat that is meant.

        Raises:
            UsernameUnknown, InviteUnusable, ChatInaccessible: there is none for this account.
            FloodWait, BudgetSpent, TelegramUnreachable: later.
        """
        if reference.named is Named.ME:
            return ChatRef(
                id=self._user_id, type=ChatType.SAVED, title=SAVED_TITLE, account=self._account
            )
        if (found := self._found(reference)) is not None:
            return found
        match reference.named:
            case Named.USERNAME:
                found = await self._by_username(reference)
            case Named.INVITE:
                found = await self._by_invite(reference)
            case _:
                await self.dialogs()
                found = self._found(reference)
        if found is None:
            raise ChatInaccessible(str(reference), self._account, _NOT_LISTED, _NAME_IT)
        self._known.append(found)
        return found

    async def dialogs(self) -> list[Dialog]:
        """The account's list of chats, newest message first; asked for once."""
        if self._dialogs is None:
            self._dialogs = await self._listed()
        return self._dialogs

    async def whole(self, ref: ChatRef) -> Whole:
        """A closer look at a chat.

        Raises:
            ChatInaccessible: the account may not.
        """
        if ref.type not in {ChatType.CHANNEL, ChatType.SUPERGROUP}:
            return Whole(ref)
        peer = ref.peer()
        channel = types.InputChannel(peer.channel_id, peer.access_hash)
        request = functions.channels.GetFullChannelRequest(channel)
        answer = await self._asked(request, chat=ref.called)
        full, around = answer.full_chat, entities(answer.chats)
        old = full.migrated_from_chat_id
        told = {"migrated_from": -old if old else None}
        if (entity := around.get(ref.id)) is not None:
            now = ref_of(entity, self._account, self._user_id)
            told |= {"title": now.title, "username": now.username}
        comments = None
        if ref.type is ChatType.CHANNEL and full.linked_chat_id:
            comments = self._comments(around.get(channel_peer(full.linked_chat_id)), ref.id)
        return Whole(ref.model_copy(update=told), full.participants_count, comments)

    def _comments(self, entity: Any, channel: int) -> ChatRef | None:
        if not isinstance(entity, types.Channel):
            return None
        found = ref_of(entity, self._account, self._user_id)
        return found.model_copy(update={"comments_of": channel}) if found.reachable else None

    def _found(self, reference: Reference) -> ChatRef | None:
        """The chat, if it can be told without asking."""
        every = [*self._known, *(one.ref for one in self._dialogs or ())]
        if reference.named is Named.USERNAME:
            name = reference.value.lower()
            return next((one for one in every if (one.username or "").lower() == name), None)
        if (number := reference.id) is None:
            return None
        for wanted in meanings(number):
            if (found := next((one for one in every if one.id == wanted), None)) is not None:
                return found
        return None

    async def _by_username(self, reference: Reference) -> ChatRef:
        request = functions.contacts.ResolveUsernameRequest(reference.value)
        answer = await self._asked(request, chat=str(reference))
        found = entities(answer.users, answer.chats).get(utils.get_peer_id(answer.peer))
        if found is None:
            raise UsernameUnknown(reference.value)
        return ref_of(found, self._account, self._user_id)

    async def _by_invite(self, reference: Reference) -> ChatRef:
        request = functions.messages.CheckChatInviteRequest(reference.value)
        answer = await self._asked(request, chat=str(reference))
        if not isinstance(answer, types.ChatInviteAlready):
            raise InviteUnusable(str(reference), _NEVER_JOINED)
        return ref_of(answer.chat, self._account, self._user_id)

    async def _asked(self, request: Any, chat: str = "") -> Any:
        """The answer; what this version cannot read is a refusal."""
        try:
            return await self._ask(request, chat=chat)
        except TypeNotFoundError as error:
            raise not_readable(request, error) from error

    # ---- the list of chats

    async def _listed(self) -> list[Dialog]:
        found: dict[int, Dialog] = {}
        seen: set[int] = set()
        request = functions.messages.GetDialogsRequest(
            offset_date=None, offset_id=0, offset_peer=types.InputPeerEmpty(), limit=_PAGE, hash=0
        )
        while True:
            answer = await self._asked(request)
            around = entities(answer.users, answer.chats)
            newest = {utils.get_peer_id(one.peer_id): one for one in answer.messages}
            listed = [one for one in answer.dialogs if isinstance(one, types.Dialog)]
            before = len(seen)
            for one in listed:
                peer = utils.get_peer_id(one.peer)
                seen.add(peer)
                dialog = self._dialog(around.get(peer), newest.get(peer))
                if dialog is not None:
                    found.setdefault(peer, dialog)
            last = next((one for one in reversed(listed) if _dated(one, newest)), None)
            total = getattr(answer, "count", 0)  # none is told where this is all
            if len(seen) >= total or len(seen) == before or last is None:
                return list(found.values())
            peer = utils.get_peer_id(last.peer)
            request = functions.messages.GetDialogsRequest(
                offset_date=newest[peer].date,
                offset_id=last.top_message,
                offset_peer=utils.get_input_peer(around[peer]),
                limit=_PAGE,
                hash=0,
                exclude_pinned=True,
            )

    def _dialog(self, entity: Any, newest: Any) -> Dialog | None:
        """An entry of the list; None for what cannot be read, and for groups that have moved on."""
        if entity is None or getattr(entity, "migrated_to", None) is not None:
            return None
        try:
            ref = ref_of(entity, self._account, self._user_id)
        except ChatInaccessible:
            return None
        members = getattr(entity, "participants_count", None)
        return Dialog(ref, members, getattr(newest, "date", None))


def _dated(dialog: Any, newest: dict[int, Any]) -> bool:
    return getattr(newest.get(utils.get_peer_id(dialog.peer)), "date", None) is not None


def meanings(number: int) -> list[int]:
    """An id without its mark may be a user's, a channel's, or a basic group's."""
    if number < 0:
        return [number]
    return [number, channel_peer(number), -number] if number < CHANNEL_MARK else [number]
