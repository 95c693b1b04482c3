"""Does a contract speak of everything that customers made? Judged over the old systems' tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safeguard.contract.model import Contract, Ignore, LoadedPlan, NewSource, Source
from safeguard.findings.result import Coverage, IgnoredTable, UncoveredTable
from safeguard.findings.trouble import Mistake
from safeguard.planning.dependants import (
    Hang,
    find_dependants,
    find_table,
    heirs,
    owners_query,
    quoting,
)
from safeguard.planning.naming import OwnerName, owner_names, table_names
from safeguard.planning.sql_names import identifiers
from safeguard.systems.interface import Table

Tables = Mapping[str, tuple[Table, ...]]


@dataclass(frozen=True)
class Uncovered:
    """A table that hangs on the customers and that nobody speaks of, not counted yet."""

    system: str
    table: str
    hang: Hang

    def owners(self, dialect: str) -> str | None:
        """SQL that gives each customer who has entries there once, to be counted; None where no
        column says whose they are."""
        return owners_query(self.table, self.hang, quoting(dialect))


@dataclass(frozen=True)
class TableCount:
    """What a session counted in an uncovered table; None where it could not."""

    entries: int | None
    customers: int | None = None


@dataclass(frozen=True)
class CoveragePlan:
    """What coverage found before anything is counted. With `mistakes`, the plan must be mended."""

    covered: tuple[tuple[str, str], ...]
    ignored: tuple[IgnoredTable, ...]
    uncovered: tuple[Uncovered, ...]
    unchecked_columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


def find_coverage(tables: Tables, loaded: LoadedPlan) -> CoveragePlan:
    """Which tables of the old systems hang on the customers, and who speaks of each."""
    parts = [_judge(system, own, loaded) for system, own in tables.items()]
    notes = [note for part in parts for note in part.notes]
    if loaded.plan.customers is None:
        notes.insert(
            0,
            "No customers are declared: coverage knows only the tables that the contracts cover, "
            "what points at them, and columns that bear an owner's name.",
        )
    return CoveragePlan(
        covered=tuple(x for part in parts for x in part.covered),
        ignored=tuple(x for part in parts for x in part.ignored),
        uncovered=tuple(x for part in parts for x in part.uncovered),
        unchecked_columns=tuple(x for part in parts for x in part.unchecked_columns),
        notes=tuple(notes),
        mistakes=_ignore_mistakes(tables, loaded),
    )


def to_coverage(plan: CoveragePlan, counts: Mapping[tuple[str, str], TableCount]) -> Coverage:
    """The coverage with its uncovered tables counted.

    A table with no entry holds nothing that a customer made: it is named in a note and does not
    block. One that was not counted stays uncovered.
    """
    unknown = TableCount(None)
    counted = [(u, counts.get((u.system, u.table), unknown)) for u in plan.uncovered]
    empty = [u for u, count in counted if count.entries == 0]
    uncovered = tuple(
        UncoveredTable(u.system, u.table, count.entries, count.customers, u.hang.how)
        for u, count in counted
        if count.entries != 0
    )
    return Coverage(
        tables=len(plan.covered) + len(plan.ignored) + len(plan.uncovered),
        covered=len(plan.covered),
        ignored=plan.ignored,
        uncovered=uncovered,
        unchecked_columns=plan.unchecked_columns,
        notes=(
            *plan.notes,
            *(f"{u.system}.{u.table} has no contract, but it is empty." for u in empty),
        ),
    )


# One old system


@dataclass(frozen=True)
class _Reading:
    """A contract's source in this system, and the names by which it reads its tables."""

    contract: Contract
    source: Source


