"""Rows of Python values into Arrow, exactly, for drivers that know no columns.

A column of one Python type keeps it; a mixed one is handed on as exact text, its bytes apart from
it, so that one odd value in a million is that value's trouble and not the batch's.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

_BYTES: frozenset[type] = frozenset({bytes, bytearray, memoryview})
_SIMPLE: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    dt.date: pa.date32(),
    dt.time: pa.time64("us"),
}


def array_of(values: Sequence[Any]) -> pa.Array[Any]:
    """One column: of its own type where all values share one, else exact text."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.nulls(len(values))
    if len(kinds) == 1:
        found = _uniform(values, next(iter(kinds)))
        if found is not None:
            return found
    if kinds == {dt.datetime}:
        return _moments(values)
    if kinds <= _BYTES:
        return pa.array([v if v is None else bytes(v) for v in values], pa.binary())
    if kinds & _BYTES:
        return _apart(values)
    return pa.array(exact_texts(values), pa.string())


def _apart(values: Sequence[Any]) -> pa.Array[Any]:
    """Bytes and others, a struct of both: as text, x'31' would equal `\\x31`."""
    raw = [bytes(v) if isinstance(v, bytes | bytearray | memoryview) else None for v in values]
    texts = exact_texts(None if type(v) in _BYTES else v for v in values)
    return pa.StructArray.from_arrays(
        [pa.array(texts, pa.string()), pa.array(raw, pa.binary())],
        names=["text", "bytes"],
        mask=pa.array([v is None for v in values], pa.bool_()),
    )


def _uniform(values: Sequence[Any], kind: type) -> pa.Array[Any] | None:
    arrow = _SIMPLE.get(kind)
    if arrow is None or (kind is dt.time and any(v is not None and v.tzinfo for v in values)):
        return None
    try:
        return pa.array(values, arrow)
    except OverflowError:  # integers beyond 64 bits
        return None


def _moments(values: Sequence[Any]) -> pa.Array[Any]:
    aware = {v.tzinfo is not None for v in values if v is not None}
    if aware == {False}:
        return pa.array(values, pa.timestamp("us"))
    return pa.array(exact_texts(values), pa.string())


def exact_texts(values: Iterable[Any]) -> list[str | None]:
    """Each value as the text that canonical forms are read from."""
    return [None if value is None else exact_text(value) for value in values]


def exact_text(value: Any) -> str:
    """Digits, shortest floats, ISO times, hex of bytes, JSON of lists and mappings. TypeError."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return _duration(value)
    return _json(value)


def _duration(value: dt.timedelta) -> str:
    micros = value // dt.timedelta(microseconds=1)
    seconds, fraction = divmod(abs(micros), 1_000_000)
    sign = "-" if micros < 0 else ""
    tail = f".{fraction:06}" if fraction else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"


def _json(value: Any) -> str:
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=True, allow_nan=False, default=_refuse)
    raise TypeError(f"values of Python type {type(value).__name__} cannot be read exactly")


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} inside of JSON cannot be read exactly")
