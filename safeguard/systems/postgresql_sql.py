"""The SQL that reads a selection: every value in a form that comes through exactly."""

from __future__ import annotations

from safeguard.contract.types import TypeName
from safeguard.systems.interface import Output, Part, SourceType
from safeguard.systems.plan_sql import bracketed

_NATIVE = {
    TypeName.INTEGER: ("int2", "int4", "int8"),
    TypeName.TEXT: ("text", "varchar"),
    TypeName.FLOAT: ("float4", "float8"),
    TypeName.TIMESTAMP: ("timestamp", "timestamptz"),
    TypeName.DATE: ("date",),
    TypeName.BOOLEAN: ("bool",),
    TypeName.BYTES: ("bytea",),
}
"""What the driver reads exactly from the binary form; CHAR(n) too. All else comes as text."""
_OWN_CAST = {"inet": "inet_out", "xml": "xml_out"}
"""Types whose cast to text says something else than they do: a netmask, an encoding."""


def quoted(name: str) -> str:
    """An identifier of any letters."""
    return '"' + name.replace('"', '""') + '"'


def where(condition: str | None, part: Part | None = None) -> str:
    """The WHERE clause of a selection, or of one part of it."""
    terms = [bracketed(condition)] if condition else []
    if part is not None and part.range:
        first, *end = part.range
        terms.append(f"ctid >= '({first},0)'")
        terms += [f"ctid < '({block},0)'" for block in end]
    return f" WHERE {' AND '.join(terms)}" if terms else ""


def select(outputs: tuple[Output, ...], tail: str) -> str:
    """The outputs as the server declares them."""
    return f"SELECT {', '.join(declared(o) for o in outputs)} {tail}"


def select_exact(outputs: tuple[Output, ...], tail: str) -> str:
    """The resolved outputs, as c0, c1 and so on, each in a form that is read exactly."""
    columns = (f"{_exact(o)} AS c{i}" for i, o in enumerate(outputs))
    return f"SELECT {', '.join(columns)} {tail}"


def declared(output: Output) -> str:
    """An output as the server declares it."""
    sql = quoted(output.sql) if output.is_column else bracketed(output.sql)
    return f"({sql} IS TRUE)" if output.condition else sql


def _exact(output: Output) -> str:
    sql, source = declared(output), output.type
    name = source.declared.partition("(")[0]
    if output.condition or source.blank_padded or name in _native(source):
        return sql
    if source.kind is TypeName.INTEGER:  # oid, which is unsigned
        return f"{sql}::pg_catalog.int8"
    if source.kind is TypeName.JSON and name not in ("json", "jsonb"):
        return f"pg_catalog.to_json({sql})::pg_catalog.text"
    if source.kind is TypeName.TEXT and name in _OWN_CAST:
        return f"pg_catalog.textin(pg_catalog.{_OWN_CAST[name]}({sql}))"
    return f"{sql}::pg_catalog.text"


def _native(source: SourceType) -> tuple[str, ...]:
    return _NATIVE.get(source.kind, ()) if source.kind is not None else ()
