"""Faults of one value: what movers do to a field on its way. Each says what cause it must be told by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

from safeguard.contract.types import TypeName
from safeguard.drill.ground import Customer, Ground, NewEntry
from safeguard.drill.kinds import FaultKind, Plant, Target, fields_where, replaced
from safeguard.findings.words import Cause, Kind
from safeguard.planning.layout import ContentPlan, FieldSlot, Typed


class _Unfit:
    """Of a value that a fault can't be made of."""


UNFIT: Final = _Unfit()


@dataclass(frozen=True)
class Seen:
    """A value of a kept entry, and what is known of it."""

    value: Any
    entry: NewEntry
    field: FieldSlot
    typed: Typed
    ground: Ground


Change = Callable[[Seen], Any]
"""The faulty value in its canonical form, or UNFIT."""


def value_fault(
    name: str,
    fits: Callable[[FieldSlot, int], bool],
    change: Change,
    causes: frozenset[Cause] = frozenset(),
    excuses: frozenset[str] = frozenset(),
) -> FaultKind:
    """A kind of fault that changes one value of one entry. Of a mapped field `mapped_wrong` is right
    too: only a text that the map makes tells more."""
    return FaultKind(
        name,
        fields_where(fits),
        partial(_plant_value, change=change, causes=causes, excuses=excuses),
    )


def texts_with_another(plan: ContentPlan) -> tuple[Target, ...]:
    """Each text field of each new system that another one follows."""
    return tuple(
        Target(new.index, field)
        for new in plan.new
        for field in plan.fields
        if field.new[new.index].type.name is TypeName.TEXT and field.spec.map is None
        if _next_text(plan, field) is not None
    )


def shift_comma(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """A comma that was not quoted: what stands behind it is in the next column."""
    field = _field(target)
    following = _next_text(ground.plan, field)
    for entry in _shuffled(customer.kept(target.route), random):
        value = entry.row[field.slot]
        if following is None or not value or "," not in value:
            continue
        before, _, behind = value.partition(",")
        rest = entry.row[following.slot]
        moved = behind if rest is None else f"{behind},{rest}"
        values = {field.slot: before, following.slot: moved}
        return replaced(
            customer, [(entry, values)], Kind.CHANGED, causes=frozenset({Cause.TRUNCATED})
        )
    return None


def off_the_map(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """A value has become what the map makes of the old value next to its own."""
    field, kept = _field(target), customer.kept(target.route)
    for entry in _shuffled(kept, random):
        wrong = _next_on_the_map(ground, field, entry)
        if wrong is not UNFIT:
            return _changed(customer, entry, field, wrong, frozenset({Cause.MAPPED_WRONG}))
    return None


def borrow(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """A value is the one of another customer's entry."""
    field = _field(target)
    others = [e for e in ground.samples.get(target.route, ()) if e.row[field.slot] is not None]
    if not others:
        return None
    for entry in _shuffled(customer.kept(target.route), random)[:3]:
        theirs = random.choice(others)
        value = theirs.row[field.slot]
        if value != entry.row[field.slot]:
            excuses = {str(a.form) for a in field.spec.accept}
            excuses |= {"within_tolerance", "unordered"}
            return _changed(customer, entry, field, value, frozenset(), frozenset(excuses))
    return None


# -- private -------------------------------------------------------------------------------------


def _plant_value(
    ground: Ground,
    customer: Customer,
    target: Target,
    random: Random,
    *,
    change: Change,
    causes: frozenset[Cause],
    excuses: frozenset[str],
) -> Plant | None:
    field = _field(target)
    typed = field.new[target.route]
    for entry in _shuffled(customer.kept(target.route), random):
        was = entry.row[field.slot]
        wrong = change(Seen(was, entry, field, typed, ground))
        if wrong is UNFIT or wrong == was:
            continue
        if field.spec.map is not None and wrong is not None:
            causes |= {Cause.MAPPED_WRONG}
        return _changed(customer, entry, field, wrong, causes, excuses)
    return None


def _changed(
    customer: Customer,
    entry: NewEntry,
    field: FieldSlot,
    value: Any,
    causes: frozenset[Cause],
    excuses: frozenset[str] = frozenset(),
) -> Plant:
    told = frozenset(str(c) for c in causes)
    changes = [(entry, {field.slot: value})]
    return replaced(customer, changes, Kind.CHANGED, causes=told, excuses=excuses)


def _field(target: Target) -> FieldSlot:
    assert target.field is not None
    return target.field


def _shuffled(entries: list[NewEntry], random: Random) -> list[NewEntry]:
    random.shuffle(entries)
    return entries[:200]


def _next_text(plan: ContentPlan, field: FieldSlot) -> FieldSlot | None:
    """The text field that stands behind this one in the contract."""
    behind = plan.fields[plan.fields.index(field) + 1 :]
    texts = (f for f in behind if f.old == field.old and f.spec.map is None)
    return next(texts, None)


def _next_on_the_map(ground: Ground, field: FieldSlot, entry: NewEntry) -> Any:
    """What an entry of the nearest old value has, where the map tells the two apart."""
    assert entry.partner is not None
    mine, now = entry.partner.values[field.slot], entry.row[field.slot]
    others = {}
    for other in ground.samples.get(entry.route, ()):
        if other.partner is not None and other.row[field.slot] != now:
            others[other.partner.values[field.slot]] = other.row[field.slot]
    known = [value for value in others if value is not None and mine is not None]
    if not known:
        return UNFIT
    return others[min(known, key=lambda value: (_apart(mine, value), str(value)))]


def _apart(one: Any, other: Any) -> float:
    """How far from each other two old values are; words are all equally far."""
    try:
        return abs(float(one) - float(other))
    except ValueError:
        return 0.0
