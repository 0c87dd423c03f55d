"""How a particular Telegram Desktop on a particular computer writes an export."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Era = Literal["oldest", "old", "new"]
Bug = Literal["hex_escapes", "unquoted_document_id"]


@dataclass(frozen=True, slots=True)
class DesktopStyle:
    r"""Version, zone and options of an export.

    Attributes:
        era: `oldest` (before 2021) has numeric, shifted ids and 1970 for never edited; `old` (until
            March 2022) has `user…` ids; neither has unix times, text_entities or reactions.
        timezone: IANA name of the exporting computer's zone; local times are written in it.
        account_export: A full account export, with contacts and a list of chats, not one chat.
        contact_names: Names as the exporter's contacts have them, by user id; None for no name.
        first_number: Where this export's own numbering of photos and custom emoji begins.
        files_included: Whether media were downloaded; else their paths are a remark.
        broken: Bugs of Telegram Desktop to reproduce: `hex_escapes` (issue 27571) writes control
            characters as `\xHH`; `unquoted_document_id` (issue 24961) leaves out quotes, as
            version 4.1 did, which had unix times but no text_entities and no file sizes yet.
    """

    era: Era = "new"
    timezone: str = "UTC"
    account_export: bool = False
    contact_names: Mapping[int, str | None] = field(default_factory=dict)
    first_number: int = 1
    files_included: bool = False
    broken: frozenset[Bug] = frozenset()

    @property
    def unix_times(self) -> bool:
        """Whether `date_unixtime` and reactions are written."""
        return self.era == "new"

    @property
    def recent(self) -> bool:
        """Whether text_entities, file names and sizes are written."""
        return self.era == "new" and "unquoted_document_id" not in self.broken
