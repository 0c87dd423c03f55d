"""Object stores: what lies under s3://, gs:// or az://bucket/prefix, through fsspec.

An object appears under its name in one step, when all of it has arrived. Credentials, regions and
endpoints are those of the provider's own environment variables and files. Listings are never
cached: what is done next depends on what is there now.
"""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tg_pipeline.errors import (
    BucketMissing,
    ExtraMissing,
    ObjectStoreDenied,
    ObjectStoreFull,
    ObjectStoreLost,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    TgPipelineError,
)
from tg_pipeline.logs import mask

if TYPE_CHECKING:
    from upath import UPath

EXTRAS: Final = {"s3": "s3", "gs": "gcs", "az": "azure"}
"""The schemes we take, and the extra of tg-pipeline that each of them needs."""
_MIB = 1 << 20
_S3_TRIES = 2  # of s3fs, each with those of botocore: 20 seconds where nobody answers
_CONNECT_SECONDS, _READ_SECONDS = 5, 20
_GS_CONNECT_SECONDS = 1.5  # gcsfs tries six times and waits half a minute between them
_AZ_RETRIES, _AZ_CONNECT_RETRIES, _AZ_BACKOFF_SECONDS = 2, 1, 1
_S3_CONFIG = {
    "connect_timeout": _CONNECT_SECONDS,
    "read_timeout": _READ_SECONDS,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": _S3_CONFIG},
    "gs": {"consistency": "md5", "retry_timeout": 5},  # for what kind of bucket it is
    "az": {"assume_container_exists": False},  # None takes a refusal for a container that is there
}
_UPLOAD: dict[str, dict[str, Any]] = {
    "s3": {"chunksize": 16 * _MIB, "max_concurrency": 4},  # botocore adds a checksum to each part
    "gs": {"chunksize": 16 * _MIB},
    "az": {"validate_content": True, "max_concurrency": 4},
}
_CHATTY = ("gcsfs", "azure", "botocore", "aiobotocore", "asyncio")

