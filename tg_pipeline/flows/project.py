"""A project's beginning: `tg_pipeline.yaml`, and in `.env` what is not for committing.

A URL with a password is not, so it goes into `.env`, which only its owner may read and git ignores.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tg_pipeline.errors import FolderNotWritable, ProjectExists
from tg_pipeline.files import durable, make_folder, storage_errors
from tg_pipeline.logs import mask
from tg_pipeline.settings import PREFIX, PROJECT_FILE, Settings, validated
from tg_pipeline.store.database import open_database

DOTENV = ".env"
GITIGNORE = ".gitignore"
_URL_VARIABLE = f"{PREFIX}DATABASE_URL"
_HASH_VARIABLE = f"{PREFIX}TELEGRAM_API_HASH"
_PRIVATE = 0o600
_ANSWERED = {"home", "embedded", "database_url", "timezone"}


@dataclass(frozen=True, slots=True)
class Project:
    """What is to be written.

    Attributes:
        folder: where the commands will be run.
        home: folder of the archive, as the user wrote it.
        database_url: a server; None for the embedded one.
        timezone: of the computer that made old exports; None leaves it open.
    """

    folder: Path
    home: str
    database_url: str | None = None
    timezone: str | None = None

    @property
    def settings(self) -> Settings:
        """These answers as settings.

        Raises:
            SettingInvalid: one of them makes no sense.
        """
        given = {
            "home": self.home, "database_url": self.database_url, "timezone": self.timezone
        }  # fmt: skip
        return validated(given, dict.fromkeys(given, "your answer"), self.folder)

    @property
    def has_secret(self) -> bool:
        """Whether the URL holds a password."""
        return self.database_url is not None and mask(self.database_url) != self.database_url

    def yaml(self) -> str:
        """The text of `tg_pipeline.yaml`."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# Settings of the archive here; `tg-pipeline config show` lists all there are."
        yield _setting("home", self.home)
        if self.database_url is not None:
            yield "# Without its server this archive is not to be had, least of all an empty one."
            yield "embedded: false"
            if self.has_secret:
                yield f"# database_url holds a password: it is in {DOTENV}, not to be committed."
            else:
                yield _setting("database_url", self.database_url)
        yield "# Zone of the computer that made exports without unix times (before March 2022)."
        yield _setting("timezone", self.timezone) if self.timezone else "# timezone: Europe/Berlin"
        for name, value in self._before().items():  # such as the api id, which `login` has written
            if name not in _ANSWERED:
                yield _setting(name, value)

    def _before(self) -> dict[str, Any]:
        """The settings that the file holds now; none if it holds something else."""
        import yaml  # noqa: PLC0415 - only here

        try:
            found = yaml.safe_load((self.folder / PROJECT_FILE).read_bytes())
        except (OSError, yaml.YAMLError):
            return {}
        return found if isinstance(found, dict) else {}

    def dotenv(self) -> str | None:
        """The line for `.env`, without its password; None if none is needed."""
        return f"{_URL_VARIABLE}={mask(self.database_url or '')}" if self.has_secret else None

    def to_ignore(self) -> list[str]:
        """The lines that `.gitignore` lacks; none outside of a git repository."""
        home = Path(os.path.normpath(self.settings.home))
        names = [DOTENV] if self.has_secret else []
        if home != self.folder and home.is_relative_to(self.folder):
            names.append(f"{home.relative_to(self.folder)}/")
        return [name for name in names if _git_would_add(self.folder, name)]

    def existing(self) -> list[str]:
        """What writing would replace."""
        from dotenv import dotenv_values  # noqa: PLC0415 - only here

        before = self._before()
        kept = before and _ANSWERED.isdisjoint(before)
        found = [PROJECT_FILE] if (self.folder / PROJECT_FILE).exists() and not kept else []
        if self.has_secret and _URL_VARIABLE in dotenv_values(self.folder / DOTENV):
            found.append(f"{_URL_VARIABLE} in {DOTENV}")
        return found

    def write(self, *, replace: bool = False) -> None:
        """Make the folder of the archive and write the files, `tg_pipeline.yaml` last.

        Raises:
            ProjectExists: there are some, and they are not to be replaced.
            FolderNotWritable, DiskFull: a folder cannot be written.
        """
        if not replace and (existing := self.existing()):
            raise ProjectExists(self.folder, existing)
        require_writable(self.folder)
        make_folder(self.settings.home)
        _ignore(self.folder, self.to_ignore())
        if self.has_secret:
            url = (self.database_url or "").replace("$", "%24")  # or .env fills in a variable
            _write_secret(self.folder, _URL_VARIABLE, url)
        with durable(self.folder / PROJECT_FILE) as file:
            file.write(self.yaml().encode())