def _judge(system: str, tables: tuple[Table, ...], loaded: LoadedPlan) -> CoveragePlan:
    customers = _customer_tables(system, tables, loaded)
    readings = _readings(system, loaded)
    covered = _covered(system, tables, readings, loaded)
    roots = covered if loaded.plan.customers is None else frozenset()
    names = _owner_names(system, tables, loaded)
    hanging = find_dependants(tables, customers, names, roots)
    ignored = {
        table.name: entry.reason
        for entry in loaded.plan.coverage.ignore
        if entry.system == system and (table := find_table(tables, entry.table))
        if not entry.columns
    }
    given_up = ignored_columns(system, tables, loaded)
    views = {t.name for t in tables if t.is_view}
    return CoveragePlan(
        covered=tuple((system, t) for t in sorted(covered - customers)),
        ignored=tuple(
            IgnoredTable(system, t, reason)
            for t, reason in ignored.items()
            if t not in covered and t not in customers
        ),
        uncovered=tuple(
            Uncovered(system, t, hang)
            for t, hang in hanging.items()
            if t not in covered and t not in ignored and t not in views
        ),
        unchecked_columns=tuple(
            column for column in _unchecked(system, tables, readings) if column not in given_up
        ),
        notes=(
            *(
                f"{system}.{t} is ignored, but a contract covers it."
                for t in ignored
                if t in covered
            ),
            *(f"{column} is ignored: {reason}" for column, reason in given_up.items()),
        ),
    )


def _customer_tables(system: str, tables: tuple[Table, ...], loaded: LoadedPlan) -> frozenset[str]:
    declared = loaded.plan.customers.old if loaded.plan.customers else ()
    found = (find_table(tables, c.table) for c in declared if c.system == system)
    return frozenset(t.name for t in found if t)


def _readings(system: str, loaded: LoadedPlan) -> tuple[_Reading, ...]:
    """New sources count too where a migration moves tables within one system."""
    return tuple(
        _Reading(entry.contract, source)
        for entry in loaded.contracts
        for source in (*entry.contract.old, *entry.contract.new)
        if source.system == system
    )


def _covered(
    system: str, tables: tuple[Table, ...], readings: tuple[_Reading, ...], loaded: LoadedPlan
) -> frozenset[str]:
    named = [name for r in readings for name in (r.source.table, *r.source.covers) if name]
    for entry in loaded.contracts:
        named += _crosswalk_tables(system, entry.contract)
    found = set(_names(tables, named))
    whole = [name for r in readings for name in _read_with_heirs(r.source)]
    return frozenset(found | heirs(tables, _names(tables, whole)))


def _read_with_heirs(source: Source) -> list[str]:
    """Tables that a source reads with the rows of those that inherit from them. What a view does is
    not known, and a query may say ONLY."""
    if source.table:
        return [source.table]
    return [] if "only" in identifiers(source.query or "") else list(source.covers)


def _names(tables: tuple[Table, ...], named: list[str]) -> list[str]:
    return [t.name for name in named if (t := find_table(tables, name))]


def _crosswalk_tables(system: str, contract: Contract) -> list[str]:
    """A table of old and new ids is read whole and checked itself."""
    sources: tuple[Source, ...] = (*contract.old, *contract.new)
    crosswalks = [*contract.crosswalk.values()]
    crosswalks += [c for source in sources for c in source.crosswalk.values()]
    return [c.table for c in crosswalks if c.system == system]


# Names of owners


def _owner_names(
    system: str, tables: tuple[Table, ...], loaded: LoadedPlan
) -> tuple[OwnerName, ...]:
    found = _customer_names(system, loaded)
    for entry in loaded.contracts:
        why = f"the owner in {entry.path}"
        for column in _owner_columns(system, tables, entry.contract):
            found += owner_names(column, why)
    return tuple({name.words: name for name in reversed(found)}.values())[::-1]


def _customer_names(system: str, loaded: LoadedPlan) -> list[OwnerName]:
    if loaded.plan.customers is None:
        return []
    found: list[OwnerName] = []
    why = "the customers' key"
    for place in loaded.plan.customers.old:
        if place.system == system:
            found += [name for c in place.key for name in owner_names(c, why)]
            found += table_names(place.table, why)
    return found


