"""Columns of the old systems that no contract reads: whatever becomes of them, a check says the same.

Nothing has to be planted to know that: a check that does not read a column sees the very same stream
whatever stands in it. Each that holds anything counts as one fault that survived.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from safeguard.contract.model import LoadedContract, LoadedPlan
from safeguard.drill.result import UNREAD, Fate, PlantedFault
from safeguard.findings.result import Coverage
from safeguard.findings.trouble import ConnectionLost, SystemProblem, UsageProblem
from safeguard.planning.coverage import ignored_columns
from safeguard.planning.dependants import find_table, quoting
from safeguard.systems.interface import Relation, Session, Table
from safeguard.systems.opened import Systems


def unread_columns(
    loaded: LoadedPlan, systems: Systems, coverage: Coverage
) -> dict[str, tuple[PlantedFault, ...]]:
    """content -> the faults that a check of it can't see. Raises ConnectionLost."""
    found: dict[str, list[PlantedFault]] = {}
    told: set[str] = set()
    for one in loaded.contracts:
        for system, table in _tables(one, systems):
            given_up = ignored_columns(system, (table,), loaded)
            for column in _unread(system, table, (*coverage.unchecked_columns, *given_up)):
                place = f"{system}.{table.name}.{column}"
                values = _values(systems[system], table.name, column)
                if place not in told and values != 0:
                    told.add(place)
                    fault = _fault(one, f"{system}.{table.name}", column, values)
                    if place in given_up:
                        fault = _tolerated(fault, f"the plan ignores {place}: {given_up[place]}")
                    found.setdefault(one.contract.content, []).append(fault)
    return {content: tuple(faults) for content, faults in found.items()}


def _tables(one: LoadedContract, systems: Systems) -> Iterator[tuple[str, Table]]:
    for source in one.contract.old:
        tables = systems[source.system].tables()
        for name in (source.table, *source.covers):
            if name and (table := find_table(tables, name)):
                yield source.system, table


def _unread(system: str, table: Table, unchecked: Collection[str]) -> list[str]:
    """Without a table's own number of its rows, which is nothing that a customer made."""
    own = table.primary_key if len(table.primary_key) == 1 else ()
    return [
        c.name
        for c in table.columns
        if c.name not in own and f"{system}.{table.name}.{c.name}" in unchecked
    ]


def _values(session: Session, table: str, column: str) -> int | None:
    """How many values the column holds; None where the system does not say."""
    name = quoting(session.info.dialect)(column)
    try:
        (count,) = session.count(Relation(table=table), f"{name} IS NOT NULL")
    except ConnectionLost:
        raise
    except (SystemProblem, UsageProblem):
        return None
    return count


def _fault(one: LoadedContract, table: str, column: str, values: int | None) -> PlantedFault:
    many = "" if values is None else f" ({values:,} values)"
    return PlantedFault(
        content=one.contract.content,
        kind=UNREAD,
        system=", ".join(dict.fromkeys(n.system for n in one.contract.new)),
        owner=None,
        item=None,
        field=column,
        fate=Fate.SURVIVED,
        reason=f"`{column}` of {table}{many} is not among the fields of {one.path}",
    )


def _tolerated(fault: PlantedFault, reason: str) -> PlantedFault:
    return replace(fault, fate=Fate.TOLERATED, reason=reason)
