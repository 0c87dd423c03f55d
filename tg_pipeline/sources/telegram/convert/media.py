"""What is attached to a message, in Telegram Desktop's vocabulary."""

from collections.abc import Callable, Iterable
from typing import Any

from telethon.tl import types

from tg_pipeline.contracts import Media, Poll, PollAnswer
from tg_pipeline.sources.telegram.convert.text import plain_text
from tg_pipeline.sources.unfit import Unfit

Kind = type[Any]
_EXPIRED = "expired"
"""It was to be seen once, or for a short time."""
_UNAVAILABLE = "unavailable"
_NO_PIXELS: tuple[Kind, ...] = (
    types.PhotoSizeEmpty,
    types.PhotoStrippedSize,
    types.PhotoPathSize,
)
_ORDER = ("sticker", "video_message", "voice_message", "animation", "video_file", "audio_file")
"""A document's attributes may make it several things; Desktop takes the first of these."""


def media_of(media: Any) -> Media | None:
    """A message's media. A poll is a field of its own, and a live story leaves nothing.

    Raises:
        Unfit: unknown_media.
    """
    make = MAKERS.get(type(media))
    if make is None:
        raise Unfit("unknown_media", f"media of type {type(media).__name__} is not known")
    return make(media)


def poll_of(media: Any) -> Poll:
    """A poll with the votes that the account may see."""
    poll, results = media.poll, media.results
    votes = {voters.option: voters for voters in results.results or ()}
    return Poll(
        question=plain_text(poll.question),
        closed=bool(poll.closed),
        total_voters=results.total_voters,
        answers=tuple(_answer(answer, votes.get(answer.option)) for answer in poll.answers),
    )


def _answer(answer: Any, voters: Any) -> PollAnswer:
    text = plain_text(answer.text)
    if voters is None:
        return PollAnswer(text=text)
    return PollAnswer(text=text, voters=voters.voters, chosen=bool(voters.chosen))


def _photo(media: Any) -> Media:
    photo = media.photo
    if type(photo) is not types.Photo:
        return _missing("photo", media)
    best = max(_with_pixels(photo.sizes), key=_area, default=None)
    if best is None:
        return Media(type="photo", remote_id=str(photo.id))
    return Media(
        type="photo",
        size=_bytes(best),
        width=best.w,
        height=best.h,
        remote_id=str(photo.id),
    )


def _with_pixels(sizes: Iterable[Any]) -> list[Any]:
    return [size for size in sizes if not isinstance(size, _NO_PIXELS)]


def _area(size: Any) -> int:
    return int(size.w * size.h)


def _bytes(size: Any) -> int | None:
    if type(size) is types.PhotoSizeProgressive:
        return max(size.sizes, default=None)
    return len(size.bytes) if type(size) is types.PhotoCachedSize else size.size


def _missing(kind: str, media: Any) -> Media:
    return Media(type=kind, missing_reason=_EXPIRED if media.ttl_seconds else _UNAVAILABLE)


def _document(media: Any) -> Media:
    document = media.document
    if type(document) is not types.Document:
        return _missing("file", media)
    facts: dict[str, Any] = {}
    kinds: set[str] = set()
    for attribute in document.attributes:
        if read := _ATTRIBUTES.get(type(attribute)):
            kinds.add(read(attribute, facts))
    return Media(
        type=next((kind for kind in _ORDER if kind in kinds), "file"),
        mime_type=document.mime_type or None,
        size=document.size,
        remote_id=str(document.id),
        **facts,
    )


def _pixels(attribute: Any, facts: dict[str, Any]) -> str:
    if attribute.w and attribute.h:
        facts["width"], facts["height"] = attribute.w, attribute.h
    return ""


def _video(attribute: Any, facts: dict[str, Any]) -> str:
    _pixels(attribute, facts)
    facts["duration"] = int(attribute.duration) or None
    return "video_message" if attribute.round_message else "video_file"


def _audio(attribute: Any, facts: dict[str, Any]) -> str:
    facts["duration"] = attribute.duration or None
    return "voice_message" if attribute.voice else "audio_file"


def _name(attribute: Any, facts: dict[str, Any]) -> str:
    facts["file_name"] = attribute.file_name or None
    return ""


_ATTRIBUTES: dict[Kind, Callable[[Any, dict[str, Any]], str]] = {
    types.DocumentAttributeImageSize: _pixels,
    types.DocumentAttributeVideo: _video,
    types.DocumentAttributeAudio: _audio,
    types.DocumentAttributeFilename: _name,
    types.DocumentAttributeAnimated: lambda _attribute, _facts: "animation",
    types.DocumentAttributeSticker: lambda _attribute, _facts: "sticker",
    types.DocumentAttributeCustomEmoji: lambda _attribute, _facts: "sticker",
}


def _named(kind: str) -> Callable[[Any], Media]:
    return lambda _media: Media(type=kind)


def _nothing(_media: Any) -> None:
    return None


def _venue(media: Any) -> Media | None:
    """Desktop tells a venue by its name; without one there may be a place left."""
    if media.title:
        return Media(type="venue")
    return None if type(media.geo) is types.GeoPointEmpty else Media(type="location")


MAKERS: dict[Kind, Callable[[Any], Media | None]] = {
    types.MessageMediaPhoto: _photo,
    types.MessageMediaDocument: _document,
    types.MessageMediaVenue: _venue,
    types.MessageMediaContact: _named("contact"),
    types.MessageMediaGeo: _named("location"),
    types.MessageMediaGeoLive: _named("location"),
    types.MessageMediaGame: _named("game"),
    types.MessageMediaInvoice: _named("invoice"),
    types.MessageMediaGiveaway: _named("giveaway"),
    types.MessageMediaGiveawayResults: _named("giveaway_results"),
    types.MessageMediaToDo: _named("todo_list"),
    types.MessageMediaPaidMedia: _named("paid_media"),
    types.MessageMediaWebPage: _named("web_page"),
    types.MessageMediaDice: _named("dice"),
    types.MessageMediaStory: _named("story"),
    types.MessageMediaPoll: _nothing,
    types.MessageMediaVideoStream: _nothing,
    types.MessageMediaUnsupported: _nothing,
    types.MessageMediaEmpty: _nothing,
}
