"""A loopback Telegram and an archive that follows its chats."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.contracts.identity import CHANNEL_MARK
from tg_pipeline.flows import Archive
from tg_pipeline.flows.fetching import FetchOptions, FetchReport, fetch_chats
from tg_pipeline.store import accounts, followed
from tg_pipeline.store.followed import Followed
from tg_pipeline_tests.telegram_server import API_HASH, API_ID, Account, TelegramServer, World
from tg_pipeline_tests.telegram_server.peers import Channel, Group, Peer, Person

SWIFT = 100_000.0
"""Requests a second: as good as no pace, for the loopback has no manners to keep."""


@dataclass(frozen=True, slots=True)
class Live:
    """An archive with a session on a server."""

    server: TelegramServer
    account: Account
    archive: Archive

    @classmethod
    def over(cls, archive: Archive, server: TelegramServer, account: Account) -> "Live":
        """An archive with settings that lead to the server, and a session of the account."""
        folder = archive.settings.home
        folder.mkdir(parents=True, exist_ok=True)
        return cls(server, account, archive).having(
            telegram_api_id=API_ID,
            telegram_api_hash=API_HASH,
            telegram_session=server.session(account),
            telegram_server=server.address,
            telegram_server_key=server.write_key(folder / "telegram.pem"),
            telegram_requests_per_second=SWIFT,
            telegram_reread_days=0,
        )

    def having(self, **settings: object) -> "Live":
        """The same under other settings."""
        changed = self.archive.settings.model_copy(update=settings)
        return replace(self, archive=replace(self.archive, settings=changed))

    def follow(self, *chats: Peer) -> list[ChatKey]:
        """Have these chats fetched."""
        rows = [self._row(chat) for chat in chats]
        hashes = {
            chat.peer_id: self.account.access_hash(chat.peer_id)
            for chat in chats
            if not isinstance(chat, Group)
        }
        with self.archive.database.transaction() as connection:
            followed.follow(connection, rows)
            accounts.may_access(connection, "main", hashes)
        return [row.key for row in rows]

    def _row(self, chat: Peer) -> Followed:
        kind = _kind(chat, self.account)
        title = chat.first_name if isinstance(chat, Person) else chat.title
        key = ChatKey.of(chat.peer_id, self.account.id)
        return Followed(key, "main", kind, username=getattr(chat, "username", None), title=title)

    def fetch(self, chats: Iterable[ChatKey] | None = None, **options: Any) -> FetchReport:
        """Run once."""
        return fetch_chats(
            self.archive, None if chats is None else list(chats), FetchOptions(**options)
        )

    def forget_rereading(self) -> None:
        """As if a day had passed."""
        with self.archive.database.transaction() as connection:
            connection.exec_driver_sql("UPDATE checkpoints SET reread_at = NULL")

    def forget_waiting(self) -> None:
        """As if all waits were over."""
        with self.archive.database.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM account_limits")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the tables answer."""
        with self.archive.database.transaction() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def ids(self, key: ChatKey) -> list[int]:
        """Message ids of a chat, in order."""
        query = f"SELECT id FROM messages WHERE entity_id = {key.entity_id} ORDER BY id"
        return [row[0] for row in self.rows(query)]


def peer_of(world: World, entity_id: int) -> Peer:
    """The chat with this marked id."""
    if entity_id > 0:
        return world.people[entity_id]
    if entity_id > -CHANNEL_MARK:
        return world.groups[-entity_id]
    return world.channels[-entity_id - CHANNEL_MARK]


def _kind(chat: Peer, account: Account) -> ChatType:
    if isinstance(chat, Channel):
        return ChatType.CHANNEL if chat.broadcast else ChatType.SUPERGROUP
    if isinstance(chat, Group):
        return ChatType.GROUP
    return ChatType.SAVED if chat.peer_id == account.id else ChatType.PRIVATE
