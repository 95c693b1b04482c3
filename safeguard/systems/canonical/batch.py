"""A batch of raw columns to a batch of canonical ones, and what of it did not parse."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from safeguard.contract.types import Type, TypeName
from safeguard.systems.canonical import arrays, calendar, documents, instants, numbers, plainvalues
from safeguard.systems.canonical.column import (
    ALTERNATE,
    BAD,
    CanonicalColumn,
    Reading,
    Storage,
)
from safeguard.systems.interface import SourceType

_READERS: dict[TypeName, Callable[[pa.Array[Any]], Reading]] = {
    TypeName.DECIMAL: numbers.read_decimal,
    TypeName.FLOAT: numbers.read_float,
    TypeName.BOOLEAN: plainvalues.read_boolean,
    TypeName.DATE: calendar.read_date,
    TypeName.TIME: calendar.read_time,
    TypeName.UUID: plainvalues.read_uuid,
    TypeName.BYTES: plainvalues.read_bytes,
    TypeName.JSON: documents.read_json,
}
_COLUMN_READERS: dict[TypeName, Callable[[pa.Array[Any], CanonicalColumn], Reading]] = {
    TypeName.INTEGER: numbers.read_integer,
    TypeName.TEXT: plainvalues.read_text,
    TypeName.ENUM: plainvalues.read_text,
    TypeName.TIMESTAMP: instants.read_timestamp,
}
_STORAGES: dict[TypeName, tuple[Storage, ...]] = {
    TypeName.INTEGER: (Storage.INT64, Storage.TEXT),
    TypeName.TIMESTAMP: (Storage.INT64,),
    TypeName.FLOAT: (Storage.FLOAT64,),
    TypeName.BOOLEAN: (Storage.BOOL,),
    TypeName.BYTES: (Storage.BINARY,),
}
_LONGEST_SAMPLE = 200


def canonical_schema(columns: tuple[CanonicalColumn, ...]) -> pa.Schema:
    """The schema of `canonical_batch`: each column, its `__alt` where asked for, then `bad`."""
    fields = []
    for column in columns:
        fields.append(pa.field(column.name, column.storage.arrow))
        if column.alternate:
            fields.append(pa.field(column.name + ALTERNATE, pa.int64()))
    return pa.schema([*fields, pa.field(BAD, pa.string())])


def canonical_batch(batch: pa.RecordBatch, columns: tuple[CanonicalColumn, ...]) -> pa.RecordBatch:
    """The canonical form of every value, row by row; what does not parse is NULL and in `bad`.

    `bad` is NULL for a row that was read whole, else a JSON object of column and raw text.
    """
    arrays_out: list[pa.Array[Any]] = []
    bad: dict[int, dict[str, str]] = {}
    for column in columns:
        raw = _unpacked(arrays.plain(batch.column(column.name)), column.target)
        reading = canonical_array(raw, column)
        _note_bad(bad, column.name, raw, reading.values)
        arrays_out.append(reading.values)
        if column.alternate:
            spare = reading.alternate
            arrays_out.append(arrays.nulls(raw, pa.int64()) if spare is None else spare)
    arrays_out.append(_bad_column(bad, batch.num_rows))
    return pa.RecordBatch.from_arrays(arrays_out, schema=canonical_schema(columns))


def _unpacked(raw: pa.Array[Any], target: Type) -> pa.Array[Any]:
    """JSON lines tell strings from what is written like them: as JSON `"5"` is not `5`."""
    if not pa.types.is_struct(raw.type) or "string" not in raw.type.names:
        return raw
    text, string = (pc.struct_field(raw, name) for name in ("text", "string"))
    if target.name is not TypeName.JSON:
        return text
    written = pc.if_else(string, pa.scalar(None, pa.string()), text)
    return arrays.by_value(text, written, json.dumps)


def canonical_array(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    """The reading of one raw column."""
    allowed = _STORAGES.get(column.target.name, (Storage.TEXT,))
    if column.storage not in allowed:
        raise TypeError(f"{column.target} is not kept as {column.storage}")
    if pa.types.is_struct(raw.type):
        return _of_kinds(raw, column)
    if pa.types.is_null(raw.type):
        return Reading(arrays.nulls(raw, column.storage.arrow))
    if column.target.name in _READERS:
        return _READERS[column.target.name](raw)
    return _COLUMN_READERS[column.target.name](raw, column)


def _of_kinds(raw: pa.Array[Any], column: CanonicalColumn) -> Reading:
    """Texts, bytes and numbers of one column, each read as in a column of its kind alone."""
    parts = [canonical_array(pc.struct_field(raw, name), column) for name in raw.type.names]
    alternates = [p.alternate for p in parts if p.alternate is not None]
    alternate = pc.coalesce(*alternates) if alternates else None
    return Reading(pc.coalesce(*(p.values for p in parts)), alternate)


def canonical_value(
    text: str | None,
    target: Type,
    storage: Storage,
    *,
    zone: str | None = None,
    nanoseconds: bool = False,
) -> int | str | float | bool | bytes | None:
    """The canonical form of one value given as text. ValueError if it does not parse."""
    if text is None:
        return None
    column = CanonicalColumn(
        "value", SourceType(None), target, storage, zone=zone, nanoseconds=nanoseconds
    )
    found = canonical_array(pa.array([text], pa.string()), column).values[0].as_py()
    if found is None:
        raise ValueError(f"{text!r} is not a value of type {target}")
    return cast("int | str | float | bool | bytes", found)


def _note_bad(
    bad: dict[int, dict[str, str]], name: str, raw: pa.Array[Any], values: pa.Array[Any]
) -> None:
    lost = pc.and_(pc.is_valid(raw), pc.is_null(values))
    if not pc.any(lost).as_py():
        return
    for row in pc.indices_nonzero(lost).to_pylist():
        bad.setdefault(row, {})[name] = _sample(raw[row])


def _sample(value: pa.Scalar[Any]) -> str:
    if pa.types.is_timestamp(value.type) or pa.types.is_date(value.type):
        value = value.cast(pa.int64() if value.type != pa.date32() else pa.int32())
    found = value.as_py()
    if isinstance(found, dict):
        found = next(part for part in found.values() if part is not None)
    text = found.decode("utf-8", "backslashreplace") if isinstance(found, bytes) else str(found)
    return text[:_LONGEST_SAMPLE]


def _bad_column(bad: dict[int, dict[str, str]], rows: int) -> pa.Array[Any]:
    if not bad:
        return pa.nulls(rows, pa.string())
    texts = [
        json.dumps(bad[row], ensure_ascii=False) if row in bad else None for row in range(rows)
    ]
    return pa.array(texts, pa.string())
