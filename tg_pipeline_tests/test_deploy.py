"""Docker's files say what is true of our programs and settings, and their commands work.

No Docker engine is needed: the services' own commands and health checks are run as they stand
there, with the image's environment.
"""

import fnmatch
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
import yaml

from tg_pipeline.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
DOCS = ROOT / "docs" / "deploy.md"
OURS = ("code", "daemon", "webserver")
PATIENCE_SECONDS = 90
STOP_SECONDS = 10
"""What Docker waits for a container that it has told to stop."""
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_SETTING = re.compile(rf"\b{PREFIX}[A-Z_]+\b")


def compose(**environ: str) -> dict[str, Any]:
    """The services with variables filled in as Docker Compose does it."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if environ.get(name):
            return environ[name]
        if kind == "?":
            raise KeyError(rest)
        return rest or ""

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(inner) for key, inner in node.items()}
        if isinstance(node, list):
            return [filled(inner) for inner in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    services: dict[str, Any] = filled(yaml.safe_load(COMPOSE.read_text("utf-8")))["services"]
    return services


def instructions(name: str) -> list[str]:
    """The arguments of one kind of instruction in the Dockerfile, continued lines joined."""
    text = DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


def image_environment() -> dict[str, str]:
    """What the last stage's ENV sets."""
    *_, last = instructions("ENV")
    return dict(word.split("=", 1) for word in shlex.split(last))


def healthcheck(service: dict[str, Any]) -> list[str]:
    kind, *command = service["healthcheck"]["test"]
    assert kind == "CMD"
    return [str(word) for word in command]


# ---- what the files say ---------------------------------------------------------------------


def test_without_a_password_nothing_starts() -> None:
    with pytest.raises(KeyError, match=r"POSTGRES_PASSWORD.*docs/deploy\.md"):
        compose()


def test_no_password_is_written_down() -> None:
    text = COMPOSE.read_text("utf-8")
    for value in re.findall(r"^ +\w*PASSWORD\w*: +(.*)$", text, re.MULTILINE):
        assert value.startswith("${POSTGRES_PASSWORD:?"), value
    urls = re.findall(r"postgresql://[^}\s]+", text)
    assert len(urls) == 2
    assert all(urlsplit(url).password is None for url in urls)
    words = " ".join(instructions("ENV") + instructions("ARG"))
    assert not re.search(r"PASSWORD|SECRET|TOKEN|_URL", words)


@pytest.mark.parametrize("name", [*OURS, "postgres"])
def test_every_service_is_watched_kept_up_and_confined(name: str) -> None:
    service = compose(POSTGRES_PASSWORD="x")[name]
    assert healthcheck(service)
    assert service["restart"] == "unless-stopped"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]
    assert "cap_add" not in service or name == "postgres"


def test_all_services_are_known_and_wait_for_each_other() -> None:
    services = compose(POSTGRES_PASSWORD="x")
    assert set(services) == {*OURS, "postgres"}
    waits = {name: services[name].get("depends_on", {}) for name in services}
    healthy = {"condition": "service_healthy"}
    assert waits == {
        "postgres": {},
        "code": {"postgres": healthy},
        "daemon": {"code": healthy, "postgres": healthy},
        "webserver": {"code": healthy, "postgres": healthy},
    }


def test_images_are_pinned() -> None:
    bases = [base.split(" AS ")[0] for base in instructions("FROM")]
    assert len(bases) == 2
    assert len(set(bases)) == 1, "what is built in one Python runs in the other"
    images = [service.get("image") for service in compose(POSTGRES_PASSWORD="x").values()]
    for image in [*bases, *filter(None, images)]:
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*-(slim-)?bookworm", image), image


