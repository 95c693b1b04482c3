"""Dates and times of MySQL's binary protocol, as Arrow's; those that Arrow has none of, as text.

A value is its length and so many bytes, trailing zero parts left out. Dates with a zero part, days
that are none, and times beyond a day are values in MySQL: they come in the server's own words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from safeguard.systems.mysql_wire import Bytes, Places, malformed

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
_DAY = 86_400_000_000
_DATE_SIZES, _TIME_SIZES = (0, 4, 7, 11), (0, 8, 12)
_MONTHS = 13
"""Months in a year of the tables: the zeroth is no month."""


def read(data: Bytes, places: Places, kind: str) -> NDArray[Any]:
    """A number of this kind at each place, wherever it stands. Places may be `SPARE` bytes or
    less before the end."""
    width = np.dtype(kind).itemsize
    every: NDArray[Any] = np.ndarray((len(data) - width + 1,), kind, data, strides=(1,))
    return every[places]


@dataclass(frozen=True)
class Parts:
    """One column of dates or times: `places` of their length bytes; NULLs have none."""

    data: Bytes
    places: Places
    nulls: Mask | None

    @cached_property
    def sizes(self) -> Ints:
        """Bytes of each value, 0 for NULL."""
        sizes = self.data[self.places].astype(np.int64)
        return sizes if self.nulls is None else np.where(self.nulls, 0, sizes)

    def number(self, at: int, kind: str, least: int) -> Ints:
        """The number at this byte of each value, 0 where the value has less than `least` bytes."""
        found = read(self.data, self.places + at, kind).astype(np.int64)
        if self.sizes.min() < least:
            found[self.sizes < least] = 0
        return found

    def check(self, sizes: tuple[int, ...]) -> None:
        """Raise pymysql.OperationalError for a length that no value has."""
        if not np.isin(np.unique(self.sizes), sizes).all():
            raise malformed()


@cache
def _calendar() -> tuple[Ints, Ints]:
    """Of every month until 9999: its first day since 1970, and its days (0 for no month)."""
    months = np.arange("0000-01", "10000-02", dtype="datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64)
    first, length = np.zeros((2, 10_000, _MONTHS), np.int64)
    first[:, 1:] = days[:-1].reshape(10_000, 12)
    length[:, 1:] = np.diff(days).reshape(10_000, 12)
    return first.ravel(), length.ravel()


def _days(parts: Parts) -> tuple[Ints, Ints, Mask]:
    """Days since 1970, the date's own digits as yyyymmdd, and which dates are none."""
    parts.check(_DATE_SIZES)
    word = parts.number(1, "<u4", 4)
    year, month, day = word & 0xFFFF, word >> 16 & 0xFF, word >> 24
    if year.max() > 9999 or month.max() > 12:
        raise malformed()
    first, length = (table[year * _MONTHS + month] for table in _calendar())
    odd = (day < 1) | (day > length)
    if parts.nulls is not None:
        odd &= ~parts.nulls
    return first + day - 1, (year * 100 + month) * 100 + day, odd


def dates(parts: Parts) -> pa.Array[Any]:
    """Dates, or their text where one of them is no day."""
    if not len(parts.places):
        return pa.array([], pa.date32())
    days, digits, odd = _days(parts)
    found = pa.array(days.astype(np.int32), mask=parts.nulls).cast(pa.date32())
    return _with_texts(found, odd, digits, _date_text)


def moments(parts: Parts) -> pa.Array[Any]:
    """Timestamps in microseconds without a zone, or their text where one of them is no day."""
    days, digits, odd = _days(parts)
    clock = parts.number(5, "<u4", 7)  # its highest byte is not of it
    seconds = (clock & 0xFF) * 3600 + (clock >> 8 & 0xFF) * 60 + (clock >> 16 & 0xFF)
    micros = seconds * 1_000_000 + parts.number(8, "<u4", 11)
    found = pa.array(days * _DAY + micros, mask=parts.nulls).cast(pa.timestamp("us"))
    return _with_texts(found, odd, digits * _DAY + micros, _moment_text)


def times_of_day(parts: Parts) -> pa.Array[Any]:
    """Times in microseconds, or their text where one of them is none of a day's."""
    parts.check(_TIME_SIZES)
    clock = parts.number(6, "<u4", 8)
    hours = parts.number(2, "<u4", 8) * 24 + (clock & 0xFF)
    seconds = hours * 3600 + (clock >> 8 & 0xFF) * 60 + (clock >> 16 & 0xFF)
    micros = seconds * 1_000_000 + parts.number(9, "<u4", 12)
    micros = np.where(parts.number(1, "u1", 8) > 0, -micros, micros)
    odd = (micros < 0) | (micros >= _DAY)
    found = pa.array(np.where(odd, 0, micros), mask=parts.nulls).cast(pa.time64("us"))
    return _with_texts(found, odd, micros, _time_text)


def _with_texts(
    found: pa.Array[Any], odd: Mask, keys: Ints, text: Callable[[int], str]
) -> pa.Array[Any]:
    """`found`, or all of it as text where there are odd ones: `text` of their keys."""
    if not odd.any():
        return found
    different, which = np.unique(keys[odd], return_inverse=True)
    texts = pa.array([text(key) for key in different.tolist()], pa.string())
    return pc.replace_with_mask(found.cast(pa.string()), pa.array(odd), texts.take(pa.array(which)))


def _date_text(digits: int) -> str:
    return f"{digits // 10_000:04}-{digits // 100 % 100:02}-{digits % 100:02}"


def _moment_text(key: int) -> str:
    digits, micros = divmod(key, _DAY)
    return f"{_date_text(digits)} {_time_text(micros)}"


def _time_text(micros: int) -> str:
    seconds, fraction = divmod(abs(micros), 1_000_000)
    tail = f".{fraction:06}" if fraction else ""
    sign = "-" if micros < 0 else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"
