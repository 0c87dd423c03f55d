"""What a user may have to say about an export because the file does not."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tg_pipeline.errors import SettingInvalid


@dataclass(frozen=True, slots=True)
class DesktopOptions:
    """How to read files that leave something open.

    Attributes:
        timezone: IANA name of the zone of the computer that made the export; used for local times.
        account: Telegram user id of the exporting account, where the file does not tell.
        chat_id: marked id of the chat in a file that holds a single one.

    Raises:
        SettingInvalid: there is no such time zone.
    """

    timezone: str | None = None
    account: int | None = None
    chat_id: int | None = None

    def __post_init__(self) -> None:
        try:
            _ = self.zone
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SettingInvalid(
                "timezone",
                self.timezone,
                "--timezone",
                "no such IANA time zone; write it like Europe/Berlin",
            ) from None

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone for local times; None where none was named."""
        return None if self.timezone is None else ZoneInfo(self.timezone)
