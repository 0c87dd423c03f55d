"""What an object store can refuse or lose: one message, the remedy, the right exit code."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tg_pipeline import files
from tg_pipeline.errors import (
    BucketMissing,
    ObjectStoreDenied,
    ObjectStoreFull,
    ObjectStoreLost,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    TgPipelineError,
)
from tg_pipeline.files import open_place
from tg_pipeline.flows import doctor
from tg_pipeline.settings import Settings
from tg_pipeline_tests.cli.running import Program
from tg_pipeline_tests.cli.test_refusals import refused
from tg_pipeline_tests.flows.making import chat, message, written
from tg_pipeline_tests.objects.conftest import NewBucket
from tg_pipeline_tests.objects.proxy import proxied
from tg_pipeline_tests.objects.servers import AZURITE_KEY, KEY, Store, free_port, s3_environment

IN_PARTS = b"0123456789abcdef" * (40 << 16)  # 40 MiB: three parts
ONE_REQUEST = IN_PARTS[: 4 << 20]
BOUND_SECONDS = 45
PLAIN_GOOGLE = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
Enter = Callable[[dict[str, str]], None]


def put(url: str, data: bytes = b"x") -> None:
    with files.durable(open_place(url) / "one.bin") as file:
        file.write(data)


def every_call(url: str) -> Iterator[Callable[[], object]]:
    place = open_place(url)
    yield lambda: files.names(place)
    yield lambda: files.read(place / "one.bin")
    yield lambda: put(url)
    yield lambda: files.stored(place / "one.bin")
    yield lambda: files.delete(place / "one.bin")


@pytest.mark.parametrize(
    ("key", "secret"), [(KEY, "wrong"), ("nobody", "s3cr3t")], ids=["secret", "key"]
)
def test_a_wrong_key(rclone: Store, enter: Enter, key: str, secret: str) -> None:
    enter(s3_environment(rclone.port, key, secret))
    for call in every_call("s3://bucket/prefix"):
        with pytest.raises(ObjectStoreDenied, match="s3://bucket/prefix") as caught:
            call()
        assert secret not in str(caught.value)


def test_no_credentials_at_all(rclone: Store, enter: Enter, tmp_path: Path) -> None:
    enter(
        {
            **s3_environment(rclone.port, "", ""),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
        }
    )
    with pytest.raises(ObjectStoreDenied, match="locate credentials"):
        put("s3://bucket/prefix")


def test_a_wrong_key_of_azure(azurite: Store, enter: Enter) -> None:
    connection = azurite.environment["AZURE_STORAGE_CONNECTION_STRING"]
    enter({"AZURE_STORAGE_CONNECTION_STRING": connection.replace("AccountKey=Eby8", "AccountKey=")})
    with pytest.raises(ObjectStoreDenied, match="az://bucket"):
        put("az://bucket/prefix")
    enter({"AZURE_STORAGE_CONNECTION_STRING": "nonsense"})
    with pytest.raises(ObjectStoreDenied, match="az://bucket"):
        open_place("az://bucket/prefix")


def test_nobody_listens(enter: Enter, tmp_path: Path) -> None:
    port = free_port()
    places = {
        "s3://bucket/prefix": s3_environment(port),
        "az://bucket/prefix": azure_environment(port),
        "gs://bucket/prefix": google_environment(port, tmp_path / "account.json"),
    }
    for url, environment in places.items():
        enter(environment)
        began = time.monotonic()
        with pytest.raises(ObjectStoreUnreachable, match=f"{url}.*AWS_ENDPOINT_URL"):
            files.names(open_place(url))
        assert time.monotonic() - began < BOUND_SECONDS


def azure_environment(port: int) -> dict[str, str]:
    return {
        "AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=account;"
        f"AccountKey={AZURITE_KEY};BlobEndpoint=http://127.0.0.1:{port}/account;"
    }


def google_environment(port: int, file: Path) -> dict[str, str]:
    """A service account whose tokens are given out at a port."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "p",
        "client_email": "ada@p.example",
        "private_key": key.decode(),
        "token_uri": f"http://127.0.0.1:{port}/token",
    }
    file.write_text(json.dumps(account))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}


