"""Every failure tg_pipeline knows, as one tree. Three branches say what a caller may do.

    TgPipelineError
    ├── Transient   the same call may succeed later           exit code 75
    ├── Fatal       somebody has to change the surroundings   exit code 1 (2 for wrong usage)
    └── DataError   the input is at fault                     exit code 1 (4: quality gate)

Each class has a stable `code`; each instance carries what happened (`message`, which names the
place) and what to do about it (`remedy`). Facts a caller may want are attributes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_QUARANTINED = 3
EXIT_REFUSED = 4
EXIT_TRY_LATER = 75
_NAMED = 3  # a message names so many of what may be hundreds


class TgPipelineError(Exception):
    """Base of all our errors: `message` says what and where, `remedy` what to do."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, remedy: str) -> None:
        message = message.encode(errors="replace").decode()  # a path need not be UTF-8
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        """Stay picklable although subclasses take other arguments."""
        return (_rebuild, (type(self), self.args, self.__dict__))

    def __str__(self) -> str:
        return f"{self.message} ({self.code}). {self.remedy}"


def _rebuild(
    kind: type[TgPipelineError], args: tuple[object, ...], facts: dict[str, object]
) -> TgPipelineError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class Transient(TgPipelineError):
    """May succeed later without anybody changing anything."""

    code = "transient"
    exit_code = EXIT_TRY_LATER


class Fatal(TgPipelineError):
    """Needs a change of settings, rights or surroundings."""

    code = "fatal"


class DataError(TgPipelineError):
    """The input cannot be used as it is; the rest of the work goes on."""

    code = "data"


# ---- settings and usage ---------------------------------------------------------------------


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


# ---- object stores --------------------------------------------------------------------------


class ExtraMissing(Fatal):
    """A URL names an object store whose package is not installed."""

    code = "objects.extra_missing"

    def __init__(self, url: str, extra: str) -> None:
        super().__init__(
            f"{url} needs a package that is not installed",
            remedy=f"Install it with the extra: pip install 'tg-pipeline[{extra}]'.",
        )
        self.extra = extra


class ObjectStoreDenied(Fatal):
    """The store knows no such key, or the key may not do this."""

    code = "objects.denied"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store refused access to {url}: {reason}",
            remedy="Check the credentials in the provider's environment variables or files, "
            "and that they may list, read, write and delete there.",
        )
        self.url = url


class BucketMissing(Fatal):
    """There is no such bucket or container; we never make one."""

    code = "objects.bucket_missing"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"there is no bucket or container for {url}",
            remedy="Create it, or correct TG_PIPELINE_LANDING or TG_PIPELINE_EXPORTS.",
        )
        self.url = url


class ObjectStoreFull(Fatal):
    """The bucket's quota or the store's disk is used up; what was written before is kept."""

    code = "objects.full"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store has no room left for {url}: {reason}",
            remedy="Raise the quota or delete something, then run the same command again: "
            "it continues where it stopped.",
        )
        self.url = url


class ObjectStoreRefused(Fatal):
    """The store answered with an error that trying again does not change."""

    code = "objects.refused"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store refused a request for {url}: {reason}",
            remedy="Check the bucket's name, its region and the endpoint: AWS_ENDPOINT_URL "
            "begins with http:// or https://.",
        )
        self.url = url


class ObjectStoreUnreachable(Transient):
    """No object store answers at the endpoint."""

    code = "objects.unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no object store answers for {url}: {reason}",
            remedy="Check the network and the endpoint (AWS_ENDPOINT_URL, STORAGE_EMULATOR_HOST, "
            "AZURE_STORAGE_CONNECTION_STRING), then try again.",
        )
        self.url = url


class ObjectStoreLost(Transient):
    """The connection broke or the store failed in mid-work; every finished object is kept."""

    code = "objects.lost"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the object store failed at {url}: {reason}",
            remedy="Run the same command again: it continues where it stopped.",
        )
        self.url = url


# ---- input files ----------------------------------------------------------------------------


class InputMissing(DataError):
    """No file at a given path."""

    code = "input.missing"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} does not exist",
            remedy="Check the path; give the result.json of an export, its folder or a .zip of it.",
        )
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

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}", remedy="Grant read access to the file.")
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


# ---- landing --------------------------------------------------------------------------------


class LandingIncomplete(Fatal):
    """Batches that the tables were made of are gone, and nobody has withdrawn them."""

    code = "landing.incomplete"

    def __init__(self, folder: object, chat: str, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"{folder} lacks {len(missing)} batches that the tables of chat {chat} were made of,"
            f" {missing[0]} among them",
            remedy="Mount or restore that place, or correct TG_PIPELINE_LANDING; the tables are as"
            " they were. If the batches are gone for good, `tg-pipeline db rebuild` makes the"
            " tables anew from what is left.",
        )


