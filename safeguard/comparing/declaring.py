"""Files declare no types; SQL on them sees those that the contracts declare.

Only columns that some SQL of a contract names are declared: what is compared is read as text and
parsed by us, so a value that DuckDB would not cast is no obstacle to comparing it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from safeguard.contract.model import Contract, LoadedPlan, NewSource, OldSource
from safeguard.contract.types import TypeName
from safeguard.planning.selection import receives_of
from safeguard.planning.sql_names import identifiers
from safeguard.systems.interface import Column, Relation, Session

_DUCKDB = {
    TypeName.INTEGER: "HUGEINT",
    TypeName.DECIMAL: "DECIMAL(38, 12)",
    TypeName.FLOAT: "DOUBLE",
    TypeName.BOOLEAN: "BOOLEAN",
    TypeName.TIMESTAMP: "TIMESTAMP",
    TypeName.DATE: "DATE",
    TypeName.TIME: "TIME",
    TypeName.UUID: "UUID",
}


@runtime_checkable
class Untyped(Protocol):
    """A session whose tables may declare no types."""

    def declare(self, table: str, types: Mapping[str, str]) -> None:
        """Let SQL on this table see columns under these DuckDB types."""


def declare_types(loaded: LoadedPlan, sessions: Mapping[str, Session]) -> None:
    """Declare, for every table of files, the columns that SQL of the plan's contracts names."""
    wanted: dict[tuple[str, str], dict[str, str]] = {}
    for one in loaded.contracts:
        sources: tuple[OldSource | NewSource, ...] = (*one.contract.old, *one.contract.new)
        for source in sources:
            session = sessions[source.system]
            if source.table is None or not isinstance(session, Untyped):
                continue
            columns = session.columns(Relation(table=source.table))
            types = wanted.setdefault((source.system, source.table), {})
            types |= dict(_types(one.contract, source, columns, sessions))
    for (system, table), types in wanted.items():
        session = sessions[system]
        if types and isinstance(session, Untyped):
            session.declare(table, types)


def _named(
    contract: Contract, source: OldSource | NewSource, columns: tuple[Column, ...]
) -> frozenset[str]:
    """The names that the source's SQL speaks of; a plain column's name is no SQL."""
    plain = {c.name for c in columns}
    texts = [source.where, source.deleted_when, *source.columns.values()]
    if isinstance(source, OldSource):
        texts += receives_of(contract, source)
    return frozenset().union(*(identifiers(t) for t in texts if t and t not in plain))


def _types(
    contract: Contract,
    source: OldSource | NewSource,
    columns: tuple[Column, ...],
    sessions: Mapping[str, Session],
) -> Iterator[tuple[str, str]]:
    named = _named(contract, source, columns)
    for name in contract.names:
        column = next((c for c in columns if c.name == source.columns.get(name, name)), None)
        if column is None or column.type.kind is not None or column.name.lower() not in named:
            continue
        kind = _declared(contract, name) or _of_the_others(contract, name, sessions)
        if kind in _DUCKDB:
            yield column.name, _DUCKDB[kind]


def _declared(contract: Contract, name: str) -> TypeName | None:
    field = contract.fields.get(name)
    kind = field.type if field is not None else contract.keys.get(name)
    return kind.name if kind is not None else None


def _of_the_others(
    contract: Contract, name: str, sessions: Mapping[str, Session]
) -> TypeName | None:
    """The type that another source declares for the same contract column."""
    for source in (*contract.old, *contract.new):
        if source.table is None:
            continue
        for column in sessions[source.system].columns(Relation(table=source.table)):
            if column.name == source.columns.get(name, name) and column.type.kind is not None:
                return column.type.kind
    return None