def test_an_endpoint_without_a_scheme_is_named(enter: Enter) -> None:
    enter({**s3_environment(1), "AWS_ENDPOINT_URL": "127.0.0.1:5977"})
    for call in every_call("s3://bucket/prefix"):
        with pytest.raises(ObjectStoreRefused, match=r"127\.0\.0\.1:5977.*AWS_ENDPOINT_URL"):
            call()


def test_a_key_that_may_list_need_not_see_the_bucket(enter: Enter) -> None:
    with empty_store() as port:
        enter(s3_environment(port))
        assert files.names(open_place("s3://bucket/prefix")) == []
        enter({"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", **PLAIN_GOOGLE})
        assert files.names(open_place("gs://bucket/prefix")) == []


@pytest.mark.filterwarnings("ignore:Failed to fetch container properties")  # all adlfs might do
def test_a_container_that_may_not_be_seen_is_not_taken_for_an_empty_one(enter: Enter) -> None:
    with empty_store() as port:
        enter(azure_environment(port))
        with pytest.raises(ObjectStoreDenied, match="az://bucket/prefix"):
            files.names(open_place("az://bucket/prefix"))


def test_what_is_not_there_after_it_was_sent_is_lost(enter: Enter) -> None:
    with empty_store() as port:
        enter(s3_environment(port))
        with pytest.raises(ObjectStoreLost, match="1 bytes were sent, none have arrived"):
            put("s3://bucket/prefix")


def test_doctor_tells_of_a_store_that_loses_what_it_said_it_has(
    enter: Enter, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, embedded=False, landing="s3://bucket/prefix")
    with empty_store(claimed=len(doctor._PROBE)) as port:
        enter(s3_environment(port))
        found = {one.what: one.found for one in doctor.examine(settings)}
    assert found["landing store"] == "s3://bucket/prefix lost what was written"
    assert "landed batches" not in found


def test_what_was_told_before_explains_no_later_error(s3: str) -> None:
    put(s3)
    with (
        pytest.raises(FileNotFoundError, match="of this machine"),
        files.opened(open_place(s3) / "one.bin"),
    ):
        _fail_after(f"{s3}-gone")


def _fail_after(missing: str) -> None:
    try:
        files.names(open_place(missing))
    except BucketMissing:
        raise FileNotFoundError("a file of this machine")  # noqa: B904 - the context


@contextmanager
def empty_store(claimed: int | None = None) -> Iterator[int]:
    """Takes and forgets everything, shows no object, and tells nobody of the bucket itself.

    Args:
        claimed: the size that it says each object has, though none can be read.
    """

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if any(asked in self.path for asked in ("list-type=", "comp=list", "/bucket/o?")):
                xml = b"<EnumerationResults><Blobs/></EnumerationResults>"
                self._answer(200, b"{}" if "/bucket/o?" in self.path else xml)
            else:
                self._answer(404 if "prefix" in self.path else 403)

        def do_HEAD(self) -> None:
            if claimed is not None and "prefix" in self.path:
                self.send_response(200)
                self.send_header("Content-Length", f"{claimed}")
                self.end_headers()
            else:
                self._answer(404 if "prefix" in self.path else 403)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(200)

        def do_DELETE(self) -> None:
            self._answer(204)

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            kind = "application/xml" if body.startswith(b"<") else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", f"{len(body)}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Answer) as port:
        yield port


def test_a_connection_that_is_cut_once_is_made_again(
    moto: Store, new_bucket: NewBucket, enter: Enter
) -> None:
    url = new_bucket(moto)
    with proxied(moto.port) as proxy:
        proxy.cut_after, proxy.cuts = 1 << 20, 1
        enter(s3_environment(proxy.port))
        put(url, ONE_REQUEST)
        assert proxy.made == 1
    enter(dict(moto.environment))
    assert files.read(open_place(url) / "one.bin") == ONE_REQUEST


