"""Every setting."""

from typing import Any

from reference import markdown
from reference.markdown import code, table, words
from reference.schema import kind
from tg_pipeline.settings import PREFIX, PROJECT_FILE, Settings

_LAYERS = f"""Later ones win:

1. defaults
2. `/etc/tg_pipeline/config.yaml`
3. `~/.config/tg_pipeline/config.yaml`, or below `XDG_CONFIG_HOME`
4. `{PROJECT_FILE}` in the working folder
5. `.env` in the working folder
6. environment variables
7. options of the command

YAML files name settings by the first of their two names. Relative paths are relative to the working
folder. An empty variable counts as not given. `<VARIABLE>_FILE` names a file to read the value
from, which suits secrets. `tg-pipeline config show` prints every value with its origin, secrets
masked. A setting that does not exist or a value that cannot be used ends in an error that names
the place."""


def page() -> str:
    """Settings, their variables, defaults and meaning."""
    schema = Settings.model_json_schema()["properties"]
    rows = (_row(name, schema[name]) for name in Settings.model_fields)
    columns = ("setting and variable", "type", "default", "meaning")
    return markdown.page("Settings", table(columns, rows), "## Layers", _LAYERS)


def _row(name: str, schema: dict[str, Any]) -> list[str]:
    meaning, _, below_home = schema["description"].partition("; <home>/")
    meaning = words(meaning)
    default = f"<home>/{below_home}" if below_home else schema.get("default")
    if name in Settings.SECRETS:
        meaning += " (secret: masked wherever it is shown)"
    shown = "" if default is None else str(default).lower()
    names = f"{code(name)}<br>{code(PREFIX + name.upper())}"
    return [names, kind(schema).removesuffix(" or null"), code(shown), meaning]
