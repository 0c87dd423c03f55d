"""Media, told apart the way Telegram does: a file by its attributes, all else by its type."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from tg_pipeline.generator.model import Attachment, TrueMessage
from tg_pipeline_tests.telegram_server.tl import TL

_REFERENCE = b"\x01file"
_DC = 4


def media(message: TrueMessage) -> TL | None:
    """What is attached to a message."""
    content = message.content
    if content.poll is not None:
        return _poll(message)
    if content.media is None:
        return None
    number = file_number(message)
    return _MAKERS.get(content.media.kind, _document)(content.media, number, message.date)


def file_number(message: TrueMessage) -> int:
    """An id for a message's file: another for every chat and message."""
    return (abs(message.sender_id) % 10**9) * 10**9 + (message.id + 10**9)


def photo(number: int, date: datetime, width: int, height: int, size: int) -> TL:
    """A photo in its own size and a small one."""
    sizes = [
        types.PhotoSize("m", width // 4, height // 4, size // 12 + 1),
        types.PhotoSize("y", width, height, size),
    ]
    return types.Photo(number, 1, _REFERENCE, date, sizes, _DC)


def _photo(media: Attachment, number: int, date: datetime) -> TL:
    made = photo(number, date, media.width, media.height, media.size)
    return types.MessageMediaPhoto(photo=made)


def _document(media: Attachment, number: int, date: datetime) -> TL:
    kind = media.kind
    document = types.Document(
        number,
        1,
        _REFERENCE,
        date,
        media.mime_type,
        media.size,
        _DC,
        list(_attributes(media)),
        thumbs=[types.PhotoSize("m", 320, 180, 900)] if media.thumbnail else None,
    )
    return types.MessageMediaDocument(
        document=document,
        voice=kind == "voice_message",
        round=kind == "video_message",
        video=kind == "video_file",
    )


def _attributes(media: Attachment) -> Iterator[TL]:
    fields: dict[str, Any] = dict(media.fields)
    kind, length = media.kind, media.duration
    if kind == "sticker":
        yield types.DocumentAttributeSticker(fields["sticker_emoji"], types.InputStickerSetEmpty())
    if kind == "animation":
        yield types.DocumentAttributeAnimated()
    if kind in ("voice_message", "audio_file"):
        yield types.DocumentAttributeAudio(
            length,
            voice=kind == "voice_message",
            title=fields.get("title"),
            performer=fields.get("performer"),
        )
    if media.mime_type.startswith("video/"):
        moving = kind == "video_message"
        yield types.DocumentAttributeVideo(length, media.width, media.height, round_message=moving)
    elif media.mime_type == "image/webp":
        yield types.DocumentAttributeImageSize(media.width, media.height)
    if kind not in ("voice_message", "video_message"):
        yield types.DocumentAttributeFilename(media.stem)


def _poll(message: TrueMessage) -> TL:
    sheet = message.content.poll
    if sheet is None:
        raise ValueError("no poll")
    options = [bytes((48 + number,)) for number in range(len(sheet.answers))]
    answers = [
        types.PollAnswer(types.TextWithEntities(text, []), option)
        for text, option in zip(sheet.answers, options, strict=True)
    ]
    votes = [
        types.PollAnswerVoters(option, voters=count, recent_voters=[])
        for option, count in zip(options, message.votes, strict=True)
    ]
    question = types.TextWithEntities(sheet.question, [])
    return types.MessageMediaPoll(
        types.Poll(file_number(message), question, answers, 0, closed=message.poll_closed),
        types.PollResults(results=votes, total_voters=sum(message.votes)),
    )


def _contact(media: Attachment, _number: int, _date: datetime) -> TL:
    facts: Any = dict(media.fields)["contact_information"]
    return types.MessageMediaContact(
        facts["phone_number"], facts["first_name"], facts["last_name"], vcard="", user_id=0
    )


def _point(media: Attachment) -> TL:
    facts: Any = dict(media.fields)["location_information"]
    return types.GeoPoint(facts["longitude"], facts["latitude"], 0)


def _location(media: Attachment, _number: int, _date: datetime) -> TL:
    period = dict(media.fields).get("live_location_period_seconds")
    if period is not None:
        return types.MessageMediaGeoLive(_point(media), period)
    return types.MessageMediaGeo(_point(media))


def _venue(media: Attachment, _number: int, _date: datetime) -> TL:
    facts = dict(media.fields)
    return types.MessageMediaVenue(_point(media), facts["place_name"], facts["address"], "", "", "")


def _game(media: Attachment, number: int, _date: datetime) -> TL:
    facts: Any = dict(media.fields)
    name = facts["game_link"].rpartition("=")[2]
    nothing = types.PhotoEmpty(0)
    title, description = facts["game_title"], facts["game_description"]
    return types.MessageMediaGame(types.Game(number, 1, name, title, description, nothing))


def _invoice(media: Attachment, _number: int, _date: datetime) -> TL:
    facts: Any = dict(media.fields)["invoice_information"]
    return types.MessageMediaInvoice(
        facts["title"], facts["description"], facts["currency"], facts["amount"], ""
    )


def _giveaway(media: Attachment, _number: int, _date: datetime) -> TL:
    facts: Any = dict(media.fields)["giveaway_information"]
    until = datetime.fromisoformat(facts["until_date"]).replace(tzinfo=UTC)
    return types.MessageMediaGiveaway(
        facts["channels"], facts["quantity"], until, months=facts["months"]
    )


_MAKERS: dict[str, Callable[[Attachment, int, datetime], TL]] = {
    "photo": _photo,
    "contact": _contact,
    "location": _location,
    "venue": _venue,
    "game": _game,
    "invoice": _invoice,
    "giveaway": _giveaway,
}
