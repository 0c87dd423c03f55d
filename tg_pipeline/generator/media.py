"""Pictures, voices, files and everything else that can hang on a message."""

from collections.abc import Callable

from tg_pipeline.generator.draws import Draw, wheel
from tg_pipeline.generator.model import Attachment, PollSheet
from tg_pipeline.generator.phrases import FILES, LAST_NAMES, PLACES, POLLS, SONGS, STICKERS

EDITABLE = frozenset({"photo", "video_file", "animation", "audio_file", "file"})
"""Media whose caption can be edited."""

_KINDS = wheel(
    photo=340, sticker=190, voice_message=110, animation=80, video_file=80, file=60,
    video_message=50, audio_file=25, contact=12, location=12, venue=8, game=6, invoice=6,
    giveaway=3,
)  # fmt: skip
_TOO_BIG = "(File exceeds maximum size. Change data exporting settings to download.)"
_UNAVAILABLE = "(File unavailable, please try again later)"


def attach(draw: Draw) -> Attachment:
    """Some media."""
    return _MAKERS[draw.pick(_KINDS)](draw)


def photo(draw: Draw) -> Attachment:
    """A photo, landscape or portrait."""
    width, height = draw.pick(((1280, 960), (960, 1280), (1280, 720), (800, 800)))
    return Attachment(
        "photo",
        stem="photo",
        size=draw.between(40_000, 400_000),
        width=width,
        height=height,
        absent=_UNAVAILABLE if draw.chance(8) else "",
    )


def poll(draw: Draw) -> PollSheet:
    """A poll and how it will end."""
    question, answers = draw.pick(POLLS)
    return PollSheet(question, answers, tuple(draw.below(60) for _ in answers))


def _sticker(draw: Draw) -> Attachment:
    moving = draw.chance(300)
    return Attachment(
        "sticker",
        stem="sticker.webm" if moving else "sticker.webp",
        mime_type="video/webm" if moving else "image/webp",
        size=draw.between(8_000, 60_000),
        width=512,
        height=512,
        thumbnail=True,
        fields=(("sticker_emoji", draw.pick(STICKERS)),),
    )


def _voice_message(draw: Draw) -> Attachment:
    duration = draw.between(1, 180)
    return Attachment(
        "voice_message",
        stem="audio.ogg",
        mime_type="audio/ogg",
        size=duration * 4_100,
        duration=duration,
    )


def _moving(kind: str, stem: str, width: int, height: int) -> Callable[[Draw], Attachment]:
    """Videos of all kinds."""

    def make(draw: Draw) -> Attachment:
        duration = draw.between(2, 60)
        return Attachment(
            kind,
            stem=stem,
            mime_type="video/mp4",
            size=duration * draw.between(80_000, 260_000),
            width=width,
            height=height,
            duration=duration,
            thumbnail=True,
            absent=_TOO_BIG if draw.chance(60) else "",
        )

    return make


def _audio_file(draw: Draw) -> Attachment:
    performer, title = draw.pick(SONGS)
    duration = draw.between(90, 320)
    return Attachment(
        "audio_file",
        stem=f"{title}.mp3",
        mime_type="audio/mpeg",
        size=duration * 32_000,
        duration=duration,
        fields=(("performer", performer), ("title", title)),
    )


def _file(draw: Draw) -> Attachment:
    stem, ending, mime_type = draw.pick(FILES)
    return Attachment(
        "file",
        stem=f"{stem}-{draw.between(1, 40)}.{ending}",
        mime_type=mime_type,
        size=draw.between(900, 9_000_000),
        thumbnail=ending == "pdf",
    )


def _contact(draw: Draw) -> Attachment:
    facts = {
        "first_name": "Harbour desk",
        "last_name": draw.pick(LAST_NAMES),
        "phone_number": f"+1 202 555 01{draw.between(10, 99)}",
    }
    return Attachment("contact", fields=(("contact_information", facts),))


def _point(draw: Draw) -> dict[str, float]:
    return {
        "latitude": draw.between(540_000, 590_000) / 10_000,
        "longitude": draw.between(80_000, 200_000) / 10_000,
    }


def _location(draw: Draw) -> Attachment:
    live = (("live_location_period_seconds", 900),) if draw.chance(300) else ()
    return Attachment("location", fields=(("location_information", _point(draw)), *live))


def _venue(draw: Draw) -> Attachment:
    place = draw.pick(PLACES)
    return Attachment(
        "venue",
        fields=(
            ("place_name", f"Teahouse {place}"),
            ("address", f"{draw.between(1, 90)} Quay Street"),
            ("location_information", _point(draw)),
        ),
    )


def _game(_draw: Draw) -> Attachment:
    return Attachment(
        "game",
        fields=(
            ("game_title", "Lantern Hop"),
            ("game_description", "Hop from boat to boat before the lights go out."),
            ("game_link", "https://t.me/tidewell_bot?game=lanternhop"),
        ),
    )


def _invoice(draw: Draw) -> Attachment:
    facts = {
        "title": "Lantern sponsorship",
        "description": "One lantern for one evening",
        "amount": draw.between(3, 40) * 100,
        "currency": "EUR",
    }
    return Attachment("invoice", fields=(("invoice_information", facts),))


def _giveaway(draw: Draw) -> Attachment:
    facts = {
        "quantity": draw.between(1, 20),
        "months": 3,
        "until_date": "2030-01-01T12:00:00",
        "channels": [1_500_000_101],
    }
    return Attachment("giveaway", fields=(("giveaway_information", facts),))


_MAKERS: dict[str, Callable[[Draw], Attachment]] = {
    "photo": photo,
    "sticker": _sticker,
    "voice_message": _voice_message,
    "video_message": _moving("video_message", "round.mp4", 384, 384),
    "animation": _moving("animation", "lantern.gif.mp4", 480, 270),
    "video_file": _moving("video_file", "harbour.mp4", 1280, 720),
    "audio_file": _audio_file,
    "file": _file,
    "contact": _contact,
    "location": _location,
    "venue": _venue,
    "game": _game,
    "invoice": _invoice,
    "giveaway": _giveaway,
}