@pytest.mark.parametrize("data", [ONE_REQUEST, IN_PARTS], ids=["one request", "in parts"])
def test_a_connection_cut_in_mid_upload_leaves_what_was_there(
    moto: Store, new_bucket: NewBucket, enter: Enter, data: bytes
) -> None:
    url = new_bucket(moto)
    put(url, b"before")
    with proxied(moto.port) as proxy:
        proxy.cut_after = 1 << 20
        enter(s3_environment(proxy.port))
        began = time.monotonic()
        with pytest.raises(ObjectStoreLost, match=f"{url}/one.bin"):
            put(url, data)
        assert time.monotonic() - began < BOUND_SECONDS
        assert proxy.made > 0
    enter(dict(moto.environment))
    assert files.names(open_place(url)) == ["one.bin"]
    assert files.read(open_place(url) / "one.bin") == b"before"
    assert unfinished(moto, url) == []


def test_killed_in_mid_upload_nothing_shows(
    moto: Store, new_bucket: NewBucket, enter: Enter
) -> None:
    """What was sent stays with the store, unseen, until its lifecycle rule clears it away."""
    url = new_bucket(moto)
    put(url, b"before")
    script = (
        f"from tg_pipeline_tests.objects.test_failures import IN_PARTS, put;put({url!r}, IN_PARTS)"
    )
    with proxied(moto.port) as proxy:
        proxy.bytes_per_second = 2 << 20
        enter(s3_environment(proxy.port))
        with subprocess.Popen([sys.executable, "-c", script]) as process:
            while proxy.sent < 4 << 20:
                assert process.poll() is None
                time.sleep(0.05)
            process.kill()
    enter(dict(moto.environment))
    assert files.names(open_place(url)) == ["one.bin"]
    assert files.read(open_place(url) / "one.bin") == b"before"
    assert len(unfinished(moto, url)) == 1


def unfinished(store: Store, url: str) -> list[str]:
    """Uploads in parts that were begun and neither completed nor aborted."""
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{store.port}")
    answer = client.list_multipart_uploads(Bucket=url.removeprefix("s3://"))
    return [upload["Key"] for upload in answer.get("Uploads", [])]


ANSWERS: list[tuple[int, str, type[TgPipelineError]]] = [
    (403, "QuotaExceeded", ObjectStoreFull),
    (507, "XMinioStorageFull", ObjectStoreFull),
    (403, "AccessDenied", ObjectStoreDenied),
    (403, "RequestTimeTooSkewed", ObjectStoreDenied),
    (404, "NoSuchBucket", BucketMissing),
    (404, "NoSuchUpload", ObjectStoreLost),
    (400, "AuthorizationHeaderMalformed", ObjectStoreRefused),
    (503, "SlowDown", ObjectStoreLost),
    (500, "InternalError", ObjectStoreLost),
]


@pytest.mark.parametrize(("status", "code", "expected"), ANSWERS, ids=[one[1] for one in ANSWERS])
def test_what_a_store_answers(
    status: int, code: str, expected: type[TgPipelineError], enter: Enter
) -> None:
    with answering(status, code) as port:
        enter(s3_environment(port))
        began = time.monotonic()
        with pytest.raises(expected, match=r"s3://bucket/prefix/one\.bin"):
            put("s3://bucket/prefix")
        assert time.monotonic() - began < BOUND_SECONDS