def keep_api(folder: Path, api_id: int, api_hash: str) -> list[str]:
    """Write an api id and its hash, which is a secret, into the project; what was written.

    Raises:
        FolderNotWritable, DiskFull: the folder cannot be written.
    """
    require_writable(folder)
    _ignore(folder, [DOTENV] if _git_would_add(folder, DOTENV) else [])
    _write_secret(folder, _HASH_VARIABLE, api_hash)
    path, line = folder / PROJECT_FILE, f"telegram_api_id: {api_id}"
    before = path.read_text("utf-8") if path.exists() else ""
    text, replaced = re.subn(r"(?m)^telegram_api_id:.*$", line, before)
    with durable(path) as file:
        file.write((text if replaced else f"{_with_end(text)}{line}\n").encode())
    return [f"telegram_api_id in {PROJECT_FILE}", f"{_HASH_VARIABLE} in {DOTENV}"]


def _ignore(folder: Path, names: list[str]) -> None:
    if names:
        path = folder / GITIGNORE
        before = path.read_text("utf-8") if path.exists() else ""
        with durable(path) as file:
            file.write((_with_end(before) + "\n".join(names) + "\n").encode())


def _write_secret(folder: Path, variable: str, value: str) -> None:
    from dotenv import set_key  # noqa: PLC0415 - only here

    path = folder / DOTENV
    with storage_errors(folder):
        path.touch(mode=_PRIVATE)
        path.chmod(_PRIVATE)
        set_key(path, variable, value)


def _with_end(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def server_version(url: str) -> str:
    """Connect to a server, and tell which PostgreSQL it is.

    Raises:
        SettingInvalid, DatabaseUnreachable, DatabaseAccessDenied, DatabaseTooOld
    """
    settings = validated({"database_url": url}, {"database_url": "your answer"}, Path.cwd())
    with open_database(settings, migrate=False) as database, database.snapshot() as connection:
        return str(connection.exec_driver_sql("SHOW server_version").scalar_one())


def require_writable(folder: Path) -> None:
    """Look whether a folder can be written, or made, without touching anything.

    Raises:
        FolderNotWritable: it cannot.
    """
    nearest = next(one for one in (folder, *folder.parents) if one.exists())
    if not nearest.is_dir():
        raise FolderNotWritable(folder, f"{nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise FolderNotWritable(folder, f"{nearest} may not be written")


def system_zone() -> str | None:
    """The zone that this computer is set to; None if it does not tell, or says UTC like servers."""
    named = os.environ.get("TZ", "").removeprefix(":")
    name = named or os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return name if "/" in name and not name.startswith("Etc/") else None


def _setting(name: str, value: object) -> str:
    import yaml  # noqa: PLC0415 - only here

    return yaml.safe_dump({name: value}, allow_unicode=True, width=2**16).strip()


def _git_would_add(folder: Path, name: str) -> bool:
    git = shutil.which("git")
    if git is None:
        return False
    asked = subprocess.run(  # noqa: S603  our own arguments only
        [git, "-C", folder, "check-ignore", "--quiet", name], capture_output=True, check=False
    )
    return asked.returncode == 1  # 0: ignored already, 128: no repository
