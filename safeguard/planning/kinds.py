"""Which type two sides are compared by, and whether a declared column can be read as it."""

from __future__ import annotations

from collections.abc import Iterable

from safeguard.contract.types import Type, TypeName
from safeguard.planning.layout import Typed
from safeguard.systems.canonical import Storage
from safeguard.systems.interface import SourceType

T = TypeName

READABLE: dict[TypeName, frozenset[TypeName]] = {
    T.INTEGER: frozenset({T.INTEGER, T.DECIMAL, T.BOOLEAN, T.TEXT, T.ENUM}),
    T.DECIMAL: frozenset({T.INTEGER, T.DECIMAL, T.FLOAT, T.TEXT}),
    T.FLOAT: frozenset({T.INTEGER, T.DECIMAL, T.FLOAT, T.TEXT}),
    T.TEXT: frozenset({T.TEXT, T.ENUM, T.UUID, T.INTEGER, T.BYTES, T.DATE, T.TIME}),
    T.ENUM: frozenset({T.TEXT, T.ENUM}),
    T.BOOLEAN: frozenset({T.BOOLEAN, T.INTEGER, T.TEXT, T.ENUM}),
    T.TIMESTAMP: frozenset({T.TIMESTAMP, T.DATE, T.TEXT}),
    T.DATE: frozenset({T.DATE, T.TEXT}),
    T.TIME: frozenset({T.TIME, T.TEXT}),
    T.UUID: frozenset({T.UUID, T.TEXT, T.BYTES}),
    T.BYTES: frozenset({T.BYTES}),
    T.JSON: frozenset({T.JSON, T.TEXT}),
}
"""Target type -> kinds of columns that can be read as it (an untyped column always can)."""

_SAME_KIND = (
    (frozenset({T.TEXT, T.ENUM}), T.TEXT),
    (frozenset({T.INTEGER, T.DECIMAL}), T.DECIMAL),
)


class TypesDiffer(ValueError):
    """Two systems declare types of different kind: the contract must say which holds."""


def common_type(declared: Iterable[SourceType]) -> Type | None:
    """The type that all sides declare; None where no side declares one. Raises TypesDiffer."""
    sources = tuple(declared)
    kinds = {s.kind for s in sources if s.kind is not None}
    if not kinds:
        return None
    if len(kinds) == 1:
        return Type(kinds.pop())
    if kinds == {T.INTEGER, T.BOOLEAN} and _one_bit(sources):
        return Type(T.BOOLEAN)
    for together, kind in _SAME_KIND:
        if kinds == together:
            return Type(kind)
    said = ", ".join(sorted({s.declared or str(s.kind) for s in sources if s.kind}))
    raise TypesDiffer(f"the systems declare different types ({said}); give it a `type:`")


def _one_bit(sources: tuple[SourceType, ...]) -> bool:
    """MySQL spells boolean tinyint(1)."""
    return all(s.declared.lower() == "tinyint(1)" for s in sources if s.kind is T.INTEGER)


def unfit(target: Type, source: SourceType) -> str | None:
    """Why a column cannot be read as `target`; None if it can."""
    if source.kind is None or source.unsupported or source.kind in READABLE[target.name]:
        return None
    return f"{source.declared or source.kind} can't be read as {target}"


def typed(target: Type, sources: Iterable[SourceType], as_text: bool = False) -> Typed:
    """How canonical values of these columns are stored, on both sides alike.

    Integers are 64 bits wide only where every column is declared so; else digits, of any length.
    """
    sources = tuple(sources)
    if target.name is T.INTEGER:
        narrow = all(s.kind in (T.INTEGER, T.BOOLEAN) and not s.wide for s in sources)
        return Typed(target, Storage.INT64 if narrow and not as_text else Storage.TEXT)
    if target.name is T.TIMESTAMP:
        return Typed(target, Storage.INT64, nanoseconds=any(s.nanoseconds for s in sources))
    storage = {T.FLOAT: Storage.FLOAT64, T.BOOLEAN: Storage.BOOL, T.BYTES: Storage.BINARY}
    return Typed(target, storage.get(target.name, Storage.TEXT))
