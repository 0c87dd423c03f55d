"""The file formats: each takes the same chunks of rows and turns them into one file."""

from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, Final, Protocol, Self

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tg_pipeline.exports.chunks import CHUNK_ROWS
from tg_pipeline.exports.columns import COLUMNS
from tg_pipeline.exports.drafts import Draft, Written
from tg_pipeline.exports.jsonl import encode
from tg_pipeline.files import Place

_LEVEL = 3
_REPEATING = [column.name for column in COLUMNS if column.repeats]


class Writer(Protocol):
    """Writes one file of one format."""

    format: ClassVar[str]
    rows: int

    def __init__(self, folder: Place, schema: pa.Schema) -> None: ...

    def write(self, rows: pa.Table) -> None:
        """Append a chunk."""
        ...

    def publish(self) -> Written:
        """Finish the file and give it its name."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class ParquetWriter:
    """ZSTD Parquet; a chunk is a row group."""

    format: ClassVar[str] = "parquet"

    def __init__(self, folder: Place, schema: pa.Schema) -> None:
        self.rows = 0
        self._draft = Draft(folder, ".parquet")
        self._schema = schema
        sink: Any = self._draft
        repeating: Any = _REPEATING
        self._writer = pq.ParquetWriter(
            pa.PythonFile(sink, mode="w"),
            schema,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=repeating,
        )

    def write(self, rows: pa.Table) -> None:
        """Append a row group."""
        self._writer.write_table(
            rows.replace_schema_metadata(self._schema.metadata), row_group_size=CHUNK_ROWS
        )
        self.rows += rows.num_rows

    def publish(self) -> Written:
        """Write the footer and give the file its name."""
        self._writer.close()
        return self._draft.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._draft, suppress(Exception):  # after a failure the footer cannot be written
            self._writer.close()


class JsonlWriter:
    """Zstandard-compressed JSON lines."""

    format: ClassVar[str] = "jsonl"

    def __init__(self, folder: Place, schema: pa.Schema) -> None:
        del schema  # JSONL tells nothing about itself; the manifest does
        self.rows = 0
        self._draft = Draft(folder, ".jsonl.zst")
        self._compressor: Any = zstandard.ZstdCompressor(
            level=_LEVEL, write_checksum=True
        ).compressobj()

    def write(self, rows: pa.Table) -> None:
        """Append the lines of a chunk."""
        self._draft.write(self._compressor.compress(encode(rows)))
        self.rows += rows.num_rows

    def publish(self) -> Written:
        """End the frame and give the file its name."""
        self._draft.write(self._compressor.flush())
        return self._draft.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._draft.__exit__(kind, error, trace)


WRITERS: Final[tuple[type[Writer], ...]] = (ParquetWriter, JsonlWriter)
FORMATS: Final = tuple(writer.format for writer in WRITERS)
