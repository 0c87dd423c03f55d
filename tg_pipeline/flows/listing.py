"""chats.yaml beside the database: which entry is which chat, and the file written anew."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.errors import ChatNotFollowed
from tg_pipeline.flows.archive import Archive
from tg_pipeline.sources.telegram.chat_ref import ChatRef
from tg_pipeline.sources.telegram.chats_file import Entry, read_chats, write_chats
from tg_pipeline.sources.telegram.references import Named, Reference, read_reference
from tg_pipeline.sources.telegram.resolve import meanings
from tg_pipeline.store import accounts, followed
from tg_pipeline.store.followed import Followed


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry of the file, and the chat in the database that it is, if it is there."""

    entry: Entry
    row: Followed | None

    def key(self, users: Mapping[str, int]) -> ChatKey | None:
        """Which chat it is; None where only a name is known that nobody has looked for."""
        if self.row is not None:
            return self.row.key
        ref = self.entry.ref
        return None if ref is None else ref.key(users.get(self.entry.account, 0))

    @property
    def differing(self) -> tuple[str, ...]:
        """In what the two differ, but for names."""
        row, ref = self.row, self.entry.ref
        if row is None:
            return ()
        if ref is None:
            return () if self.entry.account == row.account else ("account",)
        names = ("account", "comments_of")
        return tuple(name for name in names if getattr(row, name) != getattr(ref, name))


def user_ids(archive: Archive) -> dict[str, int]:
    """User ids of the accounts that have ever logged in."""
    with archive.database.snapshot() as connection:
        every = accounts.every(connection)
    return {one.account: one.user_id for one in every if one.user_id is not None}


def matched(
    entries: Iterable[Entry], rows: Sequence[Followed], users: Mapping[str, int]
) -> list[Pair]:
    """Every entry with its chat."""
    by_key = {row.key: row for row in rows}
    return [Pair(entry, _row_of(entry, rows, by_key, users)) for entry in entries]


def followed_by(ref: ChatRef, key: ChatKey) -> Followed:
    """An entry as a row of the database."""
    return Followed(
        key, ref.account, ref.type, ref.username, ref.title, ref.comments_of, ref.migrated_from
    )


def is_meant(row: Followed, reference: Reference) -> bool:
    """Whether somebody means this chat; an invitation tells nothing before it is asked for."""
    match reference.named:
        case Named.USERNAME:
            return (row.username or "").lower() == reference.value.lower()
        case Named.ID:
            return row.key.entity_id in meanings(int(reference.value))
        case Named.ME:
            return row.type is ChatType.SAVED
        case _:
            return False


def meant(rows: Iterable[Followed], text: str) -> list[Followed]:
    """The followed chats that a key, id, username or link stands for.

    Raises:
        ChatNotFollowed: there is none.
        ReferenceUnreadable: the text names no chat at all.
    """
    rows = list(rows)
    found = [row for row in rows if str(row.key) == text] or [
        row for row in rows if is_meant(row, read_reference(text))
    ]
    if not found:
        raise ChatNotFollowed(text)
    return found


def rewrite(
    archive: Archive,
    *,
    fresh: Mapping[ChatKey, ChatRef] | None = None,
    resolved: Collection[Reference] = (),
    gone: Collection[ChatKey] = (),
    rows: Sequence[Followed] | None = None,
) -> None:
    """Write the file anew where chats are added, known better or gone; other entries stay.

    A file that is not there is made of the chats in the database: by one that named the new ones
    alone, all others would be followed no more.

    Args:
        archive: whose settings and database.
        fresh: chats as they are now.
        resolved: names that now stand for one of these.
        gone: chats to leave out.
        rows: chats of the database before something was removed from it.

    Raises:
        ChatsFileInvalid, FolderNotWritable, DiskFull
    """
    path, fresh = archive.settings.chats_file, fresh or {}
    if rows is None:
        with archive.database.snapshot() as connection:
            rows = followed.every(connection)
    users = user_ids(archive)
    with archive.database.alone(f"chats {archive.database.schema}"):
        before = read_chats(path)
        pairs = matched(before, rows, users) if path.exists() else _of_database(archive)
        after = _changed(pairs, users, fresh, resolved, gone)
        if after != before:
            write_chats(path, after)


def known_refs(archive: Archive) -> dict[ChatKey, ChatRef]:
    """The chats that are fetched, with the access hashes of all accounts."""
    with archive.database.snapshot() as connection:
        rows = followed.every(connection)
        hashes = {
            one.account: accounts.access(connection, one.account)
            for one in accounts.every(connection)
        }
    return {row.key: _ref(row, hashes) for row in rows}


def _of_database(archive: Archive) -> list[Pair]:
    """What the file would say of the chats in the database."""
    return [
        Pair(Entry(ref.account, ref=ref), followed_by(ref, key))
        for key, ref in known_refs(archive).items()
    ]


def _changed(
    pairs: Iterable[Pair],
    users: Mapping[str, int],
    fresh: Mapping[ChatKey, ChatRef],
    resolved: Collection[Reference],
    gone: Collection[ChatKey],
) -> list[Entry]:
    after: list[Entry] = []
    written: set[ChatKey] = set()
    for pair in pairs:
        key = pair.key(users)
        if key in gone or key in written or pair.entry.reference in resolved:
            continue
        if key is not None and key in fresh:
            after.append(Entry(fresh[key].account, ref=fresh[key]))
            written.add(key)
        else:
            after.append(pair.entry)
    return after + [Entry(ref.account, ref=ref) for key, ref in fresh.items() if key not in written]


def _row_of(
    entry: Entry,
    rows: Sequence[Followed],
    by_key: Mapping[ChatKey, Followed],
    users: Mapping[str, int],
) -> Followed | None:
    if entry.ref is not None:
        return by_key.get(entry.ref.key(users.get(entry.account, 0)))
    reference = entry.reference
    if reference is None:
        return None
    own = (row for row in rows if row.account == entry.account)
    return next((row for row in own if is_meant(row, reference)), None)


def _ref(row: Followed, hashes: dict[str, dict[int, int]]) -> ChatRef:
    entity = row.key.entity_id
    return ChatRef(
        id=entity,
        type=row.type,
        username=row.username,
        title=row.title,
        account=row.account,
        access_hash={
            account: known[entity] for account, known in hashes.items() if entity in known
        },
        comments_of=row.comments_of,
        migrated_from=row.migrated_from,
    )
