"""Files on each kind of object store: whole or absent, listed as they are now."""

import tempfile
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tg_pipeline import files
from tg_pipeline.errors import BucketMissing
from tg_pipeline.files import Place, open_place
from tg_pipeline_tests.objects.conftest import NewBucket
from tg_pipeline_tests.objects.servers import Store

SMALL, IN_PARTS = 10, 40 << 20
pytestmark = pytest.mark.filterwarnings(  # of aiohttp, about what gcsfs sends in parts
    "ignore:Sending a large body directly:ResourceWarning"
)


def write(path: Place, data: bytes) -> None:
    with files.durable(path) as file:
        file.write(data)


@pytest.mark.parametrize("size", [0, SMALL, IN_PARTS])
def test_a_file_is_there_when_it_is_complete(place: Place, size: int) -> None:
    path, data = place / "a" / "one.bin", bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with files.durable(path) as file:
        file.write(data)
        file.flush()
        assert files.names(place) == []
    assert files.names(place) == ["a/one.bin"]
    with files.opened(path) as back:
        assert back.read() == data
    found = files.listing(place)["a/one.bin"]
    assert found == files.stored(path) or abs(found.written_at - _now()) < 60
    assert found.bytes == size


def test_a_file_that_was_not_finished_leaves_what_was_there(place: Place) -> None:
    path = place / "one.json"
    write(path, b"before")
    with suppress(InterruptedError), files.durable(path) as file:
        file.write(b"half")
        raise InterruptedError
    assert files.read(path) == b"before"
    assert files.names(place) == ["one.json"]


def test_listings_and_sizes_are_never_remembered(place: Place) -> None:
    """Another process may write and delete what this one has listed."""
    elsewhere = open_place(f"{place}")
    assert not isinstance(elsewhere, Path)
    other = type(elsewhere.fs)(**elsewhere.storage_options, skip_instance_cache=True)
    for number in range(3):
        write(place / "chat" / f"{number}.json", b"x" * number)
        assert len(files.names(place)) == number + 1
        assert files.stored(place / "chat" / "0.json") is not None
    other.rm_file(f"{elsewhere.path}/chat/0.json")
    assert files.names(place / "chat") == ["1.json", "2.json"]
    assert files.stored(place / "chat" / "0.json") is None
    with pytest.raises(FileNotFoundError):
        files.read(place / "chat" / "0.json")


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(place: Place) -> None:
    write(place / "chat" / "1.json", b"")
    write(place / "chat2" / "2.json", b"")
    assert files.names(place / "chat") == ["1.json"]
    assert files.stored(place / "chat") is None


def test_renamed_and_deleted(place: Place) -> None:
    write(place / "1.json", b"one")
    files.rename(place / "1.json", "1.withdrawn.json")
    assert files.names(place) == ["1.withdrawn.json"]
    assert files.read(place / "1.withdrawn.json") == b"one"
    for _ in range(2):
        files.delete(place / "1.withdrawn.json")
    assert files.names(place) == []


def test_an_empty_prefix_is_empty_and_a_missing_bucket_is_an_error(place: Place, url: str) -> None:
    """Landing that seemed empty for want of its bucket would empty the tables."""
    assert files.names(place) == []
    gone = open_place(f"{url}-{uuid.uuid4().hex[:6]}/prefix")
    for call in (
        lambda: files.names(gone),
        lambda: files.listing(gone),
        lambda: write(gone / "x", b"x"),
    ):
        with pytest.raises(BucketMissing, match=f"{gone}"):
            call()


def test_nothing_is_left_on_this_machine(
    moto: Store, new_bucket: NewBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = open_place(new_bucket(moto))
    with files.durable(place / "x") as file:
        file.write(b"x")
        file.flush()
        assert list(tmp_path.iterdir()) == []


def _now() -> float:
    return datetime.now(UTC).timestamp()
