"""Composes texts from phrases: plain ones, formatted ones, very long and empty ones."""

from collections.abc import Callable

from tg_pipeline.generator.draws import Draw, wheel
from tg_pipeline.generator.model import Part, Peer
from tg_pipeline.generator.phrases import (
    CODES,
    CUSTOM_EMOJI,
    DIGITS,
    EMOJI,
    HANDLES,
    HEADLINES,
    LINK_WORDS,
    LINKS,
    LISTINGS,
    PLACES,
    SENTENCES,
    TAGS,
)

Parts = tuple[Part, ...]
LONGEST = 4096
_LANGUAGES = tuple(SENTENCES)
_SHAPES = wheel(
    plain=520, emoji=110, only_emoji=40, link=70, text_link=45, mention=40, mention_name=20,
    hashtag=30, bold=30, italic=15, underline=6, strikethrough=6, code=20, pre=8, spoiler=12,
    blockquote=14, custom_emoji=40, phone=4, email=4, bot_command=4, cashtag=3, long=2, empty=2,
)  # fmt: skip
_CHANNEL_SHAPES = wheel(headline=70, text_link=12, plain=8, custom_emoji=6, blockquote=4)
_MODERN_ONLY = {"custom_emoji", "spoiler", "blockquote"}


class Voice:
    """Whose text it is: their language, whom they may name, and what Telegram could do then."""

    __slots__ = ("channel", "extra", "language", "modern", "named")

    def __init__(
        self, language: str, named: Peer, *, channel: bool, modern: bool, extra: int = 0
    ) -> None:
        self.language = language
        self.named = named
        self.channel = channel
        self.modern = modern
        self.extra = extra


