"""Times of an export: unix stamps and dates with an offset are exact, local dates need a zone."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tg_pipeline.contracts import DatePrecision
from tg_pipeline.sources.unfit import Unfit

_DATE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?P<offset>Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_STAMP = re.compile(r"-?\d{1,12}", re.ASCII)
_LATEST_STAMP = 253_402_214_400
"""Seconds: a day before the year 10,000, so that no zone carries a time out of range."""
_NEVER_STAMP = 86_400
"""Seconds: what lies within a day of 1970 was never set, whatever the zone it is written in."""
_NEVER = datetime(1970, 1, 2)  # noqa: DTZ001 - compared with local times as they are written


class Moment(NamedTuple):
    """A time in UTC and how sure it is."""

    time: datetime
    precision: DatePrecision


def message_date(fields: dict[str, Any], zone: ZoneInfo | None) -> Moment:
    """When a message was sent; the unix stamp is the truth where there is one.

    Raises:
        Unfit: missing_date, invalid_date, or missing_zone for a local date without a named zone.
    """
    moment = _moment(fields, "date", zone)
    if moment is None:
        raise Unfit("missing_date", "the message has no date")
    return moment


def edited_at(fields: dict[str, Any], zone: ZoneInfo | None) -> datetime | None:
    """When a message was last edited; None for never, or for a local time of unknown zone.

    Raises:
        Unfit: invalid_date.
    """
    try:
        moment = _moment(fields, "edited", zone)
    except Unfit as fault:
        if fault.reason == "missing_zone":
            return None
        raise
    return None if moment is None else moment.time


def _moment(fields: dict[str, Any], name: str, zone: ZoneInfo | None) -> Moment | None:
    """None where it is absent or stands for never (1970)."""
    stamp = fields.get(name + "_unixtime")
    if stamp is not None:
        seconds = _seconds(stamp, name)
        if seconds <= _NEVER_STAMP:
            return None
        return Moment(datetime.fromtimestamp(seconds, UTC), DatePrecision.EXACT)
    written = fields.get(name)
    return None if written is None else read_date(written, zone)


def _seconds(stamp: object, name: str) -> int:
    if isinstance(stamp, str) and _STAMP.fullmatch(stamp):
        stamp = int(stamp)
    if type(stamp) is not int or not 0 <= stamp <= _LATEST_STAMP:
        raise Unfit("invalid_date", f"{name}_unixtime is {str(stamp)[:40]!r}")
    return stamp


def read_date(written: object, zone: ZoneInfo | None) -> Moment | None:
    """A date as text, with or without its offset from UTC; None for 1970.

    Raises:
        Unfit: invalid_date or missing_zone.
    """
    if not isinstance(written, str) or (match := _DATE.fullmatch(written)) is None:
        raise Unfit("invalid_date", f"{str(written)[:40]!r} is not a date and time")
    try:
        time = datetime.fromisoformat(written)
        if time.replace(tzinfo=None) <= _NEVER:
            return None
        if match["offset"]:
            return Moment(time.astimezone(UTC), DatePrecision.EXACT)
        if zone is None:
            raise Unfit("missing_zone", f"{written} is a local time, and no time zone was named")
        return _local(time, zone)
    except (ValueError, OverflowError) as fault:
        raise Unfit("invalid_date", f"{written!r}: {fault}") from None


@lru_cache(maxsize=4096)
def _local(time: datetime, zone: ZoneInfo) -> Moment:
    """The earlier reading of a local time; one skipped in spring moves on with the clock."""
    earlier = time.replace(tzinfo=zone, fold=0)
    later = earlier.replace(fold=1)
    twice = (later.utcoffset() or timedelta()) < (earlier.utcoffset() or timedelta())
    precision = DatePrecision.AMBIGUOUS if twice else DatePrecision.ZONE_GIVEN
    return Moment(earlier.astimezone(UTC), precision)
