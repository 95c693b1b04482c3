"""Rows of MySQL's binary protocol to Arrow: each step is done for all rows of a block at once.

Rows are walked column by column. `places` says where each row's next value begins: numbers have one
width, everything else begins with its length, and a NULL takes no room. Values are exact: numbers and
times as they are, all else as the server's own bytes ("Binary Protocol Value" in MySQL's documentation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pymysql.constants import FIELD_TYPE, FLAG

from safeguard.contract.types import TypeName
from safeguard.systems import mysql_times as times
from safeguard.systems.interface import Output
from safeguard.systems.mysql_wire import Block, Places, malformed

Mask = NDArray[np.bool_]
_WIDE = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""A length's first byte that says how many more it has; 251 and more are no lengths themselves."""
_LONGEST_BYTE = 0xFA
_INTEGERS = {
    FIELD_TYPE.TINY: 1,
    FIELD_TYPE.SHORT: 2,
    FIELD_TYPE.YEAR: 2,
    FIELD_TYPE.INT24: 4,
    FIELD_TYPE.LONG: 4,
    FIELD_TYPE.LONGLONG: 8,
}
_FLOATS = {FIELD_TYPE.FLOAT: 4, FIELD_TYPE.DOUBLE: 8}
_TIMES: dict[int, Callable[[times.Parts], pa.Array[Any]]] = {
    FIELD_TYPE.DATE: times.dates,
    FIELD_TYPE.NEWDATE: times.dates,
    FIELD_TYPE.DATETIME: times.moments,
    FIELD_TYPE.TIMESTAMP: times.moments,
    FIELD_TYPE.TIME: times.times_of_day,
}


def record_batch(
    block: Block, fields: Sequence[Any], outputs: tuple[Output, ...]
) -> pa.RecordBatch:
    """The rows as a batch named like the outputs. `fields` are the server's descriptions.

    Raises pymysql.OperationalError where a row is not as long as its values.
    """
    walk = _Walk(block, len(fields))
    arrays = [
        _array(walk, number, field, output)
        for number, (field, output) in enumerate(zip(fields, outputs, strict=True))
    ]
    walk.end()
    return pa.RecordBatch.from_arrays(arrays, names=[o.name for o in outputs])


class _Walk:
    """Where the next column's values stand, in all rows of a block."""

    def __init__(self, block: Block, width: int) -> None:
        self._block = block
        self.data = block.data
        bitmap = (width + 7 + 2) // 8
        self.places = block.starts + 1 + bitmap
        if (self.places > block.ends).any():
            raise malformed()

    def nulls(self, number: int) -> Mask | None:
        """Which rows have NULL in this column; None where none has."""
        byte, bit = divmod(number + 2, 8)
        found = (self.data[self._block.starts + 1 + byte] & (1 << bit)) != 0
        return found if found.any() else None

    def pass_by(self, sizes: Places | int, nulls: Mask | None) -> None:
        """Go to the next column. No row may end before its value does."""
        if nulls is not None:
            sizes = np.where(nulls, 0, sizes)
        self.places = self.places + sizes
        if (self.places > self._block.ends).any():
            raise malformed()

    def end(self) -> None:
        """See that every row ends with its last value."""
        if (self.places != self._block.ends).any():
            raise malformed()


def _array(walk: _Walk, number: int, field: Any, output: Output) -> pa.Array[Any]:
    nulls, code = walk.nulls(number), field.type_code
    if code in _INTEGERS:
        unsigned = bool(field.flags & FLAG.UNSIGNED) or code == FIELD_TYPE.YEAR
        found = _numbers(walk, nulls, _INTEGERS[code], "u" if unsigned else "i")
        return pc.not_equal(found, 0) if output.condition else found
    if code in _FLOATS:
        return _numbers(walk, nulls, _FLOATS[code], "f")
    if code in _TIMES:
        parts = times.Parts(walk.data, walk.places, nulls)
        walk.pass_by(parts.sizes + 1, nulls)
        return _TIMES[code](parts)
    if code == FIELD_TYPE.NULL:
        return pa.nulls(len(walk.places), pa.string())
    return _texts(_strings(walk, nulls), output)


def _numbers(walk: _Walk, nulls: Mask | None, width: int, kind: str) -> pa.Array[Any]:
    values = times.read(walk.data, walk.places, f"<{kind}{width}")
    walk.pass_by(width, nulls)
    return pa.array(values, mask=nulls)


def _texts(raw: pa.Array[Any], output: Output) -> pa.Array[Any]:
    if output.type.kind is TypeName.BYTES:
        return raw
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8: handed on as it is, and then found bad
        return raw


def _strings(walk: _Walk, nulls: Mask | None) -> pa.Array[Any]:
    """Values that begin with their length, as bytes."""
    sizes, heads = _lengths(walk, nulls)
    begins = walk.places + heads
    walk.pass_by(heads + sizes, nulls)
    if nulls is not None:
        begins = np.where(nulls, walk.places, begins)
    return _gathered(walk, begins, nulls)


def _lengths(walk: _Walk, nulls: Mask | None) -> tuple[Places, Places | int]:
    """Each value's bytes, and the bytes that its length itself takes."""
    first = walk.data[walk.places]
    sizes = first.astype(np.int64)
    wide = first > _LONGEST_BYTE if nulls is None else (first > _LONGEST_BYTE) & ~nulls
    if not wide.any():
        return sizes, 1
    heads = np.ones(len(sizes), np.int64)
    rows = np.flatnonzero(wide)
    for row, kind in zip(rows.tolist(), first[rows].tolist(), strict=True):
        if kind not in _WIDE:
            raise malformed()
        at, width = int(walk.places[row]) + 1, _WIDE[kind]
        sizes[row] = int.from_bytes(walk.data[at : at + width].tobytes(), "little")
        heads[row] += width
    return sizes, heads


def _gathered(walk: _Walk, begins: Places, nulls: Mask | None) -> pa.Array[Any]:
    """The bytes between `begins` and the next places, as Arrow copies them.

    The block is seen as one array of values and, between them, of what is not wanted.
    """
    offsets = np.stack((begins, walk.places), axis=1).astype(np.int32).ravel()
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(walk.data)]
    all_of_it = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)
    return all_of_it.take(pa.array(np.arange(0, len(offsets), 2, dtype=np.int32), mask=nulls))
