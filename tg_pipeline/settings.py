"""Every setting once: name, default, help. Values are layered and each knows where it came from.

Layers, later ones win: defaults, system file, user file, project `tg_pipeline.yaml`, environment
(`.env` below the real one, `<NAME>_FILE` for secrets), command line.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tg_pipeline.errors import SettingInvalid, SettingUnknown
from tg_pipeline.files import Place, open_place
from tg_pipeline.logs import MASK, Format, mask
from tg_pipeline.objects import EXTRAS

PREFIX = "TG_PIPELINE_"
_OBJECT_URL = re.compile(rf"(?:{'|'.join(EXTRAS)})://[A-Za-z0-9][A-Za-z0-9._-]*(?:/[^@?#*\[\]]*)?")
PROJECT_FILE = "tg_pipeline.yaml"


class Settings(BaseModel):
    """All settings, validated. Field descriptions are the documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    SECRETS: ClassVar[frozenset[str]] = frozenset(
        {
            "database_url",
            "database_reader_url",
            "dagster_database_url",
            "telegram_api_hash",
            "telegram_session",
        }
    )

    home: Path = Field(
        Path(".tg_pipeline"), description="folder for landing, exports and the embedded database"
    )
    database_url: str | None = Field(
        None, description="PostgreSQL 15 or newer, postgresql://user:password@host/db"
    )
    database_reader_url: str | None = Field(
        None, description="the same server as a role that may only read, for `sql`"
    )
    database_schema: str = Field(
        "tg_pipeline",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="schema that holds all tables",
    )
    embedded: bool = Field(
        True, description="start an embedded PostgreSQL where no database_url is given"
    )
    dagster_database_url: str | None = Field(
        None, description="a database of Dagster's own, where database_url names a server"
    )
    landing: Path | str | None = Field(
        None,
        description="landed batches: a folder, or s3://, gs:// or az://bucket/prefix; "
        "<home>/landing",
    )
    exports: Path | str | None = Field(
        None,
        description="published files: a folder, or s3://, gs:// or az://bucket/prefix; "
        "<home>/exports",
    )
    inbox: Path | None = Field(
        None, description="folder whose exports the inbox sensor imports; <home>/inbox"
    )
    account: int | None = Field(
        None, ge=1, description="your Telegram user id, for exports that do not tell it"
    )
    timezone: str | None = Field(
        None, description="zone of the computer that made exports without unix times"
    )
    period: Literal["month", "day"] = Field(
        "month", description="grain of partitions and exported files"
    )
    chats_file: Path = Field(
        Path("chats.yaml"), description="the followed chats, as `chats` writes them"
    )
    telegram_api_id: int | None = Field(
        None, ge=1, description="api id of your own, from https://my.telegram.org/apps"
    )
    telegram_api_hash: str | None = Field(
        None, pattern="^[0-9a-f]{32}$", description="the hash that belongs to it"
    )
    telegram_session: str | None = Field(
        None, description="a session of `login --print-session`, for machines without a keyboard"
    )
    telegram_session_store: Literal["file", "keyring"] = Field(
        "file", description="where `login` keeps sessions: <home>/sessions, or the system's keyring"
    )
    telegram_requests_per_second: float = Field(
        5, gt=0, description="our own pace; each request for history brings up to 100 messages"
    )
    telegram_daily_requests: int | None = Field(
        None, ge=1, description="requests an account may make in a day (UTC); no bound if unset"
    )
    telegram_wait_limit: int = Field(
        300,
        ge=0,
        description="seconds of a flood wait that are waited for; longer ones end the run",
    )
    telegram_takeout: bool = Field(
        False, description="read history in a takeout session: gentler limits, to be allowed once"
    )
    telegram_reread_days: int = Field(
        3, ge=0, description="newest days that are read again once a day, for edits and deletions"
    )
    telegram_server: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$",
        description="host:port of an MTProto server other than Telegram's own, for tests",
    )
    telegram_server_key: Path | None = Field(
        None, description="PEM file with that server's public RSA key"
    )
    log_level: str = Field(
        "warning",
        pattern="^(debug|info|warning|error)$",
        description="least level that is logged: debug, info, warning or error",
    )
    log_format: Format = Field("auto", description="text, json, or auto: text on a terminal")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"no time zone is called {value!r}; try Europe/Berlin") from None
        return value

    @field_validator("database_url", "database_reader_url", "dagster_database_url")
    @classmethod
    def _postgres(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("home", "inbox", mode="before")
    @classmethod
    def _folder(cls, value: object) -> object:
        if isinstance(value, str) and "://" in value:
            raise ValueError("must be a folder of this machine")
        return value

    @field_validator("landing", "exports", mode="before")
    @classmethod
    def _folder_or_url(cls, value: object) -> object:
        return Path(value) if isinstance(value, str) and "://" not in value else value

    @field_validator("landing", "exports")
    @classmethod
    def _object_store(cls, value: Path | str | None) -> Path | str | None:
        if not isinstance(value, str):
            return value
        if not _OBJECT_URL.fullmatch(value):
            raise ValueError(
                "must be a folder, or s3://, gs:// or az:// with a bucket and a prefix; keys and "
                "passwords belong into the provider's own environment variables"
            )
        return value.rstrip("/")

    @property
    def landing_folder(self) -> Place:
        """Where batches are landed.

        Raises:
            ExtraMissing, ObjectStoreDenied: what the URL needs is not there.
        """
        return open_place(self.landing or self.home / "landing")

    @property
    def exports_folder(self) -> Place:
        """Where datasets are published.

        Raises:
            ExtraMissing, ObjectStoreDenied: what the URL needs is not there.
        """
        return open_place(self.exports or self.home / "exports")

    @property
    def inbox_folder(self) -> Path:
        """Where exports are dropped to be imported."""
        return self.inbox or self.home / "inbox"


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one place, by setting name."""

    origin: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of `config show`."""

    name: str
    value: str | None
    origin: str
    help: str

    def as_dict(self) -> dict[str, str | None]:
        """For JSON output."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and, for each, the layer it came from."""

    settings: Settings
    origins: Mapping[str, str]

    def show(self) -> Iterator[Shown]:
        """Every setting with its origin, secrets masked."""
        for name, field in Settings.model_fields.items():
            value = getattr(self.settings, name)
            text = None if value is None else str(value)
            if text and name in Settings.SECRETS:
                text = mask(text) if "@" in text else MASK
            yield Shown(name, text, self.origins.get(name, "default"), field.description or "")


def load(
    command_line: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Read all layers. Relative paths are relative to `folder`, the working directory.

    Raises:
        SettingInvalid: a value cannot be used; the error names its origin.
        SettingUnknown: a file or variable names a setting that does not exist.
    """
    environ = os.environ if environ is None else environ
    folder = folder or Path.cwd()
    given = {key: value for key, value in (command_line or {}).items() if value is not None}
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in [*_layers(environ, folder), Layer("command line", given)]:
        for name, value in layer.values.items():
            _require_known(name, layer.origin)
            merged[name] = value
            origins[name] = layer.origin
    return Loaded(validated(merged, origins, folder), origins)


def _layers(environ: Mapping[str, str], folder: Path) -> Iterator[Layer]:
    config_home = Path(environ.get("XDG_CONFIG_HOME") or _expanded("~/.config"))
    yield _yaml_layer(Path("/etc/tg_pipeline/config.yaml"))
    yield _yaml_layer(config_home / "tg_pipeline" / "config.yaml")
    yield _yaml_layer(folder / PROJECT_FILE)
    yield _dotenv_layer(folder / ".env")
    yield _environment_layer(environ, "environment")


def _expanded(path: Path | str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 - Path raises where a container has no home


def _yaml_layer(path: Path) -> Layer:
    if not path.is_file():
        return Layer(str(path), {})
    import yaml  # noqa: PLC0415 - most runs have no such file

    try:
        values = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise SettingInvalid("(file)", path.name, str(path), mask(str(error))) from error
    if not isinstance(values, dict):
        raise SettingInvalid("(file)", path.name, str(path), "a mapping of settings is expected")
    return Layer(str(path), values)


def _dotenv_layer(path: Path) -> Layer:
    if not path.is_file():
        return Layer(str(path), {})
    from dotenv import dotenv_values  # noqa: PLC0415 - most runs have no such file

    try:
        values = {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (UnicodeDecodeError, OSError) as error:
        raise SettingInvalid("(file)", path.name, str(path), str(error)) from error
    return _environment_layer(values, str(path))


def _environment_layer(environ: Mapping[str, str], origin: str) -> Layer:
    values: dict[str, Any] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or not text:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name.endswith("_file") and name not in Settings.model_fields:
            name, text = name.removesuffix("_file"), _secret_file(variable, text, origin)  # noqa: PLW2901
        values[name] = text
    return Layer(origin, values)


def _secret_file(variable: str, path: str, origin: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (UnicodeDecodeError, OSError) as error:
        raise SettingInvalid(variable, path, origin, str(error)) from error


def _require_known(name: str, origin: str) -> None:
    if name not in Settings.model_fields:
        nearest = difflib.get_close_matches(str(name), Settings.model_fields, n=1)
        raise SettingUnknown(str(name), origin, nearest[0] if nearest else None)


def validated(merged: dict[str, Any], origins: Mapping[str, str], folder: Path) -> Settings:
    """Values as settings, relative paths taken from `folder`.

    Raises:
        SettingInvalid: a value cannot be used; the error names its origin.
    """
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        value = _without_secrets(name, first["input"])
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingInvalid(name, value, origins.get(name, "default"), reason) from None
    absolute = {
        name: folder / _expanded(path)
        for name in ("home", "landing", "exports", "inbox", "chats_file", "telegram_server_key")
        if (path := getattr(settings, name)) is not None and not isinstance(path, str)
    }
    resolved = settings.model_copy(update=absolute)
    _require_apart(resolved, origins)
    return resolved


def _require_apart(settings: Settings, origins: Mapping[str, str]) -> None:
    """Whatever lies below the landing zone is taken for a chat, and exports are cleared away."""
    landing = str(settings.landing or settings.home / "landing")
    exports = str(settings.exports or settings.home / "exports")
    one, other = (Path(os.path.normpath(place)) for place in (landing, exports))
    if one.is_relative_to(other) or other.is_relative_to(one):
        reason = f"landing ({landing}) and exports must not lie in one another"
        raise SettingInvalid("exports", exports, origins.get("exports", "default"), reason)


def _without_secrets(name: str, value: Any) -> Any:
    """A refused value as it may be shown: whatever a URL holds may be a key."""
    if name in Settings.SECRETS:
        return MASK
    if "://" in str(value):
        return f"{str(value).partition('://')[0]}://{MASK}"
    return value
