"""The quality gate and published files."""

from tg_pipeline.errors.base import EXIT_REFUSED, NAMED, DataError, Fatal


class ChatUnknown(DataError):
    """No chat with this key has been loaded."""

    code = "chat.unknown"

    def __init__(self, chat: str) -> None:
        super().__init__(
            f"there is no chat {chat} in the database",
            remedy="`tg-pipeline status` lists the chats with their keys.",
        )
        self.chat = chat


class QualityRefused(DataError):
    """The quality gate kept windows from being published; the others are published."""

    code = "quality.refused"
    exit_code = EXIT_REFUSED

    def __init__(self, refused: tuple[str, ...]) -> None:
        named = "; ".join(refused[:NAMED]) + ("; …" if len(refused) > NAMED else "")
        super().__init__(
            f"the quality gate refused {len(refused)} of the windows: {named}",
            remedy="`tg-pipeline check` judges them and shows what was found; `tg-pipeline export "
            "--force` publishes them all the same, and the manifest will say so.",
        )
        self.refused = refused


class QuarantineUnknown(DataError):
    """Nothing is in quarantine at this place."""

    code = "quarantine.unknown"

    def __init__(self, batch: str, line: int) -> None:
        super().__init__(
            f"there is nothing in quarantine at batch {batch}, line {line}",
            remedy="`tg-pipeline quarantine list` shows what there is.",
        )


class CountsDiffer(Fatal):
    """A file does not hold as many rows as the table: the manifest is left as it was."""

    code = "export.counts_differ"

    def __init__(self, place: str, expected: int, found: int) -> None:
        super().__init__(
            f"{place} holds {found} rows where the table has {expected}",
            remedy="Run the export again; if it persists, report it with the manifest.",
        )
