"""Words for people, light enough for the command line to begin with."""


def so_many(count: int, what: str) -> str:
    """A number of things: 1 chat, 2,000 chats."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
