"""Which chats are followed: chats.yaml, the database, and what brings the two together.

`add`, `remove` and `discover` change both by the same chats; `apply` makes the database what the
file says. Names are Telegram's to change, so they are no difference.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tg_pipeline.contracts import ChatKey, ChatType
from tg_pipeline.errors import ChatsFileInvalid, NotLoggedIn, TgPipelineError
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.finding import Found, find, listed
from tg_pipeline.flows.listing import (
    Pair,
    followed_by,
    known_refs,
    matched,
    meant,
    rewrite,
    user_ids,
)
from tg_pipeline.sources.telegram.chat_ref import ChatRef
from tg_pipeline.sources.telegram.chats_file import Entry, read_chats
from tg_pipeline.sources.telegram.patience import Waiting, patiently
from tg_pipeline.sources.telegram.references import Reference, read_reference
from tg_pipeline.sources.telegram.resolve import Dialog, Whole
from tg_pipeline.sources.telegram.sessions import DEFAULT_ACCOUNT, Sessions, account_name
from tg_pipeline.store import accounts, followed
from tg_pipeline.store.followed import Followed, Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """A chat that the file has otherwise than the database, and in what."""

    chat: Followed
    ref: ChatRef
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """What `apply` would do.

    Attributes:
        add: entries of the file that are not followed.
        remove: chats that are followed and not in the file.
        change: chats that differ.
    """

    add: tuple[Entry, ...] = ()
    remove: tuple[Followed, ...] = ()
    change: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove or self.change)


@dataclass(slots=True)
class Outcome:
    """What became of the list of chats.

    Attributes:
        added, changed: as they are in the list now.
        removed: not followed any more.
        failed: what could not be done, and why.
        stopped: why the rest was not asked for; the same command goes on another time.
    """

    added: list[Followed] = field(default_factory=list)
    changed: list[Followed] = field(default_factory=list)
    removed: list[Followed] = field(default_factory=list)
    failed: list[TgPipelineError] = field(default_factory=list)
    stopped: TgPipelineError | None = None

    @property
    def trouble(self) -> list[TgPipelineError]:
        """What kept something from being done, the worst first."""
        return [error for error in (self.stopped, *self.failed) if error is not None]

    def require_all(self) -> None:
        """Raise the first of what kept something from being done."""
        for error in self.trouble:
            raise error


@dataclass(frozen=True, slots=True)
class Discovered:
    """A chat in an account's list of chats."""

    dialog: Dialog
    key: ChatKey
    followed: bool


def chats_to_fetch(archive: Archive, account: str | None = None) -> list[Followed]:
    """All followed chats, or those of one account."""
    with archive.database.snapshot() as connection:
        return followed.every(connection, account)


def followed_keys(archive: Archive, account: str, texts: Iterable[str]) -> list[ChatKey]:
    """The chats that an account follows and that keys, ids, usernames or links stand for.

    Raises:
        ChatNotFollowed: it does not follow such a chat.
        ReferenceUnreadable: a text names no chat at all.
    """
    rows = chats_to_fetch(archive, account)
    return list(dict.fromkeys(row.key for text in texts for row in meant(rows, text)))


def plan_chats(archive: Archive) -> Drift:
    """What `apply_chats` would change; nobody is asked.

    Raises:
        ChatsFileInvalid: the file is missing, or not what it should be.
    """
    pairs, rows = _pairs(archive)
    kept = {pair.row.key for pair in pairs if pair.row is not None}
    return Drift(
        add=tuple(pair.entry for pair in pairs if pair.row is None),
        remove=tuple(row for row in rows if row.key not in kept),
        change=tuple(
            Change(pair.row, pair.entry.ref, pair.differing)
            for pair in pairs
            if pair.row is not None and pair.entry.ref is not None and pair.differing
        ),
    )


