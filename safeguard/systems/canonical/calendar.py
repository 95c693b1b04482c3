"""Dates and times of day: as written."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.systems.canonical import arrays
from safeguard.systems.canonical.column import Reading

_YEAR = "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_MONTH_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
SURE_DATE = f"{_YEAR}-{_MONTH_DAY}"
"""A date that exists, by its looks alone (RE2): all of years 1 to 9999 but for 29 February."""

_DATE = re.compile(r"([0-9]{4,7})-([0-9]{2})-([0-9]{2})( BC)?")
_TIME = re.compile(
    r"(-?[0-9]{2,3}):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]+))?)?"
    r"(?:(Z)|([+-][0-9]{2})(?::?([0-9]{2}))?(?::([0-9]{2}))?)?"
)
_DATE32_INFINITY = 2**31 - 1
_DAY_SECONDS = 86_400


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a proleptic Gregorian date of any year (0 is 1 BC). ValueError."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= longest[month - 1]:
        raise ValueError("no such date")
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """The year (0 is 1 BC), month and day of `days_of`."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    day = of_year - (153 * shifted + 2) // 5 + 1
    return era * 400 + year + (month <= 2), month, day


def parse_date(text: str) -> tuple[int, int, int]:
    """Year, month and day of a date that exists, ` BC` and years beyond 9999 too. ValueError."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a date")
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if match[4]:
        year = 1 - year
    days_of(year, month, day)
    return year, month, day


def read_date(raw: pa.Array[Any]) -> Reading:
    """`YYYY-MM-DD` as written; infinity, zero dates, BC and far years are values of their own."""
    if pa.types.is_timestamp(raw.type) and raw.type.tz is None:
        raw = _midnights(raw)
    if pa.types.is_date64(raw.type):
        raw = raw.cast(pa.date32())
    if pa.types.is_date32(raw.type):
        return Reading(_written_days(raw))
    if arrays.is_bytes(raw):
        raw = arrays.decoded(raw)
    if not arrays.is_text(raw):
        return Reading(arrays.nulls(raw, pa.string()))
    fast = arrays.matching(raw, f"^{SURE_DATE}$")
    return Reading(arrays.by_value(raw, fast, _date_text))


def _midnights(raw: pa.Array[Any]) -> pa.Array[Any]:
    days = pc.floor_temporal(raw, unit="day")
    dates = days.cast(pa.date32())
    return pc.if_else(pc.equal(days, raw), dates, pa.scalar(None, pa.date32()))


def _written_days(raw: pa.Array[Any]) -> pa.Array[Any]:
    days = raw.cast(pa.int32())
    usual = pc.and_(
        pc.greater_equal(days, days_of(1, 1, 1)), pc.less_equal(days, days_of(9999, 12, 31))
    )
    fast = pc.if_else(usual, raw, pa.scalar(None, pa.date32())).cast(pa.string())
    return arrays.by_value(days, fast, _far_date)


def _far_date(days: int) -> str:
    if abs(days) == _DATE32_INFINITY:
        return "infinity" if days > 0 else "-infinity"
    year, month, day = date_of(days)
    bc = " BC" if year < 1 else ""
    return f"{1 - year if bc else year:04}-{month:02}-{day:02}{bc}"


def _date_text(text: str) -> str:
    if text.lower() in ("infinity", "-infinity"):
        return text.lower()
    zero = re.fullmatch(r"[0-9]{4}-(?:00-[0-3][0-9]|(?:0[0-9]|1[0-2])-00)", text)
    if zero:  # MariaDB keeps dates with a month or day of 0; so do we, as written
        return text
    parse_date(text)
    return re.sub(r"^0+(?=[0-9]{4})", "", text)


def read_time(raw: pa.Array[Any]) -> Reading:
    """`HH:MM:SS` as written, its fraction without trailing zeros; an offset is kept."""
    if pa.types.is_time(raw.type):
        return Reading(_written_times(raw))
    if pa.types.is_duration(raw.type):
        micros = raw.cast(pa.duration("us")).cast(pa.int64())
        return Reading(arrays.by_value(micros, arrays.nulls(raw, pa.string()), time_text))
    if arrays.is_bytes(raw):
        raw = arrays.decoded(raw)
    if not arrays.is_text(raw):
        return Reading(arrays.nulls(raw, pa.string()))
    fast = arrays.matching(raw, r"^-?[0-9]{2}:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?$")
    return Reading(arrays.by_value(raw, _no_minus_zero(_stripped(fast)), _time_text))


def _no_minus_zero(text: pa.Array[Any]) -> pa.Array[Any]:
    return pc.if_else(pc.equal(text, "-00:00:00"), "00:00:00", text)


def _written_times(raw: pa.Array[Any]) -> pa.Array[Any]:
    if raw.type in (pa.time32("s"), pa.time32("ms")):
        raw = raw.cast(pa.time64("us"))
    if raw.type == pa.time64("ns"):
        nanos = raw.cast(pa.int64())
        return arrays.by_value(nanos, arrays.nulls(raw, pa.string()), _nano_time_text)
    micros = raw.cast(pa.int64())
    usual = pc.less(micros, _DAY_SECONDS * 1_000_000)
    fast = pc.if_else(usual, raw, pa.scalar(None, raw.type)).cast(pa.string())
    fast = _stripped(fast)
    return arrays.by_value(micros, fast, time_text)


def _stripped(text: pa.Array[Any]) -> pa.Array[Any]:
    if not pc.any(pc.match_substring(text, ".")).as_py():
        return text
    text = pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1")
    return pc.replace_substring_regex(text, r"\.$", "")


def time_text(micros: int) -> str:
    """A time of day, or a MariaDB TIME of many hours either way, from its microseconds."""
    return _nano_time_text(micros * 1000)


def _nano_time_text(nanos: int) -> str:
    seconds, fraction = divmod(abs(nanos), 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    tail = f".{fraction:09}".rstrip("0") if fraction else ""
    sign = "-" if nanos < 0 else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{second:02}{tail}"


def _time_text(text: str) -> str:
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a time")
    fraction = (match[4] or "").rstrip("0")
    clock = f"{match[1]}:{match[2]}:{match[3] or '00'}" + (f".{fraction}" if fraction else "")
    if clock == "-00:00:00":
        clock = "00:00:00"
    return clock + _offset_text(match)


def _offset_text(match: re.Match[str]) -> str:
    if match[5]:
        return "+00"
    if not match[6]:
        return ""
    rest = [part for part in (match[7], match[8]) if part]
    while rest and rest[-1] == "00":
        rest.pop()
    return ":".join([match[6], *rest])
