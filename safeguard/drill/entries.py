"""Faults of whole entries: gone, twice, somebody else's, in the wrong system, back again."""

from __future__ import annotations

from random import Random

from safeguard.drill.ground import Customer, Ground, NewEntry, OldEntry, Row
from safeguard.drill.kinds import (
    FaultKind,
    Plant,
    Target,
    every_route,
    found_as,
    several_routes,
    with_deleted,
)
from safeguard.findings.words import Kind
from safeguard.systems.canonical.column import ALTERNATE, BAD

_GIVEN = (found_as(Kind.MISATTRIBUTED), found_as(Kind.LOST, Kind.EXTRA))
"""Without fields that tell whose it was, an entry given away is rightly lost and extra."""

_GIVEN_WHOLE = (*_GIVEN, found_as(Kind.LOST, Kind.DUPLICATED))
"""To one who has the same thing: it stands beside the other's own."""


def drop(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:  # noqa: ARG001
    """One entry is not there."""
    kept = customer.kept(target.route)
    if not kept:
        return None
    entry = random.choice(kept)
    return Plant((customer,), entry.item, (entry,), (), (found_as(Kind.LOST),))


def drop_all(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:  # noqa: ARG001
    """Nothing of the customer is there, who had more than one entry."""
    kept, every = customer.kept(target.route), customer.entries(target.route)
    if len(kept) < 2:
        return None
    return Plant((customer,), None, tuple(every), (), (found_as(Kind.LOST),))


def double(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:  # noqa: ARG001
    """One entry is there twice."""
    kept = customer.kept(target.route)
    if not kept:
        return None
    entry = random.choice(kept)
    added = ((target.route, entry.row),)
    return Plant((customer,), entry.item, (), added, (found_as(Kind.DUPLICATED),))


def give(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """One entry is another customer's now."""
    kept = customer.kept(target.route)
    random.shuffle(kept)
    for entry in kept[:3]:
        others = _others(ground, customer, target)
        thing = ground.thing(entry)
        without = [other for other in others if not other.has(thing)]
        holding = [o for o in others if any(ground.thing(e) == thing for e in o.kept(entry.route))]
        for other, expected in ((without, _GIVEN), (holding, _GIVEN_WHOLE)):
            if other:
                added = ((target.route, _owned(ground, entry, other[0])),)
                people = (customer, other[0])
                return Plant(people, entry.item, (entry,), added, expected)
    return None


def swap(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """Two customers have each other's entry."""
    kept = customer.kept(target.route)
    random.shuffle(kept)
    for mine in kept[:3]:
        for other in _others(ground, customer, target):
            for theirs in other.kept(target.route)[:3]:
                if plant := _swapped(ground, (customer, mine), (other, theirs)):
                    return plant
    return None


def misroute(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """One entry went to a new system where it is not due."""
    kept = customer.kept(target.route)
    random.shuffle(kept)
    for entry in kept[:5]:
        for there in ground.plan.new:
            if entry.partner is None or entry.partner.due[there.index]:
                continue
            like = _like(ground, customer, there.index)
            if like is None or any(e.key == entry.key for e in customer.entries(there.index)):
                continue
            row = _filled(ground, like, entry.key, entry.partner)
            added = ((there.index, row),)
            expected = (found_as(Kind.MISROUTED),)
            return Plant((customer,), entry.item, (entry,), added, expected)
    return None


def resurrect(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """What the customer had deleted is back."""
    there = {e.key for e in customer.news} | {o.key for o in customer.olds if not o.deleted}
    gone = [
        o
        for o in customer.olds
        if o.deleted and not o.late and o.due[target.route] and o.key not in there
    ]
    like = _like(ground, customer, target.route)
    if not gone or like is None:
        return None
    old = random.choice(gone)
    row = _filled(ground, like, old.key, old)
    item = str(old.key[-1]) if ground.plan.items else None
    added = ((target.route, row),)
    return Plant((customer,), item, (), added, (found_as(Kind.RESURRECTED),))


ENTRIES = (
    FaultKind("entry dropped", every_route, drop),
    FaultKind("customer's whole list dropped", every_route, drop_all),
    FaultKind("entry duplicated", every_route, double),
    FaultKind("two customers' entries swapped", every_route, swap),
    FaultKind("entry given to another customer", every_route, give),
    FaultKind("entry sent to the wrong new system", several_routes, misroute),
    FaultKind("deleted entry resurrected", with_deleted, resurrect),
)


def _others(ground: Ground, customer: Customer, target: Target) -> list[Customer]:
    """A few customers, without a fault yet, that this new system knows."""
    found: list[Customer] = []
    for other in ground.free():
        if other.id != customer.id and other.kept(target.route):
            found.append(other)
        if len(found) == 20:
            break
    return found


def _owned(ground: Ground, entry: NewEntry, other: Customer) -> Row:
    """The row of an entry, as the other customer's: with the owner's id in the new system, too."""
    theirs = other.kept(entry.route)[0].row
    names = [*ground.owners, *(n for n in ("w",) if n in theirs)]
    return {**entry.row, **{name: theirs[name] for name in names}}


def _swapped(
    ground: Ground, one: tuple[Customer, NewEntry], two: tuple[Customer, NewEntry]
) -> Plant | None:
    (mine, first), (other, second) = one, two
    things = ground.thing(first), ground.thing(second)
    if things[0] == things[1]:
        slots = [f.slot for f in ground.plan.fields]
        if all(first.row[s] == second.row[s] for s in slots):
            return None
        expected = (found_as(Kind.CHANGED), found_as(Kind.MISATTRIBUTED))
    elif other.has(things[0]) or mine.has(things[1]):
        return None
    else:
        expected = _GIVEN
    added = (
        (first.route, _owned(ground, first, other)),
        (first.route, _owned(ground, second, mine)),
    )
    return Plant((mine, other), first.item, (first, second), added, expected)


def _like(ground: Ground, customer: Customer, route: int) -> NewEntry | None:
    """A row of this customer in a new system; of anybody where ids are the same on both sides."""
    own = customer.kept(route)
    if own:
        return own[0]
    if ground.plan.new[route].crosswalks:
        return None
    return next(iter(ground.samples.get(route, ())), None)


def _filled(ground: Ground, like: NewEntry, key: tuple[object, ...], old: OldEntry) -> Row:
    """A row of a new system with this key and the fields of an old entry, where no map changes them."""
    row = dict(like.row)
    row |= {k.slot: value for k, value in zip(ground.plan.keys, key, strict=True)}
    for f in ground.plan.fields:
        if f.spec.map is None:
            row[f.slot] = old.values[f.slot]
        if f.slot + ALTERNATE in row:
            row[f.slot + ALTERNATE] = None
    row[BAD] = None
    return row
