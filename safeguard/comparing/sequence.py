"""What stands in order: the longest common subsequence of one list, old and new.

Ties in old promise no order among themselves; ties in new do not keep an order that old had. Of
several longest subsequences the one that stands earliest in old is taken.

Each possible match of an old with a new entry becomes a point; a chain of points that rises on both
sides is a common subsequence. Points are sorted as old stands and the longest strictly rising chain
of their new places is found by patience sorting (Hunt and Szymanski, "A fast algorithm for computing
longest common subsequences", CACM 20(5), 1977), in O(r log r) for r matches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

MOST_PER_ITEM = 1_000
"""An item that stands more often in one list is paired by occurrence, not with every other."""


@dataclass(frozen=True)
class Place:
    """One entry of one side's list. `rank` orders it (equal ranks tie; None promises nothing)."""

    number: int
    item: Hashable
    rank: int | None


def in_place(old: Sequence[Place], new: Sequence[Place]) -> dict[int, int]:
    """Old number -> new number of the entries that stand in order.

    Old entries without a rank promise no order: they are in no chain and never moved; the caller
    leaves them out.
    """
    points = sorted(_points(old, new))
    chain = longest_rising([point.rise for point in points])
    return {points[i].old: points[i].new for i in chain}


@dataclass(frozen=True, order=True)
class _Point:
    """One possible match. Sorted by old rank; then so that a chain can't take one old entry twice."""

    old_rank: int
    within: tuple[int, int]
    old: int
    new: int
    rise: tuple[int, int, int]


def _points(old: Sequence[Place], new: Sequence[Place]) -> list[_Point]:
    ranks = Counter(p.rank for p in old)
    by_item = _by_item(new)
    repeated = {item for item, n in Counter(p.item for p in old).items() if n > 1}
    by_occurrence = _paired_by_occurrence(old, by_item, ranks, repeated)
    found: list[_Point] = []
    for place in old:
        if place.rank is None:
            continue
        tied = ranks[place.rank] > 1
        for other in _candidates(place, by_item, by_occurrence):
            if other.rank is None:
                continue
            # Within a tie of old any order will do: ascending. Else descending, so that a chain
            # that must rise strictly cannot use one old entry twice.
            within = (other.rank, other.number) if tied else (-other.rank, -other.number)
            rise = (other.rank, -place.rank, other.number if tied else 0)
            found.append(_Point(place.rank, within, place.number, other.number, rise))
    return found


def _by_item(new: Sequence[Place]) -> dict[Hashable, list[Place]]:
    found: dict[Hashable, list[Place]] = defaultdict(list)
    for place in sorted(new, key=lambda p: (p.rank is None, p.rank or 0, p.number)):
        found[place.item].append(place)
    return found


def _paired_by_occurrence(
    old: Sequence[Place],
    by_item: dict[Hashable, list[Place]],
    ranks: Counter[int | None],
    repeated: set[Hashable],
) -> dict[int, Place]:
    """Old number -> its one candidate, for items that stand too often, or repeat within a tie of old."""
    chosen = {item for item, places in by_item.items() if len(places) > MOST_PER_ITEM} | {
        item for item, n in Counter(p.item for p in old).items() if n > MOST_PER_ITEM
    }
    chosen |= {p.item for p in old if p.item in repeated and ranks[p.rank] > 1}
    chosen |= {p.item for p in old if ranks[p.rank] > 1 and len(by_item.get(p.item, ())) > 1}
    found: dict[int, Place] = {}
    seen: Counter[Hashable] = Counter()
    for place in sorted(old, key=lambda p: (p.rank is None, p.rank or 0, p.number)):
        if place.item in chosen:
            others = by_item.get(place.item, [])
            if seen[place.item] < len(others):
                found[place.number] = others[seen[place.item]]
            seen[place.item] += 1
    for place in old:
        if place.item in chosen:
            found.setdefault(place.number, Place(-1, place.item, None))
    return found


def _candidates(
    place: Place, by_item: dict[Hashable, list[Place]], by_occurrence: dict[int, Place]
) -> Sequence[Place]:
    if place.number in by_occurrence:
        return (by_occurrence[place.number],)
    return by_item.get(place.item, ())


def longest_rising(values: Sequence[tuple[int, ...]]) -> list[int]:
    """Indices of the longest strictly rising subsequence; of several, the lexicographically first."""
    ends = _lengths(values)
    starts = list(reversed(_lengths([tuple(-v for v in value) for value in reversed(values)])))
    most = max(ends, default=0)
    chain: list[int] = []
    for i, value in enumerate(values):
        wanted = len(chain) + 1
        fits = ends[i] == wanted and starts[i] == most - wanted + 1
        if fits and (not chain or value > values[chain[-1]]):
            chain.append(i)
    return chain


def _lengths(values: Sequence[tuple[int, ...]]) -> list[int]:
    """Length of the longest strictly rising subsequence that ends at each index."""
    tails: list[tuple[int, ...]] = []
    found = []
    for value in values:
        place = bisect_left(tails, value)
        if place == len(tails):
            tails.append(value)
        else:
            tails[place] = value
        found.append(place + 1)
    return found