def test_uv_is_the_one_of_the_makefile() -> None:
    (version,) = re.findall(r"^UV_VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"UV_VERSION={version}" in instructions("ARG")


def test_the_image_runs_as_nobody_special() -> None:
    assert instructions("USER") == ["${USER_ID}:${GROUP_ID}"]
    assert {"USER_ID=1000", "GROUP_ID=1000"} <= set(instructions("ARG"))
    assert instructions("HEALTHCHECK") == []


def test_only_this_machine_reaches_the_web_server() -> None:
    services = compose(POSTGRES_PASSWORD="x")
    ports = {name: service.get("ports", []) for name, service in services.items()}
    assert ports == {
        "code": [], "daemon": [], "postgres": [], "webserver": ["127.0.0.1:3000:3000"]
    }  # fmt: skip


def test_volumes_lie_where_the_settings_look() -> None:
    image = image_environment()
    home, inbox = image["TG_PIPELINE_HOME"], image["TG_PIPELINE_INBOX"]
    logs = f"{image['DAGSTER_HOME']}/storage"
    services = compose(POSTGRES_PASSWORD="x")
    assert services["code"]["volumes"] == [f"archive:{home}", f"dagster:{logs}", f"inbox:{inbox}"]
    assert services["daemon"]["volumes"] == [f"dagster:{logs}"]
    assert services["webserver"]["volumes"] == [f"dagster:{logs}"]
    named = {volume.split(":")[0] for name in services for volume in services[name]["volumes"]}
    declared = yaml.safe_load(COMPOSE.read_text("utf-8"))["volumes"]
    assert {name for name in named if not name.startswith(".")} == set(declared)
    own = compose(POSTGRES_PASSWORD="x", INBOX="/home/ada/inbox")["code"]["volumes"]
    assert f"/home/ada/inbox:{inbox}" in own


def test_the_databases_that_are_named_are_made() -> None:
    made = (ROOT / "deploy" / "postgres" / "10-databases.sql").read_text("utf-8")
    environment = compose(POSTGRES_PASSWORD="x")["code"]["environment"]
    for name in ("TG_PIPELINE_DATABASE_URL", "TG_PIPELINE_DAGSTER_DATABASE_URL"):
        url = urlsplit(environment[name])
        assert url.hostname == "postgres"
        assert f"CREATE ROLE {url.username} LOGIN" in made
        assert f"CREATE DATABASE {url.path[1:]} OWNER {url.username};" in made


def test_the_workspace_names_the_code_location() -> None:
    workspace = yaml.safe_load((ROOT / "deploy" / "docker" / "workspace.yaml").read_text("utf-8"))
    (location,) = workspace["load_from"]
    command = compose(POSTGRES_PASSWORD="x")["code"]["command"]
    assert location["grpc_server"]["host"] == "code"
    assert str(location["grpc_server"]["port"]) == command[command.index("-p") + 1]


@pytest.mark.parametrize("path", [COMPOSE, DOCKERFILE, DOCS], ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    for name in _SETTING.findall(path.read_text("utf-8")):
        assert name.removeprefix(PREFIX).lower() in Settings.model_fields, name


@pytest.mark.parametrize("name", OURS)
def test_settings_can_be_used(name: str, tmp_path: Path) -> None:
    service = compose(POSTGRES_PASSWORD="x", TG_PIPELINE_TIMEZONE="Europe/Berlin")[name]
    environ = {**image_environment(), **service["environment"], "XDG_CONFIG_HOME": str(tmp_path)}
    settings = load(environ=environ, folder=tmp_path).settings
    assert settings.embedded is False
    assert settings.dagster_database_url is not None
    assert (settings.database_url is not None) == (name == "code")


def test_every_variable_is_explained() -> None:
    names = {name for name, _, _ in _VARIABLE.findall(COMPOSE.read_text("utf-8"))}
    docs = DOCS.read_text("utf-8")
    assert {name for name in names if name not in docs} == set()


# ---- what goes into the image ---------------------------------------------------------------


def let_through(path: str) -> bool:
    """Whether .dockerignore lets a path through: the last line that matches it decides."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    found = True
    for line in (line for line in lines if not line.startswith("#")):
        pattern = line.removeprefix("!")
        places = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
        if any(
            fnmatch.fnmatch(f"/{place}", f"/{pattern}".replace("/**/", "/*")) for place in places
        ):
            found = line.startswith("!")
    return found


def test_only_what_the_image_is_made_of_reaches_the_builder() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = [word for copy in instructions("COPY") for word in copy.split()[:-1]]
    needed = [word for word in needed if not word.startswith(("--", "/", "."))]
    needed += [project["project"]["readme"], *project["project"]["license-files"]]
    needed += project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    needed += ["tg_pipeline/settings.py", "tg_pipeline/contracts/schemas/x.json"]
    assert [path for path in needed if not let_through(path)] == []
    assert all((ROOT / path).exists() for path in needed if not path.endswith("x.json"))
    for private in (".env", ".git/config", ".tg_pipeline/landing/x", "inbox/result.json", "x.json"):
        assert not let_through(private), private
    assert not let_through("tg_pipeline/__pycache__/settings.cpython-311.pyc")


# ---- the commands ---------------------------------------------------------------------------


class Stack:
    """Our three services as processes on this machine, on ports of their own."""

    def __init__(self, folder: Path, server: str, dagster_schema: str, archive_schema: str) -> None:
        joint = "&" if urlsplit(server).query else "?"
        option = f"{joint}options={quote(f'-csearch_path={dagster_schema}')}"
        self.services = compose(
            POSTGRES_PASSWORD="not needed",
            TG_PIPELINE_DAGSTER_DATABASE_URL=server + option,
            TG_PIPELINE_DATABASE_URL=server,
        )
        self.schema = archive_schema
        self.folder = folder
        self.home = folder / "dagster"
        self.ports = {port: str(_free_port()) for port in ("3000", "4000")}
        (self.home / "storage").mkdir(parents=True)
        (self.home / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
        workspace = (ROOT / "deploy" / "docker" / "workspace.yaml").read_text("utf-8")
        workspace = workspace.replace("host: code", "host: 127.0.0.1")
        (self.home / "workspace.yaml").write_text(workspace.replace("4000", self.ports["4000"]))

    def environment(self, name: str) -> dict[str, str]:
        moved = {
            "DAGSTER_HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TG_PIPELINE_DATABASE_SCHEMA": self.schema,
            "TG_PIPELINE_HOME": str(self.folder / "data"),
            "TG_PIPELINE_INBOX": str(self.folder / "inbox"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }
        return {**image_environment(), **self.services[name]["environment"], **moved}

    def start(self, name: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                self._ported(self.services[name]["command"]),
                cwd=self.home, env=self.environment(name), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_interruptible,  # noqa: PLW1509 - the tests have one thread
            )  # fmt: skip

    def wait_until_healthy(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            said = subprocess.run(
                self._ported(healthcheck(self.services[name])),
                cwd=self.home, env=self.environment(name), capture_output=True, text=True,
                check=False, timeout=PATIENCE_SECONDS,
            )  # fmt: skip
            if said.returncode == 0:
                return
            told = (self.folder / f"{name}.log").read_text("utf-8")[-4000:] + said.stderr
            assert process.poll() is None, f"{name} ended: {told}"
            assert time.monotonic() < deadline, f"{name} is not healthy: {told}"
            time.sleep(0.5)

    def _ported(self, command: list[str]) -> list[str]:
        words = [self.ports.get(word, word) for word in command]
        return [word.replace(":3000/", f":{self.ports['3000']}/") for word in words]


def _interruptible() -> None:
    """As in a container: a shell that runs the tests in the background has them ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing of it may be left, whatever a test found."""
    with ExitStack() as stack:
        stack.callback(process.wait)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def stack(server_url: str, tmp_path: Path) -> Iterator[Stack]:
    """The services on the test's server, in schemas of their own."""
    dagster, archive = (f"test_{uuid.uuid4().hex[:12]}" for _ in range(2))
    with psycopg.connect(server_url) as connection:
        connection.execute(f"CREATE SCHEMA {dagster}".encode())
    try:
        yield Stack(tmp_path, server_url, dagster, archive)
    finally:
        with psycopg.connect(server_url) as connection:
            for name in (dagster, archive):
                connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE".encode())


@pytest.mark.timeout(5 * PATIENCE_SECONDS)
def test_the_services_start_get_healthy_and_stop(stack: Stack) -> None:
    with ExitStack() as ending:
        running = {}
        for name in ("code", "webserver", "daemon"):
            running[name] = stack.start(name)
            ending.callback(_end, running[name])
            stack.wait_until_healthy(name, running[name])
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for name, process in running.items():
            assert process.wait(STOP_SECONDS) in {0, -signal.SIGTERM}, name