def _owner_columns(system: str, tables: tuple[Table, ...], contract: Contract) -> list[str]:
    """The owner's contract names, and the columns behind them in this system."""
    found = list(contract.owner)
    for source in contract.old:
        if source.system != system:
            continue
        table = find_table(tables, source.table) if source.table else None
        for name in contract.owner:
            sql = source.columns.get(name)
            if sql and table and table.column(sql):
                found.append(sql)
            elif sql and table:
                spoken = identifiers(sql)
                found += [c.name for c in table.columns if c.name.lower() in spoken]
    return found


# Columns


def ignored_columns(system: str, tables: tuple[Table, ...], loaded: LoadedPlan) -> dict[str, str]:
    """`system.table.column` that no contract needs to speak of -> why."""
    return {
        f"{system}.{table.name}.{column}": entry.reason
        for entry in loaded.plan.coverage.ignore
        if entry.system == system and (table := find_table(tables, entry.table))
        for column in entry.columns
    }


def _unchecked(
    system: str, tables: tuple[Table, ...], readings: tuple[_Reading, ...]
) -> tuple[str, ...]:
    read: dict[str, set[str]] = {}
    for reading in readings:
        names = _names_read(system, reading)
        for name in (reading.source.table, *reading.source.covers):
            table = find_table(tables, name) if name else None
            if table:
                read.setdefault(table.name, set()).update(names)
        for heir in heirs(tables, _names(tables, _read_with_heirs(reading.source))):
            read.setdefault(heir, set()).update(names)
    return tuple(
        f"{system}.{table.name}.{column.name}"
        for table in tables
        if table.name in read
        for column in table.columns
        if column.name.lower() not in read[table.name]
    )


def _names_read(system: str, reading: _Reading) -> set[str]:
    """Every name that the contract speaks of in this source, in lower case."""
    contract, source = reading.contract, reading.source
    names = [*contract.key_columns, *contract.fields]
    names += [n for n in (contract.order, contract.latest) if n]
    names += [contract.as_of.field] if contract.as_of else []
    found: set[str] = set()
    for name in names:
        sql = source.columns.get(name, name)
        found |= {sql.lower(), *identifiers(sql)}
    for condition in _conditions(system, contract, source):
        found |= identifiers(condition)
    return found


def _conditions(system: str, contract: Contract, source: Source) -> list[str]:
    found = [source.where, source.deleted_when, source.query]
    if not isinstance(source, NewSource):
        for new in contract.new:
            receives = new.receives
            found.append(receives.get(system) if isinstance(receives, dict) else receives)
    return [sql for sql in found if sql]


# Mistakes


def _ignore_mistakes(tables: Tables, loaded: LoadedPlan) -> tuple[Mistake, ...]:
    found = []
    for i, entry in enumerate(loaded.plan.coverage.ignore):
        if entry.system not in tables:
            message = f"`{entry.system}` is not an old system; coverage is of the old systems."
        elif find_table(tables[entry.system], entry.table) is None:
            message = f"{entry.system} has no table `{entry.table}` to ignore."
        elif strange := _strange_columns(tables[entry.system], entry):
            message = f"{entry.system}.{entry.table} has no column {strange} to ignore."
        else:
            continue
        line, column = _position(loaded, f"coverage.ignore.{i}")
        found.append(Mistake(message, loaded.path, line, column))
    return tuple(found)


def _strange_columns(tables: tuple[Table, ...], entry: Ignore) -> str:
    table = find_table(tables, entry.table)
    known = {c.name for c in table.columns} if table else set()
    return ", ".join(f"`{name}`" for name in entry.columns if name not in known)


def _position(loaded: LoadedPlan, path: str) -> tuple[int | None, int | None]:
    for key in (f"{path}.table", path):
        if key in loaded.lines:
            return loaded.lines[key]
    return None, None
