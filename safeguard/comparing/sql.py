"""Pieces of DuckDB SQL over slots. Names here are ours alone; user text never becomes SQL text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from safeguard.contract.types import TypeName
from safeguard.planning.layout import KeySlot, Typed
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


def ordered(expression: str, typed: Typed) -> str:
    """A value that sorts exactly as the canonical value does; NULL where that can't be told.

    Numbers held as text become a sign, the digits padded to one width, and the fraction; those of
    negative numbers are turned round. Dates and times sort as text while they have their usual width.
    """
    if typed.storage is not Storage.TEXT:
        return expression
    if typed.type.name in (TypeName.INTEGER, TypeName.DECIMAL):
        return _sortable_number(expression)
    if typed.type.name is TypeName.DATE:
        usual = rf"regexp_full_match({expression}, '\d{{4}}-\d\d-\d\d')"
        return (
            f"CASE WHEN {usual} THEN {expression} WHEN {expression} = 'infinity' THEN '~' "
            f"WHEN {expression} = '-infinity' THEN '' END"
        )
    if typed.type.name is TypeName.TIME:
        usual = rf"regexp_full_match({expression}, '\d\d:\d\d:\d\d(\.\d+)?')"
        return f"CASE WHEN {usual} THEN {expression} END"
    return expression


_WIDTH = 100
_DIGITS, _TURNED = "0123456789", "9876543210"


def _sortable_number(value: str) -> str:
    size = f"ltrim({value}, '-')"
    whole = f"split_part({size}, '.', 1)"
    digits = f"lpad({whole}, {_WIDTH}, '0') || '.' || split_part({size}, '.', 2)"
    turned = f"translate({digits}, '{_DIGITS}', '{_TURNED}')"
    return (
        f"CASE WHEN {value} = 'NaN' THEN '3' WHEN {value} = 'Infinity' THEN '2' "
        f"WHEN {value} = '-Infinity' THEN '+' WHEN length({whole}) > {_WIDTH} THEN NULL "
        f"WHEN starts_with({value}, '-') THEN '0' || {turned} || '~' "
        f"ELSE '1' || {digits} END"
    )


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
