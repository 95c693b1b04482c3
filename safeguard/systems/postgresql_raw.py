"""What ADBC's batches say, put right where its arithmetic runs over.

The driver moves PostgreSQL's epoch, 2000-01-01, to 1970 in 64 or 32 bits without looking: infinity
and the last 30 years of timestamps come round at the other end, before 4713 BC, where nothing else is.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.systems.canonical.calendar import date_of, time_text
from safeguard.systems.interface import Output

_MICROS, _DAYS = 946_684_800_000_000, 10_957
_FIRST_MICRO = -210_866_803_200_000_000
"""4714-11-24 BC, the first moment that PostgreSQL has."""
_FIRST_DAY = -2_440_588
_COME = (-(2**63) + _MICROS - 1, -(2**63) + _MICROS)
"""What infinity and -infinity come as: the ends of 64 bits, moved."""
_INFINITE = (2**63 - 1, -(2**63) + 1)
"""What canonical.py knows them by."""


def named(batch: pa.RecordBatch, outputs: tuple[Output, ...]) -> pa.RecordBatch:
    """The batch as raw columns, named like the outputs."""
    columns = [_right(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=[o.name for o in outputs])


def _right(column: pa.Array[Any]) -> pa.Array[Any]:
    if pa.types.is_timestamp(column.type):
        return _right_timestamps(column)
    if pa.types.is_date32(column.type):
        return _right_dates(column)
    return column


def _right_timestamps(column: pa.Array[Any]) -> pa.Array[Any]:
    ticks = column.view(pa.int64())
    ends = pc.min_max(ticks).as_py()
    if ends["min"] is None or (ends["min"] >= _FIRST_MICRO and ends["max"] < _INFINITE[0]):
        return column
    endless = [pc.equal(ticks, come) for come in _COME]
    far = pc.or_(pc.less(ticks, _FIRST_MICRO), pc.equal(ticks, _INFINITE[0]))
    if pc.any(pc.and_not(far, pc.or_(*endless))).as_py():
        # No 64 bits since 1970 hold it, or those of infinity: this batch is told as text.
        return pa.array([_written(tick) for tick in ticks.to_pylist()], pa.string())
    for found, known in zip(endless, _INFINITE, strict=True):
        ticks = pc.if_else(found, known, ticks)
    return ticks.view(column.type)


def _written(tick: int | None) -> str | None:
    """A moment as PostgreSQL writes it, of microseconds that may have come round."""
    if tick is None:
        return None
    if tick in _COME:
        return "infinity" if tick == _COME[0] else "-infinity"
    days, micros = divmod(tick + 2**64 if tick < _FIRST_MICRO else tick, 86_400_000_000)
    year, month, day = date_of(days)
    bc = " BC" if year < 1 else ""
    return f"{1 - year if bc else year:04}-{month:02}-{day:02} {time_text(micros)}{bc}"


def _right_dates(column: pa.Array[Any]) -> pa.Array[Any]:
    days = column.view(pa.int32())
    least = pc.min(days).as_py()
    if least is None or least >= _FIRST_DAY:
        return column
    infinity, minus = -(2**31) + _DAYS - 1, -(2**31) + _DAYS
    found = pc.if_else(pc.equal(days, infinity), pa.scalar(2**31 - 1, pa.int32()), days)
    found = pc.if_else(pc.equal(days, minus), pa.scalar(-(2**31) + 1, pa.int32()), found)
    return found.view(column.type)
