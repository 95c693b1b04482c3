"""What a kind of fault is: where it applies, what it does to a customer, and what it must be found as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from safeguard.comparing.statuses import is_pooled
from safeguard.drill.ground import Customer, Ground, NewEntry, Row
from safeguard.findings.words import Kind
from safeguard.planning.layout import ContentPlan, FieldSlot
from safeguard.systems.canonical.column import ALTERNATE


@dataclass(frozen=True)
class Target:
    """Where a kind of fault can be planted: in a new system, and in which field of it."""

    route: int
    field: FieldSlot | None = None


Kinds = frozenset[Kind]


@dataclass(frozen=True)
class Plant:
    """One planted fault: what is taken away and what is put there instead.

    `expected` are the sets of finding kinds that each would be right; `causes` those of a change,
    empty where several are as good. `excuses` are what a contract may accept it by.
    """

    customers: tuple[Customer, ...]
    item: str | None
    removed: tuple[NewEntry, ...]
    added: tuple[tuple[int, Row], ...]
    expected: tuple[Kinds, ...]
    causes: frozenset[str] = frozenset()
    excuses: frozenset[str] = frozenset()


Planter = Callable[[Ground, Customer, Target, Random], Plant | None]
"""A fault at this customer; None where it would change nothing."""


@dataclass(frozen=True)
class FaultKind:
    """One line of the table of faults."""

    name: str
    targets: Callable[[ContentPlan], tuple[Target, ...]]
    plant: Planter


def found_as(*kinds: Kind) -> Kinds:
    """Findings that together are the right answer."""
    return frozenset(kinds)


def every_route(plan: ContentPlan) -> tuple[Target, ...]:
    """Each new system."""
    return tuple(Target(new.index) for new in plan.new)


def every_list(plan: ContentPlan) -> tuple[Target, ...]:
    """Each new system, of a content that has an order."""
    return every_route(plan) if plan.order is not None else ()


def several_routes(plan: ContentPlan) -> tuple[Target, ...]:
    """Each new system, where an entry can land in the wrong one."""
    chosen = any(slot is not None for old in plan.old for slot in old.receives)
    return every_route(plan) if chosen and len(plan.new) > 1 and not is_pooled(plan) else ()


def with_deleted(plan: ContentPlan) -> tuple[Target, ...]:
    """Each new system, where the old side tells what its customers have deleted."""
    return every_route(plan) if any(old.deleted_when for old in plan.old) else ()


def fields_where(test: Callable[[FieldSlot, int], bool]) -> Callable[[ContentPlan], Any]:
    """Each field of each new system for which the test (of field and route) holds."""

    def targets(plan: ContentPlan) -> tuple[Target, ...]:
        return tuple(Target(n.index, f) for n in plan.new for f in plan.fields if test(f, n.index))

    return targets


def altered(entry: NewEntry, values: Row) -> Row:
    """The row of an entry with other values; a time that is another has no second reading."""
    seconds = {s + ALTERNATE: None for s in values if s + ALTERNATE in entry.row}
    return {**entry.row, **values, **seconds}


def replaced(
    customer: Customer, changes: Sequence[tuple[NewEntry, Row]], kind: Kind, **more: Any
) -> Plant:
    """Entries of one customer with other values in their place."""
    plant = Plant(
        (customer,),
        changes[0][0].item if len(changes) == 1 else None,
        tuple(entry for entry, _ in changes),
        tuple((entry.route, altered(entry, values)) for entry, values in changes),
        (found_as(kind),),
    )
    return replace(plant, **more)
