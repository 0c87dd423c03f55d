"""What exists on this Telegram and how it changes: people, chats, accounts and their messages.

Tests and the generator change it while the server answers from it; `lock` keeps the two apart.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from threading import RLock

from telethon.tl import patched, types

from tg_pipeline.contracts.identity import CHANNEL_MARK
from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.box import Box
from tg_pipeline_tests.telegram_server.password import Password
from tg_pipeline_tests.telegram_server.peers import Channel, Group, Peer, Person, Topic
from tg_pipeline_tests.telegram_server.records import record, tl_peer
from tg_pipeline_tests.telegram_server.tl import TL, read

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


class World:
    """All there is. Messages are posted through it, so that every reader's box is right."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.channels: dict[int, Channel] = {}
        self.accounts: dict[int, Account] = {}

    def person(
        self,
        user_id: int,
        first_name: str | None,
        last_name: str | None = None,
        *,
        username: str | None = None,
        bot: bool = False,
    ) -> Person:
        """Add somebody, or give them another name."""
        phone = self.accounts[user_id].phone if user_id in self.accounts else None
        one = Person(user_id, first_name, last_name, username, phone, bot)
        self.people[user_id] = one
        return one

    def account(
        self,
        user_id: int,
        first_name: str,
        last_name: str | None = None,
        *,
        phone: str,
        code: str = "12345",
        password: str | None = None,
        username: str | None = None,
    ) -> Account:
        """Add somebody who can log in."""
        one = Person(user_id, first_name, last_name, username, phone)
        self.people[user_id] = one
        second = Password(password) if password is not None else None
        account = self.accounts[user_id] = Account(one, phone, code, password=second)
        return account

    def channel(
        self,
        channel_id: int,
        title: str,
        *members: Account | Person,
        broadcast: bool = True,
        username: str | None = None,
        invite: str | None = None,
        forum: bool = False,
        made: datetime = EPOCH,
    ) -> Channel:
        """Add a channel."""
        one = Channel(channel_id, title, made, broadcast, forum, username, invite)
        self.channels[channel_id] = one
        for member in members:
            self.join(one, member)
        return one

    def supergroup(
        self,
        channel_id: int,
        title: str,
        *members: Account | Person,
        username: str | None = None,
        invite: str | None = None,
        forum: bool = False,
        made: datetime = EPOCH,
    ) -> Channel:
        """Add a supergroup, or a forum."""
        return self.channel(
            channel_id,
            title,
            *members,
            broadcast=False,
            username=username,
            invite=invite,
            forum=forum,
            made=made,
        )

    def group(
        self, group_id: int, title: str, *members: Account | Person, made: datetime = EPOCH
    ) -> Group:
        """Add a basic group."""
        one = self.groups[group_id] = Group(group_id, title, made)
        for member in members:
            self.join(one, member)
        return one

    def join(self, chat: Channel | Group, member: Account | Person) -> None:
        """Make somebody a member; for an account the chat appears in its list."""
        chat.members.add(member.id)
        chat.banned.discard(member.id)
        if isinstance(member, Account):
            if isinstance(chat, Channel):
                member.chats.add(chat.peer_id)
            else:
                member.box(chat.peer_id)

    def leave(self, chat: Channel | Group, member: Account) -> None:
        """Leave a chat; a private channel can no longer be read."""
        chat.members.discard(member.id)
        member.chats.discard(chat.peer_id)
        member.boxes.pop(chat.peer_id, None)
        with suppress(ValueError):
            member.pinned.remove(chat.peer_id)

    def ban(self, chat: Channel | Group, member: Account) -> None:
        """Throw somebody out for good; of a basic group they keep what they had."""
        if isinstance(chat, Group):
            chat.members.discard(member.id)
        else:
            self.leave(chat, member)
        chat.banned.add(member.id)

    def link(self, channel: Channel, group: Channel) -> None:
        """Make a supergroup the place where a channel's posts are discussed."""
        channel.linked, group.linked = group, channel

    def migrate(self, group: Group, supergroup: Channel) -> None:
        """Make a basic group's members go on in a supergroup."""
        group.migrated_to, supergroup.migrated_from = supergroup, group
        for member in group.members:
            self.join(supergroup, self.accounts.get(member) or self.people[member])

    def topic(
        self, forum: Channel, title: str, *, by: Account | Person, date: datetime = EPOCH
    ) -> Topic:
        """Begin a topic of a forum."""
        action = types.MessageActionTopicCreate(title, 0x6FB9F0)
        made = self.post(forum, by=by, date=date, action=action)
        topic = forum.topics[made] = Topic(made, title, date, by.id)
        return topic

    def post(
        self,
        chat: Peer,
        text: str = "",
        *,
        by: Account | Person | Channel,
        date: datetime = EPOCH,
        to: Account | None = None,
        message_id: int | None = None,
        **fields: object,
    ) -> int:
        """Write a message; `fields` are further ones of TL's Message or MessageService.

        Args:
            chat: Where. In a private chat, the other person; an account's own person for notes.
            text: The text.
            by: Who writes; a channel itself for its posts and for anonymous administrators.
            date: When.
            to: In private chats and basic groups, whose copy it is; all members' by default.
            message_id: Its id; the next one by default.
            fields: Such as `media`, `reply_to`, `grouped_id`, `action`.

        Returns:
            Its id; in a basic group, that of the copy of the first reader.
        """
        made = [
            self._write(chat, box, account, text, by, date, message_id, fields)
            for box, account in self._readers(chat, by, to)
        ]
        return made[0]

    def put(self, chat: Peer, message: TL, *, to: Account | None = None) -> None:
        """Store a finished TL message, new or replaced."""
        with self.lock:
            if isinstance(chat, Channel):
                chat.box.put(record(message, forum=chat.forum))
                return
            if to is None:
                raise ValueError("ids of this chat belong to an account: whose?")
            elsewhere = to.find(message.id)
            if elsewhere is not None and elsewhere[0] != chat.peer_id:
                raise ValueError(f"{to.id} has a message {message.id} in {elsewhere[0]}")
            to.last_id = max(to.last_id, message.id)
            to.box(chat.peer_id).put(record(message))

    def edit(
        self, chat: Peer, message_id: int, *, of: Account | None = None, **changes: object
    ) -> None:
        """Change fields of a message, such as `message` (its text) and `edit_date`."""
        message = self.message(chat, message_id, of=of)
        for name, value in changes.items():
            if not hasattr(message, name):
                raise AttributeError(f"a message has no {name}")
            setattr(message, name, value)
        self.put(chat, message, to=of)

    def delete(self, chat: Peer, ids: Iterable[int], *, of: Account | None = None) -> int:
        """Delete messages; how many there were."""
        with self.lock:
            return sum([self.box(chat, of).remove(one) for one in ids])

    def message(self, chat: Peer, message_id: int, *, of: Account | None = None) -> TL:
        """A message as a TL object; KeyError where there is none."""
        with self.lock:
            found = self.box(chat, of).get(message_id)
        if found is None:
            raise KeyError(message_id)
        return read(found.data)

    def box(self, chat: Peer, of: Account | None = None) -> Box:
        """The messages of a chat, in a private chat or basic group those of an account."""
        if isinstance(chat, Channel):
            return chat.box
        if of is None:
            raise ValueError("ids of this chat belong to an account: whose?")
        return of.box(chat.peer_id)

    def peer(self, peer_id: int) -> Peer:
        """Whom a marked id names; KeyError where there is nobody."""
        if peer_id > 0:
            return self.people[peer_id]
        if peer_id > -CHANNEL_MARK:
            return self.groups[-peer_id]
        return self.channels[-peer_id - CHANNEL_MARK]

    def find_username(self, name: str) -> Person | Channel | None:
        """Whom a public name belongs to."""
        wanted = name.lower()
        every: list[Person | Channel] = [*self.people.values(), *self.channels.values()]
        return next((one for one in every if (one.username or "").lower() == wanted), None)

    def find_phone(self, phone: str) -> Account | None:
        """Whose number it is."""
        digits = phone.lstrip("+")
        every = self.accounts.values()
        return next((one for one in every if one.phone.lstrip("+") == digits), None)

    def _readers(
        self, chat: Peer, by: Account | Person | Channel, to: Account | None
    ) -> list[tuple[Box, Account | None]]:
        """The boxes that get a copy."""
        if isinstance(chat, Channel):
            return [(chat.box, None)]
        if to is None and isinstance(chat, Group):
            accounts = [self.accounts[one] for one in chat.members if one in self.accounts]
        elif to is None and isinstance(by, Account):
            accounts = [by]
        else:
            accounts = [to] if to else []
        if not accounts:
            raise ValueError("nobody who has an account reads this chat: to whom?")
        return [(account.box(chat.peer_id), account) for account in accounts]

    def _write(
        self,
        chat: Peer,
        box: Box,
        account: Account | None,
        text: str,
        by: Account | Person | Channel,
        date: datetime,
        message_id: int | None,
        fields: dict[str, object],
    ) -> int:
        with self.lock:
            if message_id is None:
                newest = box.top.id if box.top else 0
                message_id = account.next_id() if account else newest + 1
            facts: dict[str, object] = {"from_id": self._author(chat, by), **fields}
            if isinstance(chat, Channel) and chat.broadcast:
                facts["post"] = True
            if "action" not in facts:
                facts["message"] = text
            kind = patched.MessageService if "action" in facts else patched.Message
            self.put(chat, kind(message_id, tl_peer(chat.peer_id), date, **facts), to=account)
            return message_id

    @staticmethod
    def _author(chat: Peer, by: Account | Person | Channel) -> TL | None:
        """from_id: left out where the chat itself says who writes."""
        author = by.person if isinstance(by, Account) else by
        return None if author.peer_id == chat.peer_id else tl_peer(author.peer_id)
