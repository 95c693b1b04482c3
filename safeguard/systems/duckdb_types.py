"""What DuckDB's types are to us, and how each is asked for so that Arrow gets it exactly."""

from __future__ import annotations

import re

from safeguard.contract.types import TypeName
from safeguard.systems.interface import SourceType

_INTEGERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"),
    *("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"),
}
_WIDE = {"UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"}
_KINDS: dict[str, TypeName] = {
    **dict.fromkeys(_INTEGERS, TypeName.INTEGER),
    "FLOAT": TypeName.FLOAT,
    "DOUBLE": TypeName.FLOAT,
    "VARCHAR": TypeName.TEXT,
    "BOOLEAN": TypeName.BOOLEAN,
    "BLOB": TypeName.BYTES,
    "UUID": TypeName.UUID,
    "JSON": TypeName.JSON,
    "DATE": TypeName.DATE,
    "TIME": TypeName.TIME,
    "TIME_NS": TypeName.TIME,
    "TIME WITH TIME ZONE": TypeName.TIME,
    "TIMESTAMP": TypeName.TIMESTAMP,
    "TIMESTAMP_S": TypeName.TIMESTAMP,
    "TIMESTAMP_MS": TypeName.TIMESTAMP,
    "TIMESTAMP_NS": TypeName.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": TypeName.TIMESTAMP,
}
_AS_TEXT = {"HUGEINT", "UHUGEINT", "BIGNUM", "TIME WITH TIME ZONE"}
"""Arrow has no exact type for these (an offset would be lost, 39 digits not fit)."""
_JSON_LEAVES = _INTEGERS - {"BIGNUM"} | {"VARCHAR", "BOOLEAN", "UUID", "DOUBLE"}
_NESTED = re.compile(r"\[[0-9]*\]$|^(?:STRUCT|MAP)\(")


def source_type(declared: str) -> SourceType:
    """The type of a column that DuckDB declares so."""
    if declared == '"NULL"':
        return SourceType(None, declared)
    if _NESTED.search(declared):
        return _nested(declared)
    if declared.startswith("ENUM("):
        return SourceType(TypeName.ENUM, declared)
    if declared.startswith("DECIMAL("):
        return SourceType(TypeName.DECIMAL, declared)
    kind = _KINDS.get(declared)
    return SourceType(
        kind,
        declared,
        aware=declared == "TIMESTAMP WITH TIME ZONE",
        single=declared == "FLOAT",
        wide=declared in _WIDE,
        nanoseconds=declared == "TIMESTAMP_NS",
        unsupported="" if kind else f"DuckDB's {declared} has no canonical form",
    )


def exact(sql: str, declared: str) -> str:
    """The expression that hands this value to Arrow without a loss."""
    if declared in _AS_TEXT:
        return f"CAST({sql} AS VARCHAR)"
    if _NESTED.search(declared):
        return f"CAST(to_json({sql}) AS VARCHAR)"
    return sql


def _nested(declared: str) -> SourceType:
    leaves = set(_leaves(declared))
    odd = sorted(leaves - _JSON_LEAVES)
    if not odd:
        return SourceType(TypeName.JSON, declared)
    why = f"JSON would not keep the {', '.join(odd)} inside of {declared}"
    return SourceType(TypeName.JSON, declared, unsupported=why)


def _leaves(declared: str) -> list[str]:
    array = re.fullmatch(r"(.*)\[[0-9]*\]", declared, re.DOTALL)
    if array:
        return _leaves(array[1])
    if declared.startswith("MAP(") and declared.endswith(")"):
        key, value = _split(declared[4:-1])
        return (["a key of " + key] if key != "VARCHAR" else []) + _leaves(value)
    if declared.startswith("STRUCT(") and declared.endswith(")"):
        members = _split(declared[7:-1])
        return [leaf for member in members for leaf in _leaves(_without_name(member))]
    return [declared]


def _split(inside: str) -> list[str]:
    """Parts between the commas that stand outside of quotes and brackets."""
    parts, depth, quoted = [""], 0, False
    for char in inside:
        quoted ^= char == '"'
        depth += 0 if quoted else (char in "([") - (char in ")]")
        if char == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _without_name(member: str) -> str:
    match = re.match(r'(?:"(?:[^"]|"")*"|[^ ]+) (.*)', member, re.DOTALL)
    return match[1] if match else member