_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"}
_GONE = {"NoSuchUpload"}  # the store has forgotten the parts of an upload
_FULL = {"QuotaExceeded", "QuotaExceededException", "XMinioStorageFull", "InsufficientStorage"}
_NOT_AN_ANSWER = ("Invalid endpoint", "Bad Request")  # a ValueError of botocore, one of gcsfs
_DENIED = {
    "PermissionError", "NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError",
    "ProfileNotFound", "ClientAuthenticationError", "GoogleAuthError",
}  # fmt: skip
_UNREACHABLE = {
    "EndpointConnectionError", "ConnectTimeoutError", "ClientConnectorError", "ServiceRequestError",
    "ConnectionTimeoutError", "ConnectionRefusedError", "gaierror", "TransportError",
}  # fmt: skip
_LOST = {
    "HTTPClientError", "ClientConnectionError", "ClientPayloadError", "ServiceResponseError",
    "IncompleteReadError", "ResponseParserError", "RequestException", "ConnectionError",
    "ChecksumError", "TimeoutError",
}  # fmt: skip
_BUSY = {408, 429}
_NO_ROOM = 507
_PROVIDERS = {"botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure", "requests"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A file or an object: its size, and when it was written, in seconds since 1970."""

    bytes: int
    written_at: float


def open_url(url: str) -> "UPath":
    """What a URL names. Nothing is asked of the store yet.

    Raises:
        ExtraMissing: the provider's package is not installed.
        ObjectStoreDenied: no credentials are set.
    """
    from upath import UPath  # noqa: PLC0415 - a quarter of a second that folders need not wait

    for name in _CHATTY:  # what they log of failures, we tell as errors
        logging.getLogger(name).addHandler(logging.NullHandler())
    scheme = url.partition("://")[0]
    place: UPath = UPath(url, use_listings_cache=False, **_OPTIONS[scheme])
    try:
        if scheme == "s3":
            place.fs.retries = _S3_TRIES
        elif scheme == "az":
            _bound_azure(place.fs.service_client)
        else:
            _bound_google(place.fs)
    except ImportError as error:
        raise ExtraMissing(url, EXTRAS[scheme]) from error
    except ValueError as error:  # adlfs, of an account that is not named or not well-formed
        raise ObjectStoreDenied(url, _first_line(error)) from error
    return place


def _bound_azure(client: Any) -> None:
    """Give up after seconds instead of minutes; adlfs has no option for it."""
    retry = client._config.retry_policy
    retry.total_retries, retry.connect_retries = _AZ_RETRIES, _AZ_CONNECT_RETRIES
    retry.initial_backoff = _AZ_BACKOFF_SECONDS
    timeouts = client._pipeline._transport.connection_config
    timeouts.timeout, timeouts.read_timeout = _CONNECT_SECONDS, _READ_SECONDS


def _bound_google(store: Any) -> None:
    from aiohttp import ClientTimeout  # noqa: PLC0415 - of the extra

    store.requests_timeout = ClientTimeout(
        sock_connect=_GS_CONNECT_SECONDS, sock_read=_READ_SECONDS
    )


def put(file: BinaryIO, target: "UPath") -> None:
    """Upload a local file, which need not have a name, as one object; then compare its size.

    Raises:
        BucketMissing, ObjectStoreDenied, ObjectStoreFull, ObjectStoreLost, ObjectStoreRefused,
        ObjectStoreUnreachable: there is no object, or still the one that was there before.
    """
    file.flush()
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    with _store_errors(target):
        try:
            # The open file itself: one that was deleted, or never named, has no other path.
            target.fs.put_file(f"/dev/fd/{file.fileno()}", target.path, **_UPLOAD[target.protocol])
        except FileNotFoundError as error:
            raise _translated(error, f"{target}") or BucketMissing(f"{target}") from error
    found = stored(target)
    if found is None or found.bytes != size:
        arrived = found.bytes if found else "none"
        raise ObjectStoreLost(f"{target}", f"{size} bytes were sent, {arrived} have arrived")


def read(path: "UPath") -> bytes:
    """All of an object.

    Raises:
        FileNotFoundError: there is none of this name.
    """
    with _store_errors(path):
        content: bytes = path.fs.cat_file(path.path)
    return content


@contextmanager
def opened(path: "UPath") -> Iterator[io.BufferedReader]:
    """An object to be read from its beginning, some megabytes at a time.

    Raises:
        FileNotFoundError: there is none of this name.
    """
    with _store_errors(path):
        blocks: Any = path.fs.open(path.path, "rb", block_size=8 * _MIB, cache_type="readahead")
        with blocks:
            yield blocks


def listing(folder: "UPath") -> dict[str, Stored]:
    """Every object below a prefix, by its path relative to it.

    Raises:
        BucketMissing: an empty prefix is no error, a missing bucket is.
    """
    with _store_errors(folder):
        try:
            found = folder.fs.find(folder.path, detail=True)
        except FileNotFoundError as error:
            raise BucketMissing(f"{folder}") from error
        # s3fs and gcsfs say that a bucket is missing; adlfs finds nothing in it.
        is_told = found or folder.protocol != "az"
        if not is_told and not folder.fs.exists(folder.path.partition("/")[0]):
            raise BucketMissing(f"{folder}")
    prefix = f"{folder.path.rstrip('/')}/"
    return {
        name.removeprefix(prefix): _stored(info)
        for name, info in found.items()
        if name.startswith(prefix) and not name.endswith("/")
    }


def stored(path: "UPath") -> Stored | None:
    """One object; None where there is none."""
    with _store_errors(path):
        try:
            info = path.fs.info(path.path)
        except FileNotFoundError:
            return None
    return _stored(info) if info["type"] == "file" else None


def delete(path: "UPath") -> None:
    """Delete an object, if there is one."""
    with _store_errors(path), suppress(FileNotFoundError):
        path.fs.rm_file(path.path)


def _stored(info: dict[str, Any]) -> Stored:
    moment = info.get("LastModified") or info.get("last_modified") or info.get("mtime")
    return Stored(info["size"], moment.timestamp() if moment else 0.0)


# ---- errors ---------------------------------------------------------------------------------


@contextmanager
def _store_errors(place: "UPath") -> Iterator[None]:
    """Turn what a provider's library raises into errors that say what to do."""
    try:
        yield
    except TgPipelineError:
        raise
    except Exception as error:
        told = _translated(error, mask(f"{place}"))
        if told is None:
            raise
        raise told from error


def _translated(error: BaseException, url: str) -> TgPipelineError | None:  # noqa: PLR0911
    """Ours for theirs; None for what is no failure of the store.

    Three libraries have no common base: their errors are known by the names of their classes, so
    that none of the libraries need be installed.
    """
    chain = list(_chain(error))
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    codes = {code for one in chain for code in _codes(one)}
    status = next((found for one in chain if (found := _status(one))), 0)
    reason = _first_line(error)
    if codes & _NO_BUCKET:
        return BucketMissing(url)
    if codes & _GONE:
        return ObjectStoreLost(url, reason)
    if isinstance(error, FileNotFoundError):
        return None
    if codes & _FULL or status == _NO_ROOM:
        return ObjectStoreFull(url, reason)
    is_denied = names & _DENIED and "TransportError" not in names  # which is a GoogleAuthError
    if is_denied or status in {401, 403} or reason.startswith("Forbidden"):
        return ObjectStoreDenied(url, reason)
    cut = "ClientOSError" in names and "ClientConnectorError" not in names
    if names & _UNREACHABLE and not cut:  # aiobotocore says EndpointConnectionError of both
        return ObjectStoreUnreachable(url, reason)
    if cut or names & _LOST or status in _BUSY or status >= 500:
        return ObjectStoreLost(url, reason)
    theirs = {type(one).__module__.partition(".")[0] for one in chain} & _PROVIDERS
    told = theirs or isinstance(error, OSError) or reason.startswith(_NOT_AN_ANSWER)
    return ObjectStoreRefused(url, reason) if told else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None and not isinstance(error, TgPipelineError):
        yield error
        error = error.__cause__ or error.__context__


def _codes(error: BaseException) -> Iterator[str]:
    """The store's own names of what went wrong."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        yield f"{response.get('Error', {}).get('Code')}"
    if code := getattr(error, "error_code", None):
        yield f"{getattr(code, 'value', code)}"


def _status(error: BaseException) -> int:
    """The HTTP status, if the error has one."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    code = getattr(error, "status_code", None) or getattr(error, "code", None)
    return int(code) if isinstance(code, int | str) and f"{code}".isdigit() else 0


def _first_line(error: BaseException) -> str:
    lines = io.StringIO(mask(f"{error}")).readline().strip()
    return lines or type(error).__name__