def language_of(person: int) -> str:
    """A person's language: half of them write English or Russian."""
    return ("en", "ru")[person // 2 % 2] if person % 2 else _LANGUAGES[person // 2 % 10]


def compose(draw: Draw, voice: Voice) -> Parts:
    """Write a text."""
    shape = draw.pick(_CHANNEL_SHAPES if voice.channel else _SHAPES)
    if shape in _MODERN_ONLY and not voice.modern:
        shape = "plain"
    return _WRITERS[shape](draw, voice, shape)


def caption(draw: Draw, voice: Voice) -> Parts:
    """Write below a picture: often nothing."""
    return (Part("plain", sentence(draw, voice.language)),) if draw.chance(400) else ()


def amend(draw: Draw, parts: Parts, edit: int, language: str) -> Parts:
    """Edit a text so that its content differs from all earlier versions of it."""
    notes = (f"Upd. {edit + 1}: ", f"P.S. {edit + 1}. ", f"Edit {edit + 1} – ")
    text = f"\n\n{draw.pick(notes)}{sentence(draw, language)}"
    if parts and draw.chance(300) and edit == 0:
        parts = parts[:-1]
    room = LONGEST - sum(len(part.text) for part in parts)
    if len(text) > room:
        return (Part("plain", text.lstrip()),)
    return join(*parts, Part("plain", text if parts else text.lstrip()))


def sentence(draw: Draw, language: str) -> str:
    """One sentence in a language."""
    text = draw.pick(SENTENCES[language])
    return fill(draw, text, language) if "{" in text else text


def fill(draw: Draw, text: str, language: str = "en") -> str:
    """Put a number and a place into a template."""
    number = str(draw.between(2, 999))
    if language in DIGITS:
        number = number.translate(DIGITS[language])
    return text.replace("{n}", number).replace("{place}", draw.pick(PLACES))


def join(*parts: Part) -> Parts:
    """Merge neighbouring plain stretches, as Desktop writes them."""
    joined: list[Part] = []
    for part in parts:
        if joined and part.type == joined[-1].type == "plain":
            joined[-1] = Part("plain", joined[-1].text + part.text)
        elif part.text:
            joined.append(part)
    return tuple(joined)


def _some(draw: Draw, voice: Voice) -> str:
    """A few sentences."""
    count = draw.between(2, 5) if voice.channel else draw.pick((1, 1, 1, 2, 2, 3)) + voice.extra
    return " ".join(sentence(draw, voice.language) for _ in range(count))


def _plain(draw: Draw, voice: Voice, _shape: str) -> Parts:
    return (Part("plain", _some(draw, voice)),)


def _emoji(draw: Draw, voice: Voice, _shape: str) -> Parts:
    return (Part("plain", f"{_some(draw, voice)} {draw.pick(EMOJI)}"),)


def _only_emoji(draw: Draw, _voice: Voice, _shape: str) -> Parts:
    return (Part("plain", draw.pick(EMOJI) * draw.pick((1, 1, 1, 2, 3))),)


def _link(draw: Draw, voice: Voice, _shape: str) -> Parts:
    link = Part("link", fill(draw, draw.pick(LINKS)))
    if draw.chance(300):
        return (link,)
    return (Part("plain", f"{_some(draw, voice)}\n"), link)


def _text_link(draw: Draw, voice: Voice, _shape: str) -> Parts:
    link = Part("text_link", draw.pick(LINK_WORDS), fill(draw, draw.pick(LINKS)))
    return (Part("plain", f"{_some(draw, voice)} "), link, Part("plain", " →"))


def _mention(draw: Draw, voice: Voice, _shape: str) -> Parts:
    return (Part("mention", draw.pick(HANDLES)), Part("plain", f" {_some(draw, voice)}"))


def _mention_name(draw: Draw, voice: Voice, _shape: str) -> Parts:
    if voice.named.name is None:
        return _plain(draw, voice, "plain")
    name = Part("mention_name", voice.named.name, voice.named.id)
    return (Part("plain", "👉 "), name, Part("plain", f", {_some(draw, voice)}"))


def _hashtag(draw: Draw, voice: Voice, _shape: str) -> Parts:
    return (Part("plain", f"{_some(draw, voice)}\n\n"), Part("hashtag", draw.pick(TAGS)))


def _formatted(draw: Draw, voice: Voice, shape: str) -> Parts:
    """A formatted sentence with a plain one after it."""
    stressed = sentence(draw, voice.language)
    return (Part(shape, stressed), Part("plain", f" {sentence(draw, voice.language)}"))


def _code(draw: Draw, voice: Voice, _shape: str) -> Parts:
    code = Part("code", fill(draw, draw.pick(CODES)))
    return (Part("plain", f"{sentence(draw, voice.language)} "), code)


def _pre(draw: Draw, voice: Voice, _shape: str) -> Parts:
    language, listing = draw.pick(LISTINGS)
    pre = Part("pre", fill(draw, listing), language)
    return (Part("plain", f"{sentence(draw, voice.language)}\n"), pre)


def _blockquote(draw: Draw, voice: Voice, _shape: str) -> Parts:
    quote = Part("blockquote", _some(draw, voice), draw.chance(500))
    return (quote, Part("plain", f"\n{sentence(draw, voice.language)}"))


def _custom_emoji(draw: Draw, voice: Voice, _shape: str) -> Parts:
    first, second = (draw.below(len(CUSTOM_EMOJI)) for _ in range(2))
    return (
        Part("custom_emoji", CUSTOM_EMOJI[first], f"emoji-{first}"),
        Part("plain", f" {_some(draw, voice)} "),
        Part("custom_emoji", CUSTOM_EMOJI[second], f"emoji-{second}"),
    )


def _fixed(draw: Draw, voice: Voice, shape: str) -> Parts:
    """A stretch that Telegram finds by itself."""
    text = {
        "phone": f"+1 202 555 01{draw.between(10, 99)}",
        "email": f"desk{draw.below(9)}@lantern.example",
        "bot_command": "/timetable@tidewell_bot",
        "cashtag": "$LAMP",
    }[shape]
    return (Part("plain", f"{sentence(draw, voice.language)} "), Part(shape, text))


def _long(draw: Draw, voice: Voice, _shape: str) -> Parts:
    """Exactly as long as Telegram allows."""
    text = "\n".join(sentence(draw, voice.language) for _ in range(40))
    return (
        Part("plain", (text * (LONGEST // len(text) + 1))[:LONGEST].rstrip().ljust(LONGEST, ".")),
    )


def _empty(_draw: Draw, _voice: Voice, _shape: str) -> Parts:
    return ()


def _headline(draw: Draw, voice: Voice, _shape: str) -> Parts:
    """A news item: headline, a paragraph, a link and a hashtag."""
    return (
        Part("bold", fill(draw, draw.pick(HEADLINES))),
        Part("plain", f"\n\n{_some(draw, voice)}\n\n"),
        Part("text_link", draw.pick(LINK_WORDS), fill(draw, draw.pick(LINKS))),
        Part("plain", " "),
        Part("hashtag", draw.pick(TAGS)),
    )


_WRITERS: dict[str, Callable[[Draw, Voice, str], Parts]] = {
    "plain": _plain,
    "emoji": _emoji,
    "only_emoji": _only_emoji,
    "link": _link,
    "text_link": _text_link,
    "mention": _mention,
    "mention_name": _mention_name,
    "hashtag": _hashtag,
    "code": _code,
    "pre": _pre,
    "blockquote": _blockquote,
    "custom_emoji": _custom_emoji,
    "long": _long,
    "empty": _empty,
    "headline": _headline,
    **dict.fromkeys(("bold", "italic", "underline", "strikethrough", "spoiler"), _formatted),
    **dict.fromkeys(("phone", "email", "bot_command", "cashtag"), _fixed),
}
