"""chats.yaml: the followed chats, for people to read, change and keep under version control.

Commands write whole records in a stable order; people may write as little as a name or link, which
`chats apply` completes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tg_pipeline.contracts import ChatType
from tg_pipeline.contracts.identity import numbers_its_own_messages
from tg_pipeline.contracts.types import Id
from tg_pipeline.errors import ChatsFileInvalid, ReferenceUnreadable, UsageError
from tg_pipeline.files import durable, make_folder
from tg_pipeline.sources.telegram.chat_ref import ChatRef
from tg_pipeline.sources.telegram.references import Named, Reference, read_reference
from tg_pipeline.sources.telegram.sessions import DEFAULT_ACCOUNT, account_name

_HEADER = """\
# Chats that `tg-pipeline fetch` reads. `tg-pipeline chats add`, `remove`, `import`, `discover` and
# `apply` write this file anew, in order of account and id; comments of yours are not kept.
#
# To add a chat by hand, add a line such as
#   - harbour_news
#   - https://t.me/+AbCdEfGhIjKl
#   - {username: harbour_news, account: second}
# To end fetching one, delete its entry. `tg-pipeline chats plan` shows what would change, and
# `tg-pipeline chats apply` changes it and completes the entries.
#
# id             marked peer id       type         private, bot, saved, group, supergroup, channel
# account        who reads it         access_hash  what Telegram wants to see, by account
# comments_of    channel whose comments it holds
# migrated_from  basic group that it was before it became a supergroup
"""
_WIDE = 1 << 16
"""No line is folded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One chat of the file.

    Attributes:
        account: who shall read it.
        ref: the chat; None where only its name is known.
        reference: its name, where the chat is not known yet.
    """

    account: str
    ref: ChatRef | None = None
    reference: Reference | None = None

    @property
    def called(self) -> str:
        """How to speak of it."""
        return self.ref.called if self.ref is not None else str(self.reference)


class _Record(BaseModel):
    """What may stand in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: Id | None = None
    type: ChatType | None = None
    username: str | None = None
    link: str | None = None
    title: str | None = None
    account: str = DEFAULT_ACCOUNT
    access_hash: dict[str, Id] = Field(default_factory=dict)
    comments_of: Id | None = None
    migrated_from: Id | None = None


def read_chats(path: Path) -> list[Entry]:
    """All entries of the file; none if there is no file.

    Raises:
        ChatsFileInvalid: it is not what it should be; the error says where.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ChatsFileInvalid(path, "the file", str(error)) from error
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "the file"
        raise ChatsFileInvalid(path, place, _first_line(error)) from error
    if found is None:
        return []
    if not isinstance(found, list):
        raise ChatsFileInvalid(path, "the file", "a list of chats is expected")
    entries = [_entry(path, f"entry {place}", one) for place, one in enumerate(found, 1)]
    _require_once(path, entries)
    return entries


def write_chats(path: Path, entries: Iterable[Entry]) -> None:
    """Write the file, whole or not at all.

    Raises:
        FolderNotWritable, DiskFull
    """
    records = [_written(one) for one in sorted(entries, key=_order)]
    text = yaml.dump(records, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDE)
    make_folder(path.parent)
    with durable(path) as file:
        file.write(f"{_HEADER}\n{text if records else ''}".encode("utf-8", "replace"))


def same_chat(one: ChatRef) -> tuple[int, str]:
    """What two entries of one chat have in common: ids counted per account name it together."""
    return one.id, "" if numbers_its_own_messages(one.id) else one.account


class _Dumper(yaml.SafeDumper):
    """Escapes what cannot be seen: unquoted, some of it would be read as the end of a line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _entry(path: Path, place: str, found: Any) -> Entry:
    try:
        if isinstance(found, str | int) and not isinstance(found, bool):
            return Entry(DEFAULT_ACCOUNT, reference=read_reference(str(found)))
        record = _Record.model_validate(found)
        account = account_name(record.account)
        for name in record.access_hash:
            account_name(name)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ChatsFileInvalid(path, place, f"{where}: {first['msg']}".strip(": ")) from None
    except (ReferenceUnreadable, UsageError) as error:
        raise ChatsFileInvalid(path, place, error.message) from error
    if record.id is not None and record.type is not None:
        facts = record.model_dump(exclude={"link"})
        return Entry(account, ref=ChatRef.model_validate(facts))
    return Entry(account, reference=_named(path, place, record))


def _named(path: Path, place: str, record: _Record) -> Reference:
    texts = (record.link, record.username, record.id)
    text = next((str(one) for one in texts if one is not None), None)
    if text is None:
        raise ChatsFileInvalid(path, place, "an id, a username or a link is needed")
    try:
        return read_reference(text)
    except ReferenceUnreadable as error:
        raise ChatsFileInvalid(path, place, error.message) from error


def _require_once(path: Path, entries: list[Entry]) -> None:
    seen: dict[object, int] = {}
    for place, entry in enumerate(entries, 1):
        name: object = (entry.account, entry.reference)
        if entry.ref is not None:
            name = same_chat(entry.ref)
        if name in seen:
            raise ChatsFileInvalid(path, f"entry {place}", f"it is entry {seen[name]} again")
        seen[name] = place


def _order(entry: Entry) -> tuple[object, ...]:
    if entry.ref is None:
        return (entry.account, 1, 0, str(entry.reference).lower())
    return (entry.account, 0, entry.ref.id, "")


def _written(entry: Entry) -> dict[str, Any]:
    if entry.ref is not None:
        facts = entry.ref.model_dump(mode="json", exclude_none=True)
        return {name: value for name, value in facts.items() if value != {}}
    return dict(_written_reference(entry))


def _written_reference(entry: Entry) -> Iterator[tuple[str, object]]:
    reference = entry.reference
    if reference is None:
        raise ValueError("an entry names a chat")
    match reference.named:
        case Named.ID:
            yield "id", int(reference.value)
        case Named.INVITE:
            yield "link", str(reference)
        case _:
            yield "username", reference.value
    yield "account", entry.account


def _first_line(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
