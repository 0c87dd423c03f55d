"""How people name a chat: a username, a link, an invitation, an id. Reading them asks nobody."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

from tg_pipeline.contracts.identity import channel_peer
from tg_pipeline.errors import ReferenceUnreadable

_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}", re.ASCII)
_ID = re.compile(r"-?[1-9][0-9]{0,18}", re.ASCII)
_INVITE = re.compile(r"[A-Za-z0-9_-]{10,64}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_HOSTS = {"t.me", "telegram.me", "telegram.dog"}
# fmt: off
_NO_CHATS = {
    "addemoji", "addlist", "addstickers", "addtheme", "bg", "boost", "confirmphone", "contact",
    "giftcode", "invoice", "iv", "login", "m", "nft", "passport", "proxy", "setlanguage", "share",
    "socks",
}
# fmt: on
"""First words of links that lead to something else than a chat."""
_LARGEST = 2**63


class Named(StrEnum):
    """In which way a chat is named."""

    ME = "me"
    USERNAME = "username"
    ID = "id"
    INVITE = "invite"


@dataclass(frozen=True, slots=True)
class Reference:
    """A chat as somebody named it.

    Attributes:
        named: in which way.
        value: the username without @, the hash of an invite link, the id as given, or "me".
    """

    named: Named
    value: str

    def __str__(self) -> str:
        match self.named:
            case Named.USERNAME:
                return f"@{self.value}"
            case Named.INVITE:
                return f"https://t.me/+{self.value}"
            case _:
                return self.value

    @property
    def id(self) -> int | None:
        """The id, if it was named by it."""
        return int(self.value) if self.named is Named.ID else None


ME = Reference(Named.ME, "me")


def read_reference(text: str, place: str | None = None) -> Reference:
    """What a text names.

    Args:
        text: `harbour`, `@harbour`, `https://t.me/harbour/17`, `t.me/c/1613744721/5`,
            `https://t.me/+AbC…`, `-1001613744721`, `me`.
        place: where it stands, for the error.

    Raises:
        ReferenceUnreadable: no chat.
    """
    found = _read(text.strip())
    if found is None:
        raise ReferenceUnreadable(text.strip(), place)
    return found


def read_list(lines: Iterable[str], file: str) -> Iterator[Reference]:
    """The references of a list, one a line; what follows a # is a comment.

    Raises:
        ReferenceUnreadable: a line names no chat; the error says which.
    """
    for number, line in enumerate(lines, 1):
        text = re.split(r"(?:^|\s)#", line.lstrip("\ufeff"), maxsplit=1)[0].strip().rstrip(",;")
        if text:
            yield read_reference(text, f"{file}, line {number}")


def _read(text: str) -> Reference | None:
    if text.lower() == Named.ME:
        return ME
    if _ID.fullmatch(text):
        return _by_id(int(text))
    if _USERNAME.fullmatch(text.removeprefix("@")):
        return Reference(Named.USERNAME, text.removeprefix("@"))
    try:
        return _of_link(text)
    except ValueError:  # a port that is none, brackets that do not match
        return None


def _by_id(number: int) -> Reference | None:
    return Reference(Named.ID, str(number)) if -_LARGEST <= number < _LARGEST else None


def _of_link(text: str) -> Reference | None:
    parts = urlsplit(text if "://" in text else f"https://{text}")
    if parts.scheme == "tg":
        asked = parse_qs(parts.query)
        if parts.netloc == "join":
            return _invite(asked.get("invite", [""])[0])
        if parts.netloc == "resolve":
            return _username(asked.get("domain", [""])[0])
        return _private(asked.get("channel", [""])[0]) if parts.netloc == "privatepost" else None
    host = (parts.hostname or "").removeprefix("www.")
    words = [unquote(word) for word in parts.path.split("/") if word]
    if parts.scheme not in {"http", "https"}:
        return None
    if host in _HOSTS:
        return _of_words(words)
    name, _, rest = host.partition(".")  # name.t.me
    return _username(name) if rest == "t.me" else None


def _of_words(words: list[str]) -> Reference | None:
    match words:
        case ["joinchat", code, *_]:
            return _invite(code)
        case [word, *_] if word.startswith(("+", " ")):
            return _invite(word[1:])
        case ["c", number, *_]:
            return _private(number)
        case ["s", name, *_]:
            return _username(name)
        case [name, *_]:
            return _username(name.removeprefix("@"))
        case _:
            return None


def _username(name: str) -> Reference | None:
    if name.lower() in _NO_CHATS or _USERNAME.fullmatch(name) is None:
        return None
    return Reference(Named.USERNAME, name)


def _invite(code: str) -> Reference | None:
    """A link with digits only after the + is somebody's phone number."""
    if _INVITE.fullmatch(code) is None or _DIGITS.fullmatch(code):
        return None
    return Reference(Named.INVITE, code)


def _private(number: str) -> Reference | None:
    """Links to messages of private channels leave out the mark of the id."""
    if _ID.fullmatch(number) is None or number.startswith("-"):
        return None
    return _by_id(channel_peer(int(number)))
