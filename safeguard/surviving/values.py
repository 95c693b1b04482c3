"""Python values of one column as an Arrow array: exactly, or not at all.

A column is of one type. Nothing passes through float, and no value is made into another that is like
it: True is not 1, 1 is not 1.0, a date is not a midnight.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

import pyarrow as pa

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_NUMPY_KINDS = frozenset("biufSU")
"""Of which `item` gives the same value: of a time it gives a count of nanoseconds."""
_MOST_DIGITS = 76
"""Of a decimal in Arrow."""


class NotExact(ValueError):
    """A value that can't be kept as it is: the message says which, and what to do."""


def array_of(values: Sequence[Any]) -> pa.Array[Any]:
    """The column, by the one type of its values; None is NULL. Raises NotExact."""
    plain = [_plain(value) for value in values]
    name = _one_kind(plain)
    if name is None:
        return pa.nulls(len(plain))
    try:
        return _MAKERS[name](plain)
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        raise NotExact(f"can't be kept exactly: {str(error).partition(chr(10))[0]}") from error


def _plain(value: Any) -> Any:
    """NumPy's scalars and members of IntEnum and StrEnum as Python's values, a missing time as None."""
    if isinstance(value, Enum) and isinstance(value, int | str):
        return value.value
    if type(value).__module__ == "numpy" and value.dtype.kind in _NUMPY_KINDS:
        return value.item()
    if isinstance(value, dt.datetime) and value != value:
        return None
    return value


def _one_kind(values: Sequence[Any]) -> str | None:
    """The name of the type that all values have, None where there is none but None."""
    first: tuple[int, str] | None = None
    for row, value in enumerate(values):
        if value is None:
            continue
        name = _kind(row, value)
        if first is None:
            first = (row, name)
        elif name != first[1]:
            raise NotExact(
                f"mixes {first[1]} (row {first[0]}) and {name} (row {row}): make them one type"
            )
    return first and first[1]


def _kind(row: int, value: Any) -> str:
    if isinstance(value, Enum):
        raise NotExact(f"row {row} is {value}: give its `.value`")
    for types, name in _KINDS:
        if isinstance(value, types):
            if name == "datetime":
                return "datetime without a zone" if value.utcoffset() is None else name
            return name
    said = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    raise NotExact(f"row {row} is of type {said}, which has no exact form here: convert it")


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),  # before int, of which it is one
    (int, "int"),
    (float, "float"),
    (Decimal, "Decimal"),
    (str, "str"),
    ((bytes, bytearray, memoryview), "bytes"),
    (dt.datetime, "datetime"),  # before date, of which it is one
    (dt.date, "date"),
    (dt.time, "time"),
    (uuid.UUID, "UUID"),
    ((Mapping, list, tuple), "JSON"),
)


def _integers(values: Sequence[int | None]) -> pa.Array[Any]:
    """In 64 bits where they fit, else as decimals without places."""
    present = [int(v) for v in values if v is not None]
    low, high = min(present), max(present)
    if low in _INT64 and high in _INT64:
        return pa.array(values, pa.int64())
    if low in _UINT64 and high in _UINT64:
        return pa.array(values, pa.uint64())
    return _decimals([None if v is None else Decimal(int(v)) for v in values])


def _decimals(values: Sequence[Decimal | None]) -> pa.Array[Any]:
    whole = places = 0
    for row, value in enumerate(values):
        if value is None:
            continue
        if not value.is_finite():
            raise NotExact(f"row {row} is {value}, which no decimal can be")
        exponent = int(value.as_tuple().exponent)
        places = max(places, -exponent)
        whole = max(whole, len(value.as_tuple().digits) + exponent)
    digits = max(whole + places, 1)
    if digits > _MOST_DIGITS:
        raise NotExact(f"needs {digits} digits, and {_MOST_DIGITS} can be kept: give it as text")
    kind = pa.decimal128 if digits <= 38 else pa.decimal256
    return pa.array(values, kind(digits, places))


def _bytes(values: Sequence[Any]) -> pa.Array[Any]:
    return pa.array([None if v is None else bytes(v) for v in values], pa.binary())


def _instants(values: Sequence[dt.datetime | None]) -> pa.Array[Any]:
    return pa.array(values, pa.timestamp(_unit(values), tz="UTC"))


def _naive(values: Sequence[dt.datetime | None]) -> pa.Array[Any]:
    """As written: which of two equal readings is meant, only a zone can keep."""
    for row, value in enumerate(values):
        if value is not None and value.fold:
            raise NotExact(f"row {row} is in a fold and has no zone: give it one")
    return pa.array(values, pa.timestamp(_unit(values)))


def _unit(values: Sequence[Any]) -> str:
    """pandas' times may be finer than Python's."""
    return "ns" if any(getattr(v, "nanosecond", 0) for v in values) else "us"


def _times(values: Sequence[dt.time | None]) -> pa.Array[Any]:
    for row, value in enumerate(values):
        if value is not None and value.tzinfo is not None:
            raise NotExact(f"row {row} is a time with a zone: give it as text")
    return pa.array(values, pa.time64("us"))


def _uuids(values: Sequence[uuid.UUID | None]) -> pa.Array[Any]:
    return pa.array([None if v is None else v.bytes for v in values], pa.uuid())


def _documents(values: Sequence[Any]) -> pa.Array[Any]:
    texts = [None if v is None else _json(v, row) for row, v in enumerate(values)]
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))


def _json(value: Any, row: int) -> str:
    """The JSON of a value, numbers in all their digits."""
    match value:
        case Mapping():
            if odd := next((key for key in value if not isinstance(key, str)), None):
                raise NotExact(f"row {row} has the key {odd!r} in its JSON: keys are texts")
            parts = (f"{json.dumps(key)}:{_json(inner, row)}" for key, inner in value.items())
            return f"{{{','.join(parts)}}}"
        case list() | tuple():
            return f"[{','.join(_json(inner, row) for inner in value)}]"
        case Decimal() if value.is_finite():
            return str(value)
        case None | bool() | int() | float() | str():
            try:
                return json.dumps(value, allow_nan=False)
            except ValueError as error:
                raise NotExact(f"row {row} has {value} in its JSON, which JSON has not") from error
    raise NotExact(f"row {row} has a {type(value).__name__} in its JSON: JSON has none")


def _typed(kind: pa.DataType) -> Callable[[Sequence[Any]], pa.Array[Any]]:
    return lambda values: pa.array(values, kind)


_MAKERS: Mapping[str, Callable[[Sequence[Any]], pa.Array[Any]]] = {
    "bool": _typed(pa.bool_()),
    "int": _integers,
    "float": _typed(pa.float64()),
    "Decimal": _decimals,
    "str": _typed(pa.string()),
    "bytes": _bytes,
    "datetime": _instants,
    "datetime without a zone": _naive,
    "date": _typed(pa.date32()),
    "time": _times,
    "UUID": _uuids,
    "JSON": _documents,
}
