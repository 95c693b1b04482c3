"""What PostgreSQL's types mean to us, and which of them can be read exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from safeguard.contract.types import TypeName
from safeguard.systems.interface import SourceType

TYPES_SQL = """
SELECT t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype, t.typtypmod,
       n.nspname = 'pg_catalog'
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
"""

_BUILT_IN: dict[str, SourceType] = {
    "int2": SourceType(TypeName.INTEGER),
    "int4": SourceType(TypeName.INTEGER),
    "int8": SourceType(TypeName.INTEGER),
    "oid": SourceType(TypeName.INTEGER),
    "numeric": SourceType(TypeName.DECIMAL),
    "float4": SourceType(TypeName.FLOAT, single=True),
    "float8": SourceType(TypeName.FLOAT),
    "bpchar": SourceType(TypeName.TEXT, blank_padded=True),
    "char": SourceType(TypeName.TEXT),
    "bool": SourceType(TypeName.BOOLEAN),
    "timestamp": SourceType(TypeName.TIMESTAMP),
    "timestamptz": SourceType(TypeName.TIMESTAMP, aware=True),
    "date": SourceType(TypeName.DATE),
    "time": SourceType(TypeName.TIME),
    "timetz": SourceType(TypeName.TIME, aware=True),
    "uuid": SourceType(TypeName.UUID),
    "bytea": SourceType(TypeName.BYTES),
    "json": SourceType(TypeName.JSON),
    "jsonb": SourceType(TypeName.JSON),
    **dict.fromkeys(
        ["bit", "varbit", "inet", "cidr", "macaddr", "macaddr8", "interval", "xml", "unknown"],
        SourceType(TypeName.TEXT),  # the server's text form is exact and knows no setting but ours
    ),
}
_REASONS = {"money": "money has as many digits as the server's locale says; read it as m::numeric"}
_PLAIN_TEXT = "its text form is not known to be exact; read it by an expression such as (x)::text"


@dataclass(frozen=True)
class PgType:
    """A row of pg_type, as far as it says how values are read."""

    name: str
    kind: str
    category: str
    element: int
    base: int
    base_modifier: int
    built_in: bool


class PgTypes:
    """All types of a database by their oid."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._types = {row[0]: PgType(*row[1:]) for row in rows}

    def source_type(self, oid: int, modifier: int) -> SourceType:
        """How values of this type are compared; `unsupported` where they can't be exactly."""
        known = self._types.get(oid)
        if known is None:
            return SourceType(None, f"oid {oid}", unsupported="unknown type")
        if known.kind == "d":
            own = known.base_modifier if modifier == -1 else modifier
            return self.source_type(known.base, own)
        return self._of(known, _declared(known, modifier))

    def as_json(self, oid: int) -> bool:
        """Whether values are read through to_json: arrays, composites and hstore."""
        known = self._types.get(oid)
        if known is None:
            return False
        if known.kind == "d":
            return self.as_json(known.base)
        return _is_array(known) or known.kind == "c" or known.name == "hstore"

    def _of(self, known: PgType, declared: str) -> SourceType:
        if _is_array(known):
            return self._array(known)
        if known.kind == "e":
            return SourceType(TypeName.ENUM, known.name)
        if known.kind in "rm":
            return SourceType(TypeName.TEXT, declared)
        if known.kind == "c" or (known.name == "hstore" and not known.built_in):
            return SourceType(TypeName.JSON, known.name)
        if known.built_in and known.name in _BUILT_IN:
            found = _BUILT_IN[known.name]
            return SourceType(**{**vars(found), "declared": declared})
        if known.category == "S":  # text, varchar, name, citext
            return SourceType(TypeName.TEXT, declared)
        reason = _REASONS.get(known.name, f"{known.name}: {_PLAIN_TEXT}")
        return SourceType(None, declared, unsupported=reason)

    def _array(self, known: PgType) -> SourceType:
        element = self.source_type(known.element, -1)
        declared = f"{element.declared}[]"
        if element.unsupported:
            return SourceType(None, declared, unsupported=element.unsupported)
        return SourceType(TypeName.JSON, declared)


def _is_array(known: PgType) -> bool:
    return known.category == "A" and known.element != 0


def _declared(known: PgType, modifier: int) -> str:
    """As format_type writes it, of the types whose modifier says something of the values."""
    if modifier < 0:
        return known.name
    match known.name:
        case "numeric":
            scale = ((modifier - 4) & 0x7FF ^ 1024) - 1024
            return f"numeric({(modifier - 4) >> 16 & 0xFFFF},{scale})"
        case "varchar" | "bpchar":
            return f"{'char' if known.name == 'bpchar' else 'varchar'}({modifier - 4})"
        case "timestamp" | "timestamptz" | "time" | "timetz" | "bit" | "varbit":
            return f"{known.name}({modifier})"
        case _:
            return known.name
