"""What stands in order: the longest common subsequence of one list, old and new.

`in_place` takes one list with anything in it, entry by entry. `in_place_once` takes all lists at once
whose items stand once on either side, as nearly all do, and works on whole columns.

Ties in old promise no order among themselves; ties in new do not keep an order that old had. Of
several longest subsequences the one that stands earliest in old is taken.

Each possible match of an old with a new entry becomes a point; a chain of points that rises on both
sides is a common subsequence. Points are sorted as old stands and the longest strictly rising chain
of their new places is found, see rising.py (Hunt and Szymanski, "A fast algorithm for computing
longest common subsequences", CACM 20(5), 1977).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from safeguard.comparing.rising import Integers, longest_rising

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
    leaves them out. A new entry without a rank keeps no order that old had: it stays only beside
    entries that old ties it with.
    """
    ranked = [place for place in old if place.rank is not None]
    by_item = _by_item(new)
    ties = _ties(ranked)
    points = sorted(_points(ranked, ties, by_item))
    values = _dense([point.rise for point in points])
    marks = _dense([point.mark for point in points])
    chain = [points[i] for i in longest_rising(values, marks).tolist()]
    placed = _assigned(chain, ties)
    unranked = {place.item for place in new if place.rank is None}
    alone = _best_tie(ties, by_item, unranked)
    return max(placed, alone, key=lambda found: _worth(found, ranked))


Tie = dict[Hashable, list[Place]]
"""The old entries of one rank, by item: their order among themselves promises nothing."""


@dataclass(frozen=True, order=True)
class _Point:
    """One possible match: an item of one old rank with one new entry. Points of one rank are sorted so
    that a strictly rising chain takes no old entry twice."""

    old_rank: int
    within: tuple[int, int]
    new: int
    rise: tuple[int, int, int]
    item: Hashable = field(compare=False)
    tied: bool = field(compare=False)

    @property
    def mark(self) -> tuple[int, int]:
        """The old entry that it stands for; in a tie each match stands for itself."""
        return (self.old_rank, self.new if self.tied else -1)


def _ties(ranked: Sequence[Place]) -> dict[int, Tie]:
    found: dict[int, Tie] = defaultdict(lambda: defaultdict(list))
    for place in sorted(ranked, key=lambda p: (p.rank or 0, p.number)):
        assert place.rank is not None
        found[place.rank][place.item].append(place)
    return found


def _by_item(new: Sequence[Place]) -> dict[Hashable, list[Place]]:
    found: dict[Hashable, list[Place]] = defaultdict(list)
    for place in sorted(new, key=lambda p: (p.rank is None, p.rank or 0, p.number)):
        found[place.item].append(place)
    return found


def _points(
    ranked: Sequence[Place], ties: dict[int, Tie], by_item: dict[Hashable, list[Place]]
) -> Iterator[_Point]:
    nth = _occurrences(ranked)
    often = {item for item, n in Counter(p.item for p in ranked).items() if n > MOST_PER_ITEM}
    for rank, tie in ties.items():
        tied = sum(map(len, tie.values())) > 1
        for item, places in tie.items():
            others = by_item.get(item, [])
            # Like entries within a tie are interchangeable, but no more of them than there are: where
            # new has more, they are paired by occurrence. That may call one entry too many moved, in a
            # list whose positions and items both repeat; it never hides one.
            crowded = tied and len(others) > len(places)
            if item in often or crowded or len(others) > MOST_PER_ITEM:
                others = [others[nth[p.number]] for p in places if nth[p.number] < len(others)]
            for other in others:
                if other.rank is not None:
                    yield _point(rank, item, other, tied)


def _point(rank: int, item: Hashable, other: Place, tied: bool) -> _Point:
    assert other.rank is not None
    within = (other.rank, other.number) if tied else (-other.rank, -other.number)
    rise = (other.rank, -rank, other.number if tied else 0)
    return _Point(rank, within, other.number, rise, item, tied)


def _occurrences(ranked: Sequence[Place]) -> dict[int, int]:
    """Old number -> how many entries of its item stand before it."""
    seen: Counter[Hashable] = Counter()
    found = {}
    for place in sorted(ranked, key=lambda p: (p.rank or 0, p.number)):
        found[place.number] = seen[place.item]
        seen[place.item] += 1
    return found


def _worth(found: dict[int, int], ranked: Sequence[Place]) -> tuple[int, list[tuple[int, int]]]:
    """More is better; of as many, those that stand earliest in old."""
    return len(found), sorted((-(p.rank or 0), -p.number) for p in ranked if p.number in found)[
        ::-1
    ]


def _assigned(chain: Sequence[_Point], ties: dict[int, Tie]) -> dict[int, int]:
    """Old number -> new number for a chain: like entries of a tie are taken in turn."""
    taken: Counter[tuple[int, Hashable]] = Counter()
    found = {}
    for point in chain:
        place = ties[point.old_rank][point.item][taken[point.old_rank, point.item]]
        taken[point.old_rank, point.item] += 1
        found[place.number] = point.new
    return found


def _best_tie(
    ties: dict[int, Tie], by_item: dict[Hashable, list[Place]], unranked: set[Hashable]
) -> dict[int, int]:
    """The most entries of one old rank that new has, wherever it put them; the earliest of several."""
    best: dict[int, int] = {}
    for rank in sorted(ties) if unranked else ():
        found = {
            place.number: other.number
            for item, places in ties[rank].items()
            for place, other in zip(places, by_item.get(item, ()), strict=False)
        }
        if len(found) > len(best):
            best = found
    return best


def _dense(values: Sequence[tuple[int, ...]]) -> Integers:
    """Integers from 0 on that are ordered, and equal, as the values are."""
    order = {value: i for i, value in enumerate(sorted(set(values)))}
    return np.array([order[value] for value in values], np.int64)


def in_place_once(lists: Integers, ranks: Integers, rises: Integers, numbers: Integers) -> Integers:
    """Of pairs whose items stand once on either side, which stand in order (a boolean each), in many
    lists at once. Old entries without a rank are left out.

    `lists` numbers each pair's list, `ranks` its old rank. `rises` is its place among its list's pairs
    that new ranks, from 1 on, by new rank, by old rank backwards, by new number; 0 where new has no
    rank. Pairs are sorted by list, old rank, rise; `numbers` are the old entries'.
    """
    points = np.flatnonzero(rises)
    # Lists follow each other, so that one chain through all of them is a longest one in each.
    first = np.searchsorted(lists[points], lists[points])
    found = np.zeros(len(lists), np.bool_)
    found[points[longest_rising(first + rises[points] - 1)]] = True
    for some in np.unique(lists[rises == 0]).tolist():
        begin, end = np.searchsorted(lists, (some, some + 1)).tolist()
        own = slice(begin, end)
        found[own] = _or_one_tie(found[own], ranks[own], numbers[own])
    return found


def _or_one_tie(chain: Integers, ranks: Integers, numbers: Integers) -> Integers:
    """The chain of one list, or, where that is worth more, the pairs of one old rank, wherever new put
    them."""
    tied, sizes = np.unique(ranks, return_counts=True)
    tie = ranks == tied[np.argmax(sizes)]
    of_chain, of_tie = (
        sorted(zip(ranks[m].tolist(), numbers[m].tolist(), strict=True)) for m in (chain, tie)
    )
    better = (-len(of_tie), of_tie) < (-len(of_chain), of_chain)
    return tie if better else chain
