"""Files that cannot be read as what they are said to be."""

from pathlib import Path

from tg_pipeline.errors.base import EXIT_USAGE, DataError


class InputMissing(DataError):
    """No file at a given path."""

    code = "input.missing"

    def __init__(
        self, path: Path, wanted: str = "the result.json of an export, its folder or a .zip of it"
    ) -> None:
        super().__init__(f"{path} does not exist", remedy=f"Check the path; give {wanted}.")
        self.path = path


class InputEmpty(DataError):
    """A folder or archive without an export, or a file without content."""

    code = "input.empty"

    def __init__(self, path: Path, holds: str | None = None) -> None:
        super().__init__(
            f"{path} holds no Telegram Desktop JSON export" + (f": {holds}" if holds else ""),
            remedy="In Telegram Desktop choose Export chat history, format JSON, "
            "and give the folder it made.",
        )
        self.path = path


class InputUnreadable(DataError):
    """The operating system does not let us read the file."""

    code = "input.unreadable"

    def __init__(
        self, path: Path, reason: str, remedy: str = "Grant read access to the file."
    ) -> None:
        super().__init__(f"cannot read {path}: {reason}", remedy=remedy)
        self.path = path


class ArchiveDamaged(DataError):
    """A ZIP archive, or a member of it, is not what it was when it was made."""

    code = "input.archive_damaged"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} is damaged: {reason}",
            remedy="Copy or download the archive again, whole; `unzip -t` says what is broken.",
        )
        self.path = path


class ArchiveUnsupported(DataError):
    """A ZIP archive, or a member of it, is made in a way that is not read."""

    code = "input.archive_unsupported"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be unpacked here: {reason}",
            remedy="Unpack the archive yourself and import the folder.",
        )
        self.path = path


class InvalidJson(DataError):
    """The file is not JSON, beyond what Telegram Desktop is known to get wrong."""

    code = "input.invalid_json"

    def __init__(self, path: Path, offset: int, line: int, reason: str) -> None:
        super().__init__(
            f"{path} is not valid JSON at line {line} (byte {offset}): {reason}",
            remedy="Export the chat again, or mend that place in a copy of the file.",
        )
        self.path = path
        self.offset = offset
        self.line = line


class ForeignFormat(DataError):
    """Valid JSON, but made by something else than Telegram Desktop's export."""

    code = "input.foreign_format"

    def __init__(self, path: Path, looks_like: str) -> None:
        super().__init__(
            f"{path} is not a Telegram Desktop export: it looks like {looks_like}",
            remedy="In Telegram Desktop choose Export chat history, format JSON.",
        )
        self.path = path
        self.looks_like = looks_like


class TimezoneRequired(DataError):
    """The file has local times only, and nobody said in which zone."""

    code = "input.timezone_required"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} comes from an older Telegram Desktop that wrote local times without a zone",
            remedy="Name the zone of the computer that made it, for example "
            "--timezone Europe/Berlin.",
        )
        self.path = path


class OptionsDiffer(DataError):
    """The same file was imported before with other options."""

    code = "input.options_differ"

    def __init__(self, path: Path, before: str, now: str) -> None:
        super().__init__(
            f"{path} was imported before with other options ({before}; now {now})",
            remedy="Repeat the earlier options, or add --replace to withdraw that import "
            "and rebuild its chats.",
        )
        self.path = path


class InputChanged(DataError):
    """The file changed while it was being read."""

    code = "input.changed"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} changed while it was being read",
            remedy="Wait until the export has finished, then import it again.",
        )
        self.path = path


class ChatIdNotApplicable(DataError):
    """--chat-id was given for a file that holds several chats."""

    code = "input.chat_id_not_applicable"
    exit_code = EXIT_USAGE

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"--chat-id names one chat, but {path} is an account export with several",
            remedy="Leave --chat-id out for this file.",
        )
        self.path = path
