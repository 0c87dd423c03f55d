"""One message as the JSON object Telegram Desktop writes for it, key by key in its order."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from zoneinfo import ZoneInfo

from tg_pipeline.contracts import Kind, Reaction
from tg_pipeline.generator.model import Attachment, Part, Peer, PollSheet, Post, TrueMessage
from tg_pipeline.generator.style import DesktopStyle

Json = dict[str, object]
NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"
_CHANNEL = 10**12
_OLDEST_USER, _OLDEST_CHAT = 1 << 32, 1 << 33
_VALUE_KEYS = {
    "text_link": "href",
    "mention_name": "user_id",
    "pre": "language",
    "custom_emoji": "document_id",
    "blockquote": "collapsed",
}
_OLD_TYPES = frozenset(
    {"plain", "link", "text_link", "mention", "mention_name", "hashtag", "bold", "italic", "code"}
    | {"underline", "strikethrough", "pre", "phone", "email", "bot_command", "cashtag"}
)
_FOLDERS = {
    "sticker": "stickers",
    "voice_message": "voice_messages",
    "video_message": "round_video_messages",
    "animation": "video_files",
    "video_file": "video_files",
    "audio_file": "files",
    "file": "files",
}


class MessageWriter:
    """Turns true messages into Desktop's objects; keeps the numbering of one export."""

    def __init__(self, style: DesktopStyle) -> None:
        self._style = style
        self._zone = ZoneInfo(style.timezone)
        self._never = datetime.fromtimestamp(0, self._zone).isoformat()[:19]
        self._numbers = count(style.first_number)
        self._emoji: dict[str, str] = {}

    def write(self, message: TrueMessage) -> Json:
        """The object of one message."""
        post = message.post
        if post.kind is Kind.UNSUPPORTED:
            return {"id": post.id, "type": "unsupported"}
        made: Json = {"id": post.id, "type": post.kind.value, "date": self._local(post.sent)}
        self._stamps(made, message)
        if message.content.action:
            self._action(made, message)
        else:
            self._message(made, message)
        return made

    def peer(self, marked: int) -> str | int:
        """A peer as this era writes it."""
        if self._style.era == "oldest":
            return self.bare(marked)
        if marked > 0:
            return f"user{marked}"
        return f"channel{-marked - _CHANNEL}" if marked < -_CHANNEL else f"chat{-marked}"

    def bare(self, marked: int) -> int:
        """A peer's number, which the oldest versions shifted by its type."""
        number = marked if marked > 0 else -marked - (_CHANNEL if marked < -_CHANNEL else 0)
        if self._style.era != "oldest":
            return number
        if number >= _OLDEST_USER:
            raise ValueError(f"an export of the oldest era cannot hold the id {number}")
        return number | (_OLDEST_USER if marked > 0 else _OLDEST_CHAT)

    def name(self, peer: Peer) -> str | None:
        """A peer's name as the exporter's contacts have it."""
        names = self._style.contact_names
        return names.get(peer.id, peer.name)

    def _local(self, moment: int) -> str:
        return datetime.fromtimestamp(moment, self._zone).isoformat()[:19]

    def _stamps(self, made: Json, message: TrueMessage) -> None:
        if self._style.unix_times:
            made["date_unixtime"] = str(message.post.sent)
        if message.edited is not None:
            made["edited"] = self._local(message.edited)
            if self._style.unix_times:
                made["edited_unixtime"] = str(message.edited)
        elif self._style.era == "oldest":
            made["edited"] = self._never

    def _action(self, made: Json, message: TrueMessage) -> None:
        action = message.content.action
        if action is None:
            return
        made["actor"] = self.name(message.post.sender)
        made["actor_id"] = self.peer(message.post.sender.id)
        made["action"] = action.type
        if action.title is not None:
            made["title"] = action.title
        for key, value in action.fields:
            made[key] = self._named(value)
        made["text"] = ""
        if self._style.recent:
            made["text_entities"] = []

    def _named(self, value: object) -> object:
        if isinstance(value, Peer):
            return self.name(value)
        return [self._named(one) for one in value] if isinstance(value, tuple) else value

    def _message(self, made: Json, message: TrueMessage) -> None:
        post, content = message.post, message.content
        made["from"] = self.name(post.sender)
        made["from_id"] = self.peer(post.sender.id)
        if post.author is not None:
            made["author"] = post.author
        self._origin(made, post)
        if content.media is not None:
            self._media(made, content.media, post.sent)
        if content.poll is not None:
            made["poll"] = _poll(content.poll, message.votes, closed=message.poll_closed)
        self._text(made, content.parts)
        if post.buttons:
            made["inline_bot_buttons"] = [[dict(button) for button in row] for row in post.buttons]
        if message.reactions and self._style.unix_times:
            made["reactions"] = [self._reaction(reaction) for reaction in message.reactions]

    def _origin(self, made: Json, post: Post) -> None:
        """Forward, reply and bot."""
        if post.forwarded is not None:
            made["forwarded_from"] = post.forwarded.name
            if post.forwarded.id is not None and self._style.recent:
                made["forwarded_from_id"] = self.peer(post.forwarded.id)
            if post.forwarded.saved_from is not None:
                made["saved_from"] = post.forwarded.saved_from
        if post.reply_to is not None and (self._style.unix_times or post.reply_to_peer is None):
            made["reply_to_message_id"] = post.reply_to
            if post.reply_to_peer is not None:
                made["reply_to_peer_id"] = self.peer(post.reply_to_peer)
        if post.via_bot is not None:
            made["via_bot"] = post.via_bot

    def _text(self, made: Json, parts: Sequence[Part]) -> None:
        objects = [self._part(part) for part in parts]
        if len(parts) > 1 and parts[-1].type != "plain":
            objects.append({"type": "plain", "text": ""})
        if not parts:
            made["text"] = ""
        elif len(parts) == 1 and parts[0].type == "plain":
            made["text"] = parts[0].text
        else:
            made["text"] = [one["text"] if one["type"] == "plain" else one for one in objects]
        if self._style.recent:
            made["text_entities"] = objects

    def _part(self, part: Part) -> Json:
        kind, text, value = part
        if self._style.era != "new" and kind not in _OLD_TYPES:
            return {"type": "unknown", "text": text}
        if kind == "custom_emoji":
            return {"type": kind, "text": text, "document_id": self._document(str(value))}
        if key := _VALUE_KEYS.get(kind):
            return {"type": kind, "text": text, key: value}
        return {"type": kind, "text": text}

    def _document(self, key: str) -> str:
        """A custom emoji's file, numbered by this export."""
        if key not in self._emoji:
            number = next(self._numbers)
            suffix = f" ({number})" if number > 1 else ""
            self._emoji[key] = f"stickers/sticker{suffix}.webm"
        return self._emoji[key]

    def _media(self, made: Json, media: Attachment, sent: int) -> None:
        if media.kind == "photo":
            made["photo"] = media.absent or self._path("photos/photo.jpg", sent)
            if self._style.recent:
                made["photo_file_size"] = media.size
            made.update(width=media.width, height=media.height)
        elif media.kind in _FOLDERS:
            made.update(self._file(media, sent))
        else:
            made.update(media.fields)

    def _file(self, media: Attachment, sent: int) -> Iterator[tuple[str, object]]:
        path = media.absent or self._path(f"{_FOLDERS[media.kind]}/{media.stem}", sent)
        yield "file", path
        if self._style.recent:
            yield from (("file_name", media.stem), ("file_size", media.size))
        if media.thumbnail:
            yield "thumbnail", path if path.startswith("(") else f"{path}_thumb.jpg"
            if self._style.recent:
                yield "thumbnail_file_size", media.size // 40 + 900
        if media.kind != "file":
            yield "media_type", media.kind
        yield from media.fields
        yield "mime_type", media.mime_type
        if media.duration:
            yield "duration_seconds", media.duration
        if media.width:
            yield from (("width", media.width), ("height", media.height))

    def _path(self, path: str, sent: int) -> str:
        if not self._style.files_included:
            return NOT_INCLUDED
        stem, dot, ending = path.rpartition(".")
        stamp = datetime.fromtimestamp(sent, self._zone).strftime("%d-%m-%Y_%H-%M-%S")
        return f"{stem}_{next(self._numbers)}@{stamp}{dot}{ending}"

    def _reaction(self, reaction: Reaction) -> Json:
        made: Json = {"type": reaction.type, "count": reaction.count}
        if reaction.emoji is not None:
            made["emoji"] = reaction.emoji
        elif reaction.document_id is not None:
            made["document_id"] = self._document(reaction.document_id)
        return made


def _poll(sheet: PollSheet, votes: Sequence[int], *, closed: bool) -> Json:
    return {
        "question": sheet.question,
        "closed": closed,
        "total_voters": sum(votes),
        "answers": [
            {"text": text, "voters": voters, "chosen": False}
            for text, voters in zip(sheet.answers, votes, strict=True)
        ],
    }


def local_day(moment: int) -> str:
    """A date as contact lists have it, UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat()[:19]
