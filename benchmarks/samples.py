"""The sample: one chat of made-up messages, exported three times."""

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.stage import Stage
from tg_pipeline.generator import big_history, write_desktop_json

_AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
_NEWEST = b"""  {
   "id": 2000000000,
   "type": "message",
   "date": "2026-01-02T00:00:00",
   "date_unixtime": "1767312000",
   "from": "Benchmark",
   "from_id": "user1",
   "text": "the last one",
   "text_entities": []
  }
"""


def make(stage: Stage, messages: int) -> None:
    """Write the three exports."""
    write_desktop_json(stage.export, [big_history(messages)], as_of=_AS_OF)
    whole = stage.export.read_bytes()
    stage.respaced.write_bytes(whole + b"\n")
    _with_one_more(whole, stage.later)


def _with_one_more(whole: bytes, path: Path) -> None:
    end = whole.rindex(b"\n ]")
    path.write_bytes(whole[:end] + b",\n" + _NEWEST.rstrip() + whole[end:])