class BatchDamaged(DataError):
    """A landed batch does not match its manifest."""

    code = "landing.batch_damaged"

    def __init__(self, batch: Path | str, reason: str) -> None:
        super().__init__(
            f"batch {batch} is damaged: {reason}",
            remedy="Restore it from a backup, or delete the batch and its .json "
            "and import its file again.",
        )
        self.batch = str(batch)


class ContractTooNew(DataError):
    """A record was written by a newer version of tg_pipeline."""

    code = "contract.too_new"

    def __init__(self, place: str, found: str, known: str) -> None:
        super().__init__(
            f"{place} has schema_version {found}, this version knows up to {known}",
            remedy="Upgrade tg-pipeline.",
        )


# ---- database -------------------------------------------------------------------------------


class DatabaseUnreachable(Transient):
    """No PostgreSQL answers at the configured place."""

    code = "database.unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no PostgreSQL answers at {url}: {reason}",
            remedy="Check TG_PIPELINE_DATABASE_URL and that the server runs, then try again.",
        )


class DatabaseLost(Transient):
    """The connection broke in mid-work; everything committed before is kept."""

    code = "database.lost"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the connection to PostgreSQL broke: {reason}",
            remedy="Run the same command again: it continues where it stopped.",
        )


class LoaderLost(Transient):
    """The process that loads batches was ended from outside; what is landed is kept."""

    code = "import.loader_lost"

    def __init__(self, exit_code: int) -> None:
        how = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        super().__init__(
            f"the process that loads batches into PostgreSQL has ended: {how}",
            remedy="Run the same command again: it continues where it stopped. If it was the"
            " system for want of memory, give it more, or let less run beside it.",
        )


class DatabaseAccessDenied(Fatal):
    """Wrong password, unknown user or database, or missing rights."""

    code = "database.access_denied"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"PostgreSQL at {url} refused access: {reason}",
            remedy="Check user, password and database in TG_PIPELINE_DATABASE_URL.",
        )


class DatabaseTooOld(Fatal):
    """The server is older than PostgreSQL 15."""

    code = "database.too_old"

    def __init__(self, url: str, version: str) -> None:
        super().__init__(
            f"PostgreSQL at {url} is version {version}; 15 or newer is needed",
            remedy="Upgrade the server, or unset TG_PIPELINE_DATABASE_URL to use the embedded one.",
        )


class SchemaTooNew(Fatal):
    """The tables were made by a newer version of tg_pipeline."""

    code = "database.schema_too_new"

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision {revision}, which this version does not know",
            remedy="Upgrade tg-pipeline; an older version must not write to newer tables.",
        )
        self.revision = revision


class EmbeddedUnavailable(Fatal):
    """The embedded PostgreSQL cannot be used on this machine or is switched off."""

    code = "database.embedded_unavailable"

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(f"the embedded PostgreSQL cannot be used: {reason}", remedy=remedy)


class EmbeddedStartFailed(Fatal):
    """The embedded PostgreSQL did not start."""

    code = "database.embedded_start_failed"

    def __init__(self, folder: Path, reason: str, log: Path) -> None:
        super().__init__(
            f"the embedded PostgreSQL in {folder} did not start: {reason}",
            remedy=f"Its log is {log}.",
        )
        self.log = log


class DagsterDatabaseMissing(Fatal):
    """The archive lies on a given server, and nobody said where Dagster may keep its tables."""

    code = "database.dagster_missing"

    def __init__(self) -> None:
        super().__init__(
            "no database is named for Dagster's own tables",
            remedy="Create one, for example with `createdb dagster`, and set "
            "TG_PIPELINE_DAGSTER_DATABASE_URL to it.",
        )


class DagsterDatabaseUnreachable(Transient):
    """No connection to the database that Dagster's tables lie in."""

    code = "database.dagster_unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"no connection to Dagster's database at {url}: {reason}",
            remedy="Check TG_PIPELINE_DAGSTER_DATABASE_URL and that the server runs, "
            "then try again.",
        )


class QueryFailed(Fatal):
    """A query given by the user was refused by PostgreSQL."""

    code = "sql.failed"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL refused the query: {reason}",
            remedy="`tg-pipeline sql` may only read; \\d-like help: "
            "SELECT table_name FROM information_schema.tables.",
        )


class ReaderUnavailable(Fatal):
    """The read-only role cannot be made by the configured user."""

    code = "sql.reader_unavailable"

    def __init__(self, user: str, schema: str) -> None:
        super().__init__(
            f"database user {user} may not create the read-only role that `sql` needs",
            remedy="Let an administrator create a login role with USAGE on schema "
            f"{schema} and SELECT on its tables, and name it in TG_PIPELINE_DATABASE_READER_URL.",
        )


# ---- exports --------------------------------------------------------------------------------


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
        named = "; ".join(refused[:_NAMED]) + ("; …" if len(refused) > _NAMED else "")
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
