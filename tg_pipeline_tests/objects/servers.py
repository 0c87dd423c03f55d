"""Object stores on this machine: real servers, each a process of its own on a free port.

moto      S3; checks no keys
rclone    S3; checks keys
azurite   Azure Blob Storage; through npx
emulator  Google Cloud Storage
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests
from azure.storage.blob import BlobServiceClient

from tg_pipeline.cli import tied

AZURITE = "azurite@3.37.0"
AZURITE_KEY = (  # the one that every azurite has
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
KEY, SECRET = "ada", "s3cr3t-of-ada"
PROGRAMS = Path(sys.executable).parent
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Store:
    """A running server, the environment in which it is found, and how a bucket is made."""

    scheme: str
    port: int
    environment: Mapping[str, str]
    make_bucket: Callable[[str], object]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def s3_environment(port: int, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


@contextmanager
def moto(folder: Path) -> Iterator[Store]:
    port = free_port()
    command = [str(PROGRAMS / "moto_server"), "-H", "127.0.0.1", "-p", f"{port}"]
    with _running(command, port, folder / "moto.log"):
        yield _s3(port)


@contextmanager
def rclone(folder: Path) -> Iterator[Store]:
    port = free_port()
    (folder / "rclone").mkdir()
    command = [
        str(PROGRAMS / "rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}",
        "--auth-key", f"{KEY},{SECRET}", "--config", os.devnull, str(folder / "rclone"),
    ]  # fmt: skip
    with _running(command, port, folder / "rclone.log"):
        yield _s3(port)


def _s3(port: int) -> Store:
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    )
    return Store("s3", port, s3_environment(port), lambda name: client.create_bucket(Bucket=name))


@contextmanager
def azurite(folder: Path) -> Iterator[Store]:
    if shutil.which("npx") is None:
        pytest.skip("npx is not installed: no Azure Blob Storage to test against")
    port = free_port()
    command = [
        "npx", "--yes", f"--package={AZURITE}", "azurite-blob", "--blobHost", "127.0.0.1",
        "--blobPort", f"{port}", "--inMemoryPersistence", "--skipApiVersionCheck", "--silent",
    ]  # fmt: skip
    connection = (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={AZURITE_KEY};"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )
    with (
        _running(command, port, folder / "azurite.log"),
        BlobServiceClient.from_connection_string(connection) as client,
    ):
        yield Store(
            "az", port, {"AZURE_STORAGE_CONNECTION_STRING": connection}, client.create_container
        )


@contextmanager
def emulator(folder: Path) -> Iterator[Store]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(PROGRAMS / "gcp-storage-emulator"), "start", "--host", "127.0.0.1"]
    command += ["--port", f"{port}", "--in-memory"]
    environment = {"STORAGE_EMULATOR_HOST": url, "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}

    def make(name: str) -> None:
        answer = requests.post(f"{url}/storage/v1/b?project=p", json={"name": name}, timeout=10)
        answer.raise_for_status()

    with _running(command, port, folder / "gcs.log"):
        yield Store("gs", port, environment, make)


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """The server, once it listens; ended with all it has started, even if the tests are killed."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", tied.__name__, *command],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            cwd=log.parent,
            process_group=0,
        ) as process,
    ):
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{command[0]} does not listen: {log.read_text()}"
            time.sleep(0.05)
        yield


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
