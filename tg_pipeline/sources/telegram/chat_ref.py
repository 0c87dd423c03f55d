"""A chat as an account can reach it: id, names, and the access hash that Telegram wants to see."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from telethon import utils
from telethon.tl import types

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.contracts.types import Id
from tg_pipeline.errors import ChatInaccessible
from tg_pipeline.sources.telegram.peers import input_peer

SAVED_TITLE = "Saved Messages"
FORBIDDEN = (types.ChatForbidden, types.ChannelForbidden, types.ChatEmpty)
"""What is shown of a chat that the account was removed from."""
_WITHOUT_HASH = {ChatType.GROUP, ChatType.SAVED}


class ChatRef(BaseModel):
    """One chat to fetch; chats.yaml is a list of these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id = Field(description="marked peer id")
    type: ChatType = Field(description="what kind of chat")
    username: str | None = Field(None, description="public name, without the @")
    title: str | None = Field(None, description="its name")
    account: str = Field(description="account that reads it")
    access_hash: dict[str, Id] = Field(
        default_factory=dict, description="what Telegram wants to see beside the id, by account"
    )
    comments_of: Id | None = Field(None, description="channel whose comments it holds")
    migrated_from: Id | None = Field(None, description="basic group that it was before")

    @property
    def called(self) -> str:
        """How to speak of it."""
        return self.title or (f"@{self.username}" if self.username else str(self.id))

    @property
    def reachable(self) -> bool:
        """Whether its account can ask for it without looking for it first."""
        return self.type in _WITHOUT_HASH or self.account in self.access_hash

    def key(self, user_id: int) -> ChatKey:
        """Its key, as the account with this user id sees it."""
        return ChatKey.of(self.id, user_id)

    def peer(self) -> Any:
        """The TL object that its account names it by.

        Raises:
            ChatInaccessible: the account has never seen it.
        """
        if not self.reachable:
            raise ChatInaccessible(
                self.called, self.account, "it has not been found by this account yet"
            )
        return input_peer(self.id, self.type, self.access_hash.get(self.account))


def ref_of(entity: Any, account: str, user_id: int) -> ChatRef:
    """A user, basic group or channel as Telegram shows it to an account.

    Raises:
        ChatInaccessible: it is one that the account was removed from.
    """
    if isinstance(entity, FORBIDDEN):
        title = getattr(entity, "title", None) or str(utils.get_peer_id(entity))
        raise ChatInaccessible(title, account, "the account was removed from it")
    kind = _type(entity, user_id)
    access_hash = None if getattr(entity, "min", False) else getattr(entity, "access_hash", None)
    return ChatRef(
        id=utils.get_peer_id(entity),
        type=kind,
        username=_username(entity),
        title=SAVED_TITLE if kind is ChatType.SAVED else utils.get_display_name(entity) or None,
        account=account,
        access_hash={} if access_hash is None or kind in _WITHOUT_HASH else {account: access_hash},
    )


def entities(*lists: Iterable[Any]) -> dict[int, Any]:
    """Users and chats of an answer by their marked ids."""
    return {utils.get_peer_id(one): one for many in lists for one in many}


def _type(entity: Any, user_id: int) -> ChatType:
    if isinstance(entity, types.User):
        if entity.id == user_id:
            return ChatType.SAVED
        return ChatType.BOT if entity.bot else ChatType.PRIVATE
    if isinstance(entity, types.Channel):
        return ChatType.CHANNEL if entity.broadcast else ChatType.SUPERGROUP
    return ChatType.GROUP if isinstance(entity, types.Chat) else ChatType.UNKNOWN


def _username(entity: Any) -> str | None:
    """The public name; who has several has them in a list."""
    if name := getattr(entity, "username", None):
        return str(name)
    several = getattr(entity, "usernames", None) or ()
    return next((str(one.username) for one in several if one.active), None)
