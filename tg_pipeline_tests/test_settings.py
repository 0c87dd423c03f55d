"""Settings come in layers, each value knows its layer, and secrets are never shown."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tg_pipeline.errors import SettingInvalid, SettingUnknown
from tg_pipeline.settings import PREFIX, Loaded, Settings, load

EXAMPLE = Path(__file__).parents[1] / ".env.example"
URL = "postgresql://ada:s3cr3t@db.example/archive"
Read = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`load` in a folder of its own: keyword arguments are environment variables."""

    def reading(command_line: Mapping[str, Any] | None = None, **environ: str) -> Loaded:
        surroundings = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
        surroundings |= {PREFIX + name.upper(): value for name, value in environ.items()}
        return load(command_line, environ=surroundings, folder=tmp_path)

    return reading


def user_file(folder: Path, text: str) -> Path:
    path = folder / "config" / "tg_pipeline" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_defaults_know_that_they_are(read: Read, tmp_path: Path) -> None:
    loaded = read()

    assert loaded.settings.home == tmp_path / ".tg_pipeline"
    assert {shown.origin for shown in loaded.show()} == {"default"}


def test_later_layers_win_and_say_so(read: Read, tmp_path: Path) -> None:
    user, project = user_file(tmp_path, "account: 1"), tmp_path / "tg_pipeline.yaml"
    dotenv = tmp_path / ".env"

    def account(*arguments: Any, **environ: str) -> tuple[int | None, str]:
        loaded = read(*arguments, **environ)
        return loaded.settings.account, loaded.origins["account"]

    assert account() == (1, str(user))
    project.write_text("account: 2")
    assert account() == (2, str(project))
    dotenv.write_text("TG_PIPELINE_ACCOUNT=3\nOTHER=x\n")
    assert account() == (3, str(dotenv))
    assert account(account="4") == (4, "environment")
    assert account({"account": 5}, account="4") == (5, "command line")
    assert account({"account": None}, account="4") == (4, "environment")


def test_layers_add_up(read: Read, tmp_path: Path) -> None:
    user_file(tmp_path, "account: 1\nperiod: day")
    (tmp_path / "tg_pipeline.yaml").write_text("account: 2")

    settings = read(timezone="Europe/Berlin").settings
    assert (settings.account, settings.period, settings.timezone) == (2, "day", "Europe/Berlin")


def test_an_empty_variable_is_not_set(read: Read) -> None:
    assert read(database_url="").settings.database_url is None


def test_switches_are_read_as_people_write_them(read: Read) -> None:
    assert [read(embedded=text).settings.embedded for text in ("0", "false", "no", "1", "on")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_secrets_can_come_from_files(read: Read, tmp_path: Path) -> None:
    (secret := tmp_path / "secret").write_text(URL + "\n")

    assert read(database_url_file=str(secret)).settings.database_url == URL
    (tmp_path / ".env").write_text(f"TG_PIPELINE_DATABASE_URL_FILE={secret}")
    assert read().settings.database_url == URL


def test_a_secret_file_that_cannot_be_read_is_named(read: Read, tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing", tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    for path in (missing, binary):
        with pytest.raises(SettingInvalid, match=f"DATABASE_URL_FILE = '{path}' from environment"):
            read(database_url_file=str(path))


def test_secrets_are_masked_when_shown(read: Read) -> None:
    shown = {one.name: one for one in read(database_url=URL, database_reader_url=URL).show()}

    assert shown["database_url"].value == "postgresql://ada:********@db.example/archive"
    assert "s3cr3t" not in str([one.as_dict() for one in shown.values()])


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://:s3cr3t@h/d",
        "postgresql://a@h/d?password=s3cr3t",
        "postgresql:///d?password=s3cr3t",
    ],
)
def test_secrets_are_masked_wherever_a_url_holds_them(read: Read, url: str) -> None:
    assert "s3cr3t" not in str(list(read(database_url=url).show()))


def test_an_unusable_secret_is_not_repeated(read: Read) -> None:
    with pytest.raises(SettingInvalid, match="must begin with postgresql://") as caught:
        read(database_url="mysql://ada:s3cr3t@db")

    assert "s3cr3t" not in str(caught.value)


def test_an_unknown_setting_suggests_the_nearest(read: Read, tmp_path: Path) -> None:
    with pytest.raises(SettingUnknown, match=r"unknown setting timezon .*Did you mean timezone\?"):
        read(timezon="UTC")
    (tmp_path / "tg_pipeline.yaml").write_text("zzzz: 1")
    with pytest.raises(SettingUnknown, match=r"tg_pipeline\.yaml names an unknown setting zzzz"):
        read()
    (tmp_path / "tg_pipeline.yaml").write_text("1: 1")
    with pytest.raises(SettingUnknown, match="unknown setting 1 "):
        read()


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "/etc/passwd", "CEST+x"])
def test_an_unknown_zone_is_refused(read: Read, zone: str) -> None:
    with pytest.raises(SettingInvalid, match=r"no time zone is called .* try Europe/Berlin"):
        read(timezone=zone)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account", "0"),
        ("account", "ada"),
        ("period", "week"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("embedded", "perhaps"),
        ("database_schema", "public; drop"),
    ],
)
def test_an_unusable_value_is_named_with_its_origin(read: Read, name: str, value: str) -> None:
    with pytest.raises(SettingInvalid, match=f"setting {name} = '{value}' from environment"):
        read(**{name: value})


