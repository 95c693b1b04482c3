"""Data in memory as Arrow tables: rows, Arrow's own, pandas' and Polars' frames.

pandas and Polars are known by their names alone: neither is imported, nor needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from safeguard.findings.trouble import UsageProblem
from safeguard.surviving.values import NotExact, array_of

FORMS = (
    "a URL, a SQLAlchemy engine, an Arrow table, a pandas or Polars DataFrame, a list of dicts, "
    "or a mapping of tables' names to such data"
)


def is_table(data: object) -> bool:
    """Whether this is data of one table, and no place or mapping of several."""
    return hasattr(data, "__arrow_c_stream__") or _is_rows(data) or _home(data) == "pandas"


def table_of(data: Any, called: str, columns: Sequence[str]) -> pa.Table:
    """The table, exactly. `called` is what it is in messages; `columns` those of no rows at all.

    Raises UsageProblem for what can't be kept exactly.
    """
    if _is_rows(data):
        return _of_rows(list(data), called, columns)
    if _home(data) == "pandas":
        return _of_pandas(data, called)
    if _home(data) == "polars":
        _see_no_objects(data, called)
    try:
        found = data.to_arrow() if _home(data) == "polars" else pa.table(data)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        raise _refused(called, str(error)) from error
    return _with_plain_names(found, called)


def _is_rows(data: object) -> bool:
    return isinstance(data, list | tuple) and all(isinstance(row, Mapping) for row in data)


def _home(data: object) -> str:
    """The library that the object's class is of."""
    return type(data).__module__.partition(".")[0]


def _of_rows(rows: list[Mapping[str, Any]], called: str, columns: Sequence[str]) -> pa.Table:
    """A column for each key; without any row, the columns that the contract reads."""
    names = list(rows[0]) if rows else list(columns)
    _see_names(names, called)
    for number, row in enumerate(rows):
        if set(row) != set(names):
            odd = min(map(str, set(row) ^ set(names)))
            raise _refused(
                called,
                f"rows 0 and {number} have different keys: only one has `{odd}`; "
                "a value that is not there is None",
            )
    return _table({name: [row[name] for row in rows] for name in names}, called)


def _table(columns: Mapping[str, Any], called: str) -> pa.Table:
    return pa.table({name: _column(values, name, called) for name, values in columns.items()})


def _column(values: Sequence[Any], name: str, called: str) -> pa.Array[Any]:
    try:
        return array_of(values)
    except NotExact as error:
        raise _refused(called, f"column `{name}` {error}") from error


def _of_pandas(frame: Any, called: str) -> pa.Table:
    """A frame with its named index levels as columns; a nameless index is a numbering, and left out."""
    if not hasattr(frame, "columns"):
        raise _refused(called, "a Series is no table: give a DataFrame")
    named = [name for name in frame.index.names if name is not None]
    whole = frame.reset_index(named) if named else frame
    names = list(whole.columns)
    _see_names(names, called)
    found = {}
    for place, name in enumerate(names):
        series = whole.iloc[:, place]
        if series.dtype == object:
            found[name] = _column([_missing(value) for value in series], name, called)
            continue
        try:
            found[name] = pa.Array.from_pandas(series)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise _refused(called, f"column `{name}`: {error}") from error
    return pa.table(found)


def _missing(value: Any) -> Any:
    """pandas' mark for what is missing as None; NaN in a column of objects is one too."""
    nothing = type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)
    return None if nothing else value


def _see_no_objects(frame: Any, called: str) -> None:
    """Polars would hand on the places of objects in memory."""
    for name, kind in frame.schema.items():
        if str(kind) == "Object":
            raise _refused(called, f"column `{name}` holds objects of Python: give a type to it")


def _with_plain_names(table: pa.Table, called: str) -> pa.Table:
    _see_names(table.column_names, called)
    return table.replace_schema_metadata(None)


def _see_names(names: Iterable[Any], called: str) -> None:
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or not name:
            raise _refused(called, f"a column is called {name!r}: names are texts")
        if name.lower() in seen:
            raise _refused(called, f"two columns are called `{name}`, in some upper or lower case")
        seen.add(name.lower())


def _refused(called: str, why: str) -> UsageProblem:
    return UsageProblem(f"{called}: {why}")
