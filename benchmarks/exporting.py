"""Publishing, and what it is measured against: the same query by other ways."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.stage import Stage, Told, Watch
from tg_pipeline import flows
from tg_pipeline.exports import publication
from tg_pipeline.exports.columns import SELECT_LIST
from tg_pipeline.exports.formats import ParquetWriter
from tg_pipeline.store.windows import Window

_ROWS = """
SELECT {columns} FROM messages m
WHERE m.entity_id = {chat} AND m.date >= '{start}' AND m.date < '{end}'
ORDER BY m.id, m.account_id
"""
PEER_WINDOWS: Final = 6
"""pandas gets some of the windows; its speed hardly depends on how many there are."""


def prepare(stage: Stage) -> None:
    """Judge everything, since only what has passed is published."""
    with flows.open_archive(stage.settings) as archive:
        flows.check_windows(archive)


def binary_copy(stage: Stage) -> Told:
    """PostgreSQL's own binary COPY of the very query, thrown away: the limit."""
    watch = Watch()
    with flows.open_archive(stage.settings) as archive:
        windows = flows.find_windows(archive)
        rows = 0
        options = f"-c search_path={archive.database.schema} -c timezone=UTC"
        with psycopg.connect(archive.database.url, options=options) as connection:
            for window in windows:
                cursor = connection.cursor()
                with watch.running(), cursor.copy(_copy(window)) as copy:
                    for _ in copy:
                        pass
                rows += cursor.rowcount
    return Told(watch.seconds, rows)


def parquet_alone(stage: Stage) -> Told:
    """The same without JSONL, which our users cannot choose: what one format costs."""
    vars(publication)["WRITERS"] = (ParquetWriter,)
    return ours(stage)


def ours(stage: Stage) -> Told:
    """Parquet and JSONL with manifest, everything written anew."""
    folder = stage.folder / f"exports_{stage.turn}"
    settings = stage.settings.model_copy(update={"exports": folder})
    watch = Watch()
    with flows.open_archive(settings) as archive:
        with watch.running():
            published = flows.publish_windows(archive)
        published.require_all()
    shutil.rmtree(folder)
    return Told(watch.seconds, published.rows)


def pandas(stage: Stage) -> Told:
    """`read_sql` and `to_parquet`, window by window; no JSONL."""
    folder = stage.folder / f"pandas_{stage.turn}"
    folder.mkdir()
    watch = Watch()
    with flows.open_archive(stage.settings) as archive, archive.database.snapshot() as connection:
        rows = 0
        for number, window in enumerate(flows.find_windows(archive)[:PEER_WINDOWS]):
            with watch.running():
                rows += _with_pandas(connection, window, folder / f"{number}.parquet")
    return Told(watch.seconds, rows)


def _with_pandas(connection: Any, window: Window, path: Path) -> int:
    import pandas as pd

    frame = pd.read_sql(_query(window).replace("%", "%%"), connection)
    frame.to_parquet(path, compression="zstd")
    return len(frame)


def _query(window: Window) -> str:
    return _ROWS.format(
        columns=SELECT_LIST, chat=window.chat.entity_id, start=window.start, end=window.end
    )


def _copy(window: Window) -> Any:
    return f"COPY ({_query(window)}) TO STDOUT (FORMAT binary)"


CONTESTANTS: Final[dict[str, Callable[[Stage], Told]]] = {
    one.__name__: one for one in (binary_copy, ours, parquet_alone, pandas)
}
