"""Settings, usage, and the machine: what has to be put right around us."""

from pathlib import Path

from tg_pipeline.errors.base import EXIT_USAGE, Fatal


class SettingInvalid(Fatal):
    """A setting has a value that cannot be used."""

    code = "setting.invalid"
    exit_code = EXIT_USAGE

    def __init__(self, name: str, value: object, origin: str, reason: str) -> None:
        super().__init__(
            f"setting {name} = {value!r} from {origin} is not usable: {reason}",
            remedy=f"Correct it there; `tg-pipeline config show` explains {name}.",
        )
        self.name = name
        self.origin = origin


class SettingUnknown(Fatal):
    """A configuration file or variable names a setting that does not exist."""

    code = "setting.unknown"
    exit_code = EXIT_USAGE

    def __init__(self, name: str, origin: str, nearest: str | None) -> None:
        hint = f"Did you mean {nearest}? " if nearest else ""
        super().__init__(
            f"{origin} names an unknown setting {name}",
            remedy=f"{hint}`tg-pipeline config show` lists all settings.",
        )
        self.name = name


class UsageError(Fatal):
    """The command was called in a way that cannot mean anything."""

    code = "usage"
    exit_code = EXIT_USAGE


class PortUnavailable(Fatal):
    """Nothing can listen at an address: it is in use, reserved or not ours."""

    code = "port.unavailable"

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen on port {port} of {host}: {reason}",
            remedy="Choose another with --port, or end what uses it.",
        )
        self.host = host
        self.port = port


class ProjectExists(Fatal):
    """There are settings in this folder, and nobody said that they are to be replaced."""

    code = "project.exists"

    def __init__(self, folder: Path, existing: list[str]) -> None:
        super().__init__(
            f"{folder} has settings already: {', '.join(existing)}",
            remedy="Edit them there, or add --force to replace them.",
        )
        self.folder = folder


class FolderNotWritable(Fatal):
    """A folder we must write to cannot be written."""

    code = "folder.not_writable"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"cannot write to {folder}: {reason}",
            remedy="Grant write access, or choose another folder with --home or TG_PIPELINE_HOME.",
        )
        self.folder = folder


class DiskFull(Fatal):
    """The disk has no room left; what was written before is kept."""

    code = "disk.full"

    def __init__(self, place: Path | str) -> None:
        super().__init__(
            f"no space left on the disk that holds {place}",
            remedy="Free some space and run the same command again: it continues where it stopped.",
        )
        self.place = place
