"""Object stores started once a session; a bucket and an environment of its own for each test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from tg_pipeline.files import Place, open_place
from tg_pipeline_tests.cli.conftest import program, schema
from tg_pipeline_tests.flows.conftest import new_archive
from tg_pipeline_tests.objects import servers
from tg_pipeline_tests.objects.servers import Store

__all__ = ["new_archive", "program", "schema"]  # fixtures of the neighbours
NewBucket = Callable[[Store], str]


def _log_folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("object_store")


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with servers.moto(_log_folder(tmp_path_factory)) as store:
        yield store


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with servers.rclone(_log_folder(tmp_path_factory)) as store:
        yield store


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with servers.azurite(_log_folder(tmp_path_factory)) as store:
        yield store


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with servers.emulator(_log_folder(tmp_path_factory)) as store:
        yield store


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], None]]:
    """Take an environment; file systems that were opened in another are forgotten."""

    def entering(environment: dict[str, str]) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        _forget()

    yield entering
    _forget()


def _forget() -> None:
    for scheme in ("s3", "gs", "az"):
        fsspec.get_filesystem_class(scheme).clear_instance_cache()


@pytest.fixture
def new_bucket(enter: Callable[[dict[str, str]], None]) -> NewBucket:
    """The URL of a new bucket of a store, which the environment then leads to."""

    def make(store: Store) -> str:
        enter(dict(store.environment))
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        store.make_bucket(name)
        return f"{store.scheme}://{name}"

    return make


@pytest.fixture
def s3(moto: Store, new_bucket: NewBucket) -> str:
    """The URL of a new bucket on S3."""
    return new_bucket(moto)


@pytest.fixture(params=["moto", "emulator", "azurite"])
def url(request: pytest.FixtureRequest, new_bucket: NewBucket) -> str:
    """The URL of a new bucket, on each of the three kinds of stores in turn."""
    return new_bucket(request.getfixturevalue(request.param))


@pytest.fixture
def place(url: str) -> Place:
    return open_place(f"{url}/some/prefix")