def apply_chats(
    archive: Archive, *, comments: bool = True, waiting: Waiting = patiently
) -> Outcome:
    """Make the database what the file says, and complete the file's entries.

    Chats are only removed where all entries of the file are known. What ends asking, such as
    `FloodWait` or `NotLoggedIn`, is in the outcome: what was found before is kept.

    Args:
        archive: whose settings and database.
        comments: follow the discussion groups of channels that had to be looked for, too.
        waiting: told the seconds of each wait for Telegram.

    Raises:
        ChatsFileInvalid: and nothing is changed.
        NotLoggedIn: an entry is complete, but its account has never logged in here.
    """
    pairs, rows = _pairs(archive)
    ready, unknown = _sorted_out(archive, pairs)
    found = Found(chats=[Whole(ref) for ref in ready])
    for account, references in unknown.items():
        found.add(find(archive, account, references, comments=comments, waiting=waiting))
    outcome, kept = _keep(archive, found, rows)
    wanted = kept.keys() | {pair.row.key for pair in pairs if pair.row is not None}
    if found.all:
        outcome.removed = [row for row in rows if row.key not in wanted]
        _unfollow(archive, outcome.removed)
    refs = {key: ref for key, ref in known_refs(archive).items() if key in wanted}
    rewrite(archive, fresh=refs, resolved=found.resolved)
    return outcome


def add_chats(
    archive: Archive,
    references: Sequence[Reference],
    account: str = DEFAULT_ACCOUNT,
    *,
    comments: bool = True,
    waiting: Waiting = patiently,
) -> Outcome:
    """Follow these chats from now on.

    What ends asking, such as `FloodWait` or `NotLoggedIn`, is in the outcome.

    Args:
        archive: whose settings and database.
        references: as people name chats.
        account: who reads them.
        comments: follow the discussion groups of channels, too.
        waiting: told the seconds of each wait for Telegram.

    Raises:
        ChatsFileInvalid: and nothing is changed.
    """
    read_chats(archive.settings.chats_file)  # or it is found damaged when all is done
    rows = chats_to_fetch(archive)
    found = find(archive, account_name(account), references, comments=comments, waiting=waiting)
    return _added(archive, found, rows)


def remove_chats(archive: Archive, texts: Iterable[str]) -> Outcome:
    """Follow these chats no more, nor the comments that came with them. What is archived stays.

    Args:
        archive: whose settings and database.
        texts: ids, keys, usernames or links of followed chats.

    Raises:
        ChatNotFollowed: one of them is not followed; nothing is changed.
        ChatsFileInvalid
    """
    rows = chats_to_fetch(archive)
    gone: dict[ChatKey, Followed] = {}
    for text in texts:
        these = meant(rows, text)
        channels = {row.key.entity_id for row in these}
        gone |= {row.key: row for row in rows if row in these or row.comments_of in channels}
    rewrite(archive, gone=gone, rows=rows)
    _unfollow(archive, gone.values())
    return Outcome(removed=list(gone.values()))


def discover_chats(
    archive: Archive,
    account: str = DEFAULT_ACCOUNT,
    add: Iterable[ChatType] = (),
    *,
    comments: bool = True,
    waiting: Waiting = patiently,
) -> tuple[list[Discovered], Outcome]:
    """The account's own list of chats, newest message first; those of some types are added.

    Raises:
        ChatsFileInvalid: and nothing is changed.
    """
    read_chats(archive.settings.chats_file)
    rows, types = chats_to_fetch(archive), frozenset(add)
    before = {row.key for row in rows}

    def choose(ref: ChatRef, key: ChatKey) -> bool:
        return ref.type in types and key not in before

    dialogs, found = listed(
        archive, account_name(account), choose, comments=comments, waiting=waiting
    )
    outcome = _added(archive, found, rows) if types else Outcome(stopped=found.stopped)
    now = before | {one.key for one in outcome.added}
    return [Discovered(one, key, key in now) for one, key in dialogs], outcome


# ---- what they share


def _pairs(archive: Archive) -> tuple[list[Pair], list[Followed]]:
    path = archive.settings.chats_file
    if not path.exists():
        raise ChatsFileInvalid(path, "the file", "it does not exist; `chats add` makes it")
    rows = chats_to_fetch(archive)
    return matched(read_chats(path), rows, user_ids(archive)), rows


