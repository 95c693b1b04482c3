"""What ADBC's batches say, put right where its arithmetic runs over.

The driver moves PostgreSQL's epoch, 2000-01-01, to 1970 in 64 or 32 bits without looking: infinity
and the last 30 years of timestamps come round at the other end, before 4713 BC, where nothing else is.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.systems.interface import Output

_MICROS, _DAYS = 946_684_800_000_000, 10_957
_FIRST_MICRO = -210_866_803_200_000_000
"""4714-11-24 BC, the first moment that PostgreSQL has."""
_FIRST_DAY = -2_440_588
_BEYOND = pa.scalar(-(2**63), pa.int64())
"""No 64 bits of microseconds since 1970 hold it, and canonical.py says so."""


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
    least = pc.min(ticks).as_py()
    if least is None or least >= _FIRST_MICRO:
        return column
    found = pc.if_else(pc.less(ticks, _FIRST_MICRO), _BEYOND, ticks)
    # What infinity and -infinity come as: the ends of 64 bits, moved.
    found = pc.if_else(pc.equal(ticks, -(2**63) + _MICROS - 1), 2**63 - 1, found)
    found = pc.if_else(pc.equal(ticks, -(2**63) + _MICROS), -(2**63) + 1, found)
    return found.view(column.type)


def _right_dates(column: pa.Array[Any]) -> pa.Array[Any]:
    days = column.view(pa.int32())
    least = pc.min(days).as_py()
    if least is None or least >= _FIRST_DAY:
        return column
    infinity, minus = -(2**31) + _DAYS - 1, -(2**31) + _DAYS
    found = pc.if_else(pc.equal(days, infinity), pa.scalar(2**31 - 1, pa.int32()), days)
    found = pc.if_else(pc.equal(days, minus), pa.scalar(-(2**31) + 1, pa.int32()), found)
    return found.view(column.type)