@pytest.mark.parametrize("text", ["- account", "account", "{", "a: [", "\x00"])
def test_a_file_that_is_no_mapping_is_refused_by_name(
    read: Read, tmp_path: Path, text: str
) -> None:
    (tmp_path / "tg_pipeline.yaml").write_text(text)

    with pytest.raises(SettingInvalid, match=re.escape(str(tmp_path / "tg_pipeline.yaml"))):
        read()


def test_a_broken_file_does_not_spill_its_secrets(read: Read, tmp_path: Path) -> None:
    (tmp_path / "tg_pipeline.yaml").write_text(f"database_url: {URL}: x\n")

    with pytest.raises(SettingInvalid) as caught:
        read()
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_an_empty_file_is_fine(read: Read, tmp_path: Path, text: str) -> None:
    (tmp_path / "tg_pipeline.yaml").write_text(text)

    assert read().origins == {}


@pytest.mark.parametrize("name", ["tg_pipeline.yaml", ".env"])
def test_a_file_in_another_encoding_is_refused_by_name(
    read: Read, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes("TG_PIPELINE_HOME: =Überall".encode("utf-16"))

    with pytest.raises(SettingInvalid, match=re.escape(name)):
        read()


def test_paths_are_relative_to_the_folder(read: Read, tmp_path: Path) -> None:
    settings = read(home="here", landing="/absolute").settings

    assert settings.home == tmp_path / "here"
    assert settings.landing_folder == Path("/absolute")
    assert settings.exports_folder == tmp_path / "here" / "exports"


def test_landing_and_exports_may_be_urls_of_object_stores(read: Read) -> None:
    loaded = read(landing="s3://bucket/landing/", exports="az://box")

    shown = {one.name: one.value for one in loaded.show()}
    assert (shown["landing"], shown["exports"]) == ("s3://bucket/landing", "az://box")
    assert loaded.settings.home.is_absolute()


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIA1:s3cr3t@bucket/x",
        "s3://s3cr3t@bucket",
        "az://box/x?sig=s3cr3t",
        "ftp://s3cr3t/x",
        "s3://",
        "s3:///s3cr3t",
        "file:///s3cr3t",
    ],
)
def test_a_url_that_is_none_or_holds_a_key_is_refused_and_not_repeated(
    read: Read, url: str
) -> None:
    with pytest.raises(SettingInvalid, match=r"setting landing = .* s3://, gs:// or az://") as told:
        read(landing=url)

    assert "s3cr3t" not in str(told.value)
    assert "AKIA1" not in str(told.value)


@pytest.mark.parametrize("name", ["home", "inbox"])
def test_home_and_inbox_are_folders(read: Read, name: str) -> None:
    with pytest.raises(SettingInvalid, match=rf"setting {name} = .*must be a folder of this"):
        read(**{name: "s3://bucket/in"})


def test_a_tilde_is_the_home_folder(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")

    assert read(home="~/archive").settings.home == Path("/home/ada/archive")


def test_a_machine_without_a_home_folder_has_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987_654)

    assert load(environ={}, folder=tmp_path).settings.home == tmp_path / ".tg_pipeline"


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_example_file_has_every_setting_with_its_help(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8")
    assert not re.search(r"^[^#\n]", text, re.MULTILINE), "everything in it is commented out"
    entries = dict(re.findall(r"^# (.*)\n#TG_PIPELINE_(\w+)=", text, re.MULTILINE))
    assert [name.lower() for name in entries.values()] == list(Settings.model_fields)

    for help_text, name in entries.items():
        assert help_text.startswith(Settings.model_fields[name.lower()].description or "?")

    (tmp_path / ".env").write_text(re.sub(r"^#(?=TG_)", "", text, flags=re.MULTILINE))
    example = load(environ={"XDG_CONFIG_HOME": str(tmp_path)}, folder=tmp_path).settings
    default = load(environ={"XDG_CONFIG_HOME": str(tmp_path / "none")}, folder=tmp_path / "none")
    for name, field in Settings.model_fields.items():
        if field.default is not None and name not in {"home", "chats_file"}:  # below the folder
            assert getattr(example, name) == getattr(default.settings, name)


@pytest.mark.parametrize(
    ("landing", "exports"),
    [
        ("s3://b", "s3://b/exports"),
        ("s3://b/data/landing", "s3://b/data/"),
        ("s3://b/x", "s3://b/x"),
        ("data", "data/exports"),
        ("data/landing", "data/landing/../../data"),
        (".tg_pipeline", ""),
        ("", ".tg_pipeline/landing/exports"),
    ],
)
def test_landing_and_exports_in_one_another_are_refused(
    read: Read, landing: str, exports: str
) -> None:
    with pytest.raises(SettingInvalid, match="must not lie in one another") as caught:
        read(landing=landing, exports=exports)
    assert caught.value.name == "exports"


def test_landing_and_exports_beside_one_another_are_taken(read: Read) -> None:
    for landing, exports in [("s3://b/x", "s3://b/x2"), ("x", "s3://b/x"), ("x", "x-exports")]:
        assert read(landing=landing, exports=exports).settings.exports is not None