def _sorted_out(
    archive: Archive, pairs: Iterable[Pair]
) -> tuple[list[ChatRef], dict[str, list[Reference]]]:
    """Chats that can be kept as they are, and by account those that have to be looked for."""
    with archive.database.snapshot() as connection:
        hashes = {
            one.account: accounts.access(connection, one.account)
            for one in accounts.every(connection)
        }
    ready: list[ChatRef] = []
    unknown: dict[str, list[Reference]] = {}
    for pair in pairs:
        if pair.row is not None and not pair.differing:
            continue
        entry = pair.entry
        ref = entry.ref and _with_access(entry.ref, hashes.get(entry.account, {}))
        if ref is not None and ref.reachable:
            ready.append(_as_known(ref, pair.row))
        else:
            unknown.setdefault(entry.account, []).append(_reference(entry))
    return ready, unknown


def _with_access(ref: ChatRef, known: dict[int, int]) -> ChatRef:
    if ref.id not in known or ref.account in ref.access_hash:
        return ref
    hashes = {**ref.access_hash, ref.account: known[ref.id]}
    return ref.model_copy(update={"access_hash": hashes})


def _as_known(ref: ChatRef, row: Followed | None) -> ChatRef:
    """What the database knows better than the file: names, and what it was before."""
    if row is None:
        return ref
    names = ("title", "username", "migrated_from")
    known = {name: getattr(row, name) for name in names if getattr(row, name) is not None}
    return ref.model_copy(update=known)


def _reference(entry: Entry) -> Reference:
    if entry.reference is not None:
        return entry.reference
    if entry.ref is None:
        raise ValueError("an entry names a chat")
    return read_reference(entry.ref.username or str(entry.ref.id))


def _added(archive: Archive, found: Found, rows: Sequence[Followed]) -> Outcome:
    outcome, kept = _keep(archive, found, rows)
    refs = known_refs(archive)
    rewrite(archive, fresh={key: refs[key] for key in kept}, resolved=found.resolved)
    return outcome


def _keep(
    archive: Archive, found: Found, rows: Sequence[Followed]
) -> tuple[Outcome, dict[ChatKey, Followed]]:
    """Write down what was found; what became of it, and all that is kept now."""
    before, users = {row.key: row for row in rows}, user_ids(archive)
    kept: dict[ChatKey, Followed] = {}
    snapshots: dict[ChatKey, Snapshot] = {}
    for whole in found.chats:
        ref, key = whole.ref, _key(archive, whole.ref, users)
        snapshots[key] = Snapshot(key, ref.title, ref.username, whole.members)
        if not _stands_alone(kept.get(key) or before.get(key), ref):
            kept[key] = followed_by(ref, key)
    with archive.database.transaction() as connection:
        for ref in (whole.ref for whole in found.chats):
            for account, access_hash in ref.access_hash.items():
                accounts.may_access(connection, account, {ref.id: access_hash})
        followed.follow(connection, kept.values())
        followed.seen(connection, snapshots.values())
    added = [row for key, row in kept.items() if key not in before]
    changed = [row for key, row in kept.items() if key in before and _differ(row, before[key])]
    return Outcome(added, changed, failed=found.failed, stopped=found.stopped), kept


def _stands_alone(known: Followed | None, ref: ChatRef) -> bool:
    """Whether a chat was added by itself, and now is only met as another's comments."""
    return known is not None and known.comments_of is None and ref.comments_of is not None


def _differ(one: Followed, other: Followed) -> bool:
    return (one.account, one.comments_of) != (other.account, other.comments_of)


def _key(archive: Archive, ref: ChatRef, users: dict[str, int]) -> ChatKey:
    if ref.account not in users:
        raise NotLoggedIn(ref.account, Sessions(archive.settings).place(ref.account))
    return ref.key(users[ref.account])


def _unfollow(archive: Archive, rows: Iterable[Followed]) -> None:
    with archive.database.transaction() as connection:
        followed.unfollow(connection, [row.key for row in rows])
