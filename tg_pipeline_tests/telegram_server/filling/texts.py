"""Text with entities in UTF-16 units, and the buttons below it."""

from collections.abc import Callable, Iterator, Sequence

from telethon.tl import types

from tg_pipeline.generator.model import Part, Post
from tg_pipeline_tests.telegram_server.tl import TL

_EMOJI_DOCUMENT = 5_368_324_170_671_202_000
"""Where the generator's custom emoji begin among Telegram's documents."""

_PLAIN: dict[str, type] = {
    "link": types.MessageEntityUrl,
    "mention": types.MessageEntityMention,
    "hashtag": types.MessageEntityHashtag,
    "cashtag": types.MessageEntityCashtag,
    "bot_command": types.MessageEntityBotCommand,
    "email": types.MessageEntityEmail,
    "phone": types.MessageEntityPhone,
    "bold": types.MessageEntityBold,
    "italic": types.MessageEntityItalic,
    "underline": types.MessageEntityUnderline,
    "strikethrough": types.MessageEntityStrike,
    "code": types.MessageEntityCode,
    "spoiler": types.MessageEntitySpoiler,
}
_VALUED: dict[str, Callable[[int, int, object], TL]] = {
    "text_link": types.MessageEntityTextUrl,
    "mention_name": types.MessageEntityMentionName,
    "pre": types.MessageEntityPre,
    "blockquote": types.MessageEntityBlockquote,
    "custom_emoji": lambda offset, length, key: types.MessageEntityCustomEmoji(
        offset, length, emoji_document(str(key))
    ),
}


def emoji_document(key: str) -> int:
    """The document of a custom emoji, which the generator calls emoji-<number>."""
    return _EMOJI_DOCUMENT + int(key.rpartition("-")[2])


def entities(parts: Sequence[Part]) -> list[TL]:
    """The entities of a text; lengths count UTF-16 units."""
    return list(_entities(parts))


def _entities(parts: Sequence[Part]) -> Iterator[TL]:
    offset = 0
    for part in parts:
        length = len(part.text.encode("utf-16-le")) // 2
        if part.type in _PLAIN:
            yield _PLAIN[part.type](offset, length)
        elif part.type in _VALUED:
            yield _VALUED[part.type](offset, length, part.value)
        offset += length


def buttons(post: Post) -> TL | None:
    """Rows of buttons."""
    if not post.buttons:
        return None
    made = [[_button(dict(one)) for one in row] for row in post.buttons]
    return types.ReplyInlineMarkup([_ROW(row) for row in made])


def _button(facts: dict[str, object]) -> TL:
    text, data = str(facts["text"]), str(facts["data"])
    value = data if facts["type"] == "url" else data.encode()
    return _BUTTONS[str(facts["type"])](text, value)


def _button_makers() -> dict[str, Callable[[str, object], TL]]:
    """By their kind; Telegram's layers before 229 have other types for them."""
    if not hasattr(types, "KeyboardInlineButton"):
        return {"url": types.KeyboardButtonUrl, "callback": types.KeyboardButtonCallback}
    button, url, callback = (
        types.KeyboardInlineButton,
        types.InlineButtonTypeUrl,
        types.InlineButtonTypeCallback,
    )
    return {
        "url": lambda text, value: button(text, url(value)),
        "callback": lambda text, value: button(text, callback(value)),
    }


_BUTTONS = _button_makers()
_ROW = getattr(types, "KeyboardInlineButtonRow", types.KeyboardButtonRow)
