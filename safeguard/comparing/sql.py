"""Pieces of DuckDB SQL over slots. Names here are ours alone; user text never becomes SQL text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from safeguard.contract.types import TypeName
from safeguard.planning.layout import KeySlot
from safeguard.systems.canonical import INFINITY, MINUS_INFINITY, ZERO_DATE, Storage

COLUMN_TYPE = {
    Storage.INT64: "BIGINT",
    Storage.TEXT: "VARCHAR",
    Storage.FLOAT64: "DOUBLE",
    Storage.BOOL: "BOOLEAN",
    Storage.BINARY: "BLOB",
}

_FIRST_MOMENT = -9_223_372_022_400_000_000
"""The earliest timestamp of DuckDB; to write an earlier one is an internal error there, even behind
a CASE that rules it out."""


def literal(value: int | float | str | bool | bytes | None) -> str:
    """A value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS DOUBLE)"
    if isinstance(value, bytes):
        return f"unhex('{value.hex()}')"
    return "'" + value.replace("'", "''") + "'"


def columns(slots: Iterable[str], alias: str = "") -> str:
    """`a.k0, a.k1`."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(f"{prefix}{slot}" for slot in slots)


def same(slots: Iterable[str], one: str, other: str) -> str:
    """NULL-safe equality of the same slots of two aliases: NULL keys are compared, not skipped."""
    return " AND ".join(f"{one}.{s} IS NOT DISTINCT FROM {other}.{s}" for s in slots) or "TRUE"


def shown(expression: str, kind: TypeName, nanoseconds: bool = False) -> str:
    """A canonical value as people read it."""
    if kind is TypeName.TIMESTAMP:
        micros = f"({expression}) // 1000" if nanoseconds else f"({expression})"
        return (
            f"CASE {expression} WHEN {INFINITY} THEN 'infinity' WHEN {MINUS_INFINITY} THEN '-infinity' "
            f"WHEN {ZERO_DATE} THEN '0000-00-00 00:00:00' "
            f"ELSE CAST(make_timestamp(CASE WHEN {micros} < {_FIRST_MOMENT} "
            f"THEN {_FIRST_MOMENT} ELSE {micros} END) AS VARCHAR) END"
        )
    if kind is TypeName.BYTES:
        return f"lower(hex({expression}))"
    return f"CAST({expression} AS VARCHAR)"


def identity(expressions: Sequence[str]) -> str:
    """One text for a key of one or several columns: the text itself, or a JSON array. NULL is NULL."""
    if not expressions:
        return "CAST(NULL AS VARCHAR)"
    if len(expressions) == 1:
        return expressions[0]
    nothing = " AND ".join(f"{e} IS NULL" for e in expressions)
    return f"CASE WHEN {nothing} THEN NULL ELSE CAST(to_json([{', '.join(expressions)}]) AS VARCHAR) END"


def key_text(keys: Sequence[KeySlot], alias: str, prefix: str = "") -> str:
    """`identity` of key slots of an alias; `prefix` is "x" for the raw old ids."""
    return identity([shown(f"{alias}.{prefix}{k.slot}", k.type.name) for k in keys])
