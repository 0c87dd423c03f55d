"""From a cut record to fields whose every value a record of ours can hold, or to why not."""

from typing import Any

from tg_pipeline.sources.desktop_json.records import RecordSlice
from tg_pipeline.sources.desktop_json.repair import Understood
from tg_pipeline.sources.storable import storable
from tg_pipeline.sources.unfit import Unfit


def understood_or_unfit(record: RecordSlice) -> Understood:
    """The record's meaning.

    Raises:
        Unfit: invalid_utf8 or invalid_json.
    """
    if record.understood is not None:
        return record.understood
    try:
        record.data.decode()
    except UnicodeDecodeError as fault:
        raise Unfit("invalid_utf8", f"byte {fault.start} of the record: {fault.reason}") from None
    raise Unfit("invalid_json", "the record is not JSON, even after the known repairs")


def fields_of(understood: Understood) -> dict[str, Any]:
    """The record as an object.

    Raises:
        Unfit: not_an_object.
    """
    value = understood.value
    if understood.has_surrogates or b"\\u0000" in understood.json:
        value = storable(value)
    if not isinstance(value, dict):
        raise Unfit("not_an_object", f"a record is an object, this is {str(value)[:40]}")
    return value