@contextmanager
def answering(status: int, code: str) -> Iterator[int]:
    """A server that refuses everything with one of S3's codes; its port."""
    body = f"<Error><Code>{code}</Code><Message>told by the store</Message></Error>".encode()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # answers `Expect: 100-continue`

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", f"{len(body)}")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Answer) as port:
        yield port


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server on a free port, which is yielded."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [("s3://b/p", "s3fs", "s3"), ("gs://b/p", "gcsfs", "gcs"), ("az://b/p", "adlfs", "azure")],
)
def test_a_package_that_is_not_installed(url: str, package: str, extra: str) -> None:
    script = f"""
import sys
sys.modules[{package!r}] = None
from tg_pipeline.errors import ExtraMissing
from tg_pipeline.files import open_place
try:
    open_place({url!r})
except ExtraMissing as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert f"tg-pipeline[{extra}]" in done.stdout
    assert url in done.stdout


def test_doctor_blames_the_store_alone_for_a_package_that_is_missing(tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["s3fs"] = None
from pathlib import Path
from tg_pipeline.flows.doctor import examine
from tg_pipeline.settings import Settings
home = Path({str(tmp_path)!r})
settings = Settings(home=home, embedded=False, landing="s3://b/landing")
for one in examine(settings):
    print(one.what, "tg-pipeline[s3]" in f"{{one.remedy}}", sep=": ")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    blamed = [line for line in done.stdout.splitlines() if line.endswith(": True")]
    assert blamed == ["landing store: True"]
    assert "database: False" in done.stdout


@pytest.fixture
def on_s3(program: Program) -> Callable[[dict[str, str]], Program]:
    """The command line with landing and exports on an object store."""

    def at(environment: dict[str, str]) -> Program:
        return Program(program.folder, {**program.environment, **environment})

    return at


def test_the_command_line_on_an_object_store(
    on_s3: Callable[[dict[str, str]], Program], moto: Store, s3: str, tmp_path: Path
) -> None:
    places = {"TG_PIPELINE_LANDING": f"{s3}/landing", "TG_PIPELINE_EXPORTS": f"{s3}/exports"}
    run = on_s3({**moto.environment, **places})
    file = written(tmp_path / "result.json", chat(message(1), message(2)))
    assert run("import", file).code == 0
    assert f"{s3}/exports/messages/_manifest.json" in run("export").out
    with files.durable(open_place(f"{s3}/landing") / ".doctor") as left_by_a_killed_run:
        left_by_a_killed_run.write(b"half")
    examined = run("doctor")
    assert ".doctor" not in files.names(open_place(f"{s3}/landing"))
    assert examined.code == 0, examined.out + examined.err
    assert f"landing store: {s3}/landing can be written" in examined.out
    assert f"1 whole, in {s3}/landing" in examined.out
    assert f"{s3}/landing" in run("config", "show").out
    assert run("db", "rebuild").code == 0
    assert not (tmp_path / "home" / "landing").exists()
    assert not (tmp_path / "home" / "exports").exists()


def test_the_command_line_tells_what_is_wrong(
    on_s3: Callable[[dict[str, str]], Program], rclone: Store, tmp_path: Path
) -> None:
    landing = {"TG_PIPELINE_LANDING": "s3://nowhere/landing"}
    file = written(tmp_path / "result.json", chat(message(1)))
    wrong = on_s3({**s3_environment(rclone.port, KEY, "wr0ng"), **landing})("import", file)
    refused(wrong, 1, "objects.denied", "s3://nowhere/landing", "credentials")
    assert "wr0ng" not in wrong.err
    missing = on_s3({**rclone.environment, **landing})("import", file)
    refused(missing, 1, "objects.bucket_missing", "s3://nowhere/landing")
    examined = on_s3({**rclone.environment, **landing})("doctor")
    assert "FAIL  landing store: there is no bucket or container s3://nowhere\n" in examined.out
    assert "do: Create s3://nowhere, or correct TG_PIPELINE_LANDING." in examined.out
    assert examined.out.count("FAIL") == 1
    gone = on_s3({**s3_environment(free_port()), **landing})("import", file)
    refused(gone, 75, "objects.unreachable", "s3://nowhere/landing")
    keyed = on_s3({"TG_PIPELINE_LANDING": "s3://AKIA123:s3cr3t@bucket/x"})("status")
    refused(keyed, 2, "setting.invalid", "landing")
    assert "s3cr3t" not in keyed.err + keyed.out
    assert "AKIA123" not in keyed.err + keyed.out
