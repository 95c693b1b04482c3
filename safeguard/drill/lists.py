"""Faults of lists: their ends gone, their order another."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

from safeguard.drill.ground import Customer, Ground, NewEntry
from safeguard.drill.kinds import FaultKind, Plant, Target, every_list, found_as, replaced
from safeguard.findings.words import Kind
from safeguard.planning.layout import ORDER_SLOT


def drop_last(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:  # noqa: ARG001
    """The last entry of each list of the customer is not there."""
    lasts = [entries[-1] for entries in _lists(ground, customer, target.route, 2)]
    if not lasts:
        return None
    item = lasts[0].item if len(lasts) == 1 else None
    return Plant((customer,), item, tuple(lasts), (), (found_as(Kind.LOST),))


def swap_neighbours(
    ground: Ground, customer: Customer, target: Target, random: Random
) -> Plant | None:
    """Two entries that follow each other have changed places."""
    lists = _lists(ground, customer, target.route, 2)
    if not lists:
        return None
    entries = random.choice(lists)
    at = random.randrange(len(entries) - 1)
    return _reordered(customer, entries[at : at + 2])


def turn(ground: Ground, customer: Customer, target: Target, random: Random) -> Plant | None:
    """A whole list runs backwards."""
    lists = _lists(ground, customer, target.route, 3)
    return _reordered(customer, random.choice(lists)) if lists else None


LISTS = (
    FaultKind("last entry of each list dropped", every_list, drop_last),
    FaultKind("neighbours swapped", every_list, swap_neighbours),
    FaultKind("list reversed", every_list, turn),
)


def _reordered(customer: Customer, entries: list[NewEntry]) -> Plant:
    """The entries at each other's places, the last one's first."""
    places = [e.row[ORDER_SLOT] for e in reversed(entries)]
    changes = [(e, {ORDER_SLOT: p}) for e, p in zip(entries, places, strict=True)]
    return replaced(customer, changes, Kind.MOVED)


def _lists(ground: Ground, customer: Customer, route: int, least: int) -> list[list[NewEntry]]:
    """The customer's lists of at least so many entries in one new system, each in its order, and only
    those whose order says something: all kept, and no place twice on either side."""
    slots = [i for i, k in enumerate(ground.plan.keys) if k in ground.plan.lists]
    found: dict[tuple[Any, ...], list[NewEntry]] = defaultdict(list)
    for entry in customer.entries(route):
        found[tuple(entry.key[i] for i in slots)].append(entry)
    return [
        sorted(entries, key=lambda e: e.place)
        for entries in found.values()
        if len(entries) >= least and _has_order(entries)
    ]


def _has_order(entries: list[NewEntry]) -> bool:
    olds = [e.partner.place for e in entries if e.partner is not None]
    news = [e.place for e in entries]
    whole = len(olds) == len(news) and None not in olds and None not in news
    return whole and len(set(olds)) == len(set(news)) == len(news)
