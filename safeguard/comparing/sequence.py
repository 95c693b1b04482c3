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
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Singles:
    """Pairs of one list whose items stand once on either side, as columns: the old rank and number,
    the new rank (0 for none) and number. Ranks are those of `Place`, from 1 on."""

    ranks: Integers
    numbers: Integers
    new_ranks: Integers
    new_numbers: Integers


_NO_SINGLES = Singles(*(np.zeros(0, np.int64) for _ in range(4)))


def in_place(
    old: Sequence[Place],
    new: Sequence[Place],
    singles: Singles = _NO_SINGLES,
    crowd: Collection[int] = (),
    some_unranked: bool = False,
) -> tuple[dict[int, int], Integers]:
    """Old number -> new number of the entries that stand in order, and for each of `singles` whether
    it does. Items of `singles` are not among `old` and `new`.

    Old entries without a rank promise no order: they are in no chain and never moved; the caller
    leaves them out. A new entry without a rank keeps no order that old had: it stays only beside
    entries that old ties it with. Of entries that are not here the caller says which old ranks they
    tie (`crowd`) and whether one has no new rank (`some_unranked`).
    """
    ranked = [place for place in old if place.rank is not None]
    by_item, ties = _by_item(new), _ties(ranked)
    points = list(_points(ranked, ties, by_item, {*crowd, *_shared(ties, singles)}))
    placed, stays = _chain(points, ties, singles)
    if some_unranked or any(p.rank is None for p in new) or not singles.new_ranks.all():
        alone, tied = _best_tie(ties, by_item, singles)
        if _worth(alone, tied, ranked, singles) > _worth(placed, stays, ranked, singles):
            return alone, tied
    return placed, stays


Tie = dict[Hashable, list[Place]]
"""The old entries of one rank, by item: their order among themselves promises nothing."""


@dataclass(frozen=True)
class _Point:
    """One possible match: an item of one old rank with one new entry. Points of one rank are sorted so
    that a strictly rising chain takes no old entry twice."""

    old_rank: int
    within: tuple[int, int]
    new: int
    rise: tuple[int, int, int]
    item: Hashable
    tied: bool

    @property
    def mark(self) -> tuple[int, int]:
        """The old entry that it stands for; in a tie each match stands for itself."""
        return (self.old_rank, self.new if self.tied else -1)


def _shared(ties: dict[int, Tie], singles: Singles) -> Iterator[int]:
    """Old ranks in which a single stands beside others."""
    ranks = np.array(sorted(ties), np.int64)
    yield from ranks[np.isin(ranks, singles.ranks)].tolist()


def _chain(
    points: Sequence[_Point], ties: dict[int, Tie], singles: Singles
) -> tuple[dict[int, int], Integers]:
    """The longest rising chain through the points of both kinds."""
    alone = np.flatnonzero(singles.new_ranks)
    ranks, new_ranks, numbers = (
        c if len(alone) == len(c) else c[alone]  # a million need no copy
        for c in (singles.ranks, singles.new_ranks, singles.new_numbers)
    )
    columns = [(p.old_rank, *p.within, *p.rise) for p in points]
    rank, within, within_number, rise, backwards, rise_number = (
        np.array(columns, np.int64).reshape(-1, 6).T
    )
    # A single is sorted as tied entries are: where it is alone in its rank, that is no matter.
    order = _order((ranks, rank), (new_ranks, within), (numbers, within_number))
    values = _dense((new_ranks, rise), (-ranks, backwards), (numbers, rise_number))[order]
    seen: dict[tuple[int, int], int] = {}
    marks = [len(alone) + seen.setdefault(point.mark, len(seen)) for point in points]
    marked = np.concatenate((np.arange(len(alone), dtype=np.int32), np.array(marks, np.int32)))[
        order
    ]
    chain = order[longest_rising(values, marked)]
    stays = np.zeros(len(singles.ranks), np.bool_)
    stays[alone[chain[chain < len(alone)]]] = True
    return _assigned(
        [points[i - len(alone)] for i in chain[chain >= len(alone)].tolist()], ties
    ), stays


Halves = tuple[Integers, Integers]
"""One column of the singles and of the other points."""


def _order(*keys: Halves) -> Integers:
    """What sorts the points by these columns."""
    return np.lexsort([_joined(halves) for halves in reversed(keys)])


def _joined(halves: Halves) -> Integers:
    """One column, typed as the one of the singles, which are many."""
    one, other = halves
    return np.concatenate((one, other.astype(one.dtype)))


def _dense(*keys: Halves) -> Integers:
    """Integers from 0 on that are ordered, and equal, as the points are by these columns."""
    order = _order(*keys)
    steps = np.zeros(len(order), np.bool_)
    for halves in keys:
        column = _joined(halves)[order]
        steps[1:] |= column[1:] != column[:-1]
    found = np.empty(len(order), np.int64)
    found[order] = np.cumsum(steps)
    return found


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
    ranked: Sequence[Place],
    ties: dict[int, Tie],
    by_item: dict[Hashable, list[Place]],
    crowd: Collection[int],
) -> Iterator[_Point]:
    nth = _occurrences(ranked)
    often = {item for item, n in Counter(p.item for p in ranked).items() if n > MOST_PER_ITEM}
    for rank, tie in ties.items():
        tied = rank in crowd or sum(map(len, tie.values())) > 1
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


def _worth(
    found: dict[int, int], stays: Integers, ranked: Sequence[Place], singles: Singles
) -> tuple[int, list[tuple[int, int]]]:
    """More is better; of as many, those that stand earliest in old."""
    old = [(-(p.rank or 0), -p.number) for p in ranked if p.number in found]
    columns = ((-c[stays]).tolist() for c in (singles.ranks, singles.numbers))
    every = sorted([*old, *zip(*columns, strict=True)], reverse=True)
    return len(every), every


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
    ties: dict[int, Tie], by_item: dict[Hashable, list[Place]], singles: Singles
) -> tuple[dict[int, int], Integers]:
    """The most entries of one old rank that new has, wherever it put them; the earliest of several."""
    most, best = 0, -1
    sizes = dict(
        zip(*(c.tolist() for c in np.unique(singles.ranks, return_counts=True)), strict=True)
    )
    for rank in sorted({*ties, *sizes}):
        size = sizes.get(rank, 0) + len(_of_tie(ties.get(rank, {}), by_item))
        if size > most:
            most, best = size, rank
    return _of_tie(ties.get(best, {}), by_item), singles.ranks == best


def _of_tie(tie: Tie, by_item: dict[Hashable, list[Place]]) -> dict[int, int]:
    return {
        place.number: other.number
        for item, places in tie.items()
        for place, other in zip(places, by_item.get(item, ()), strict=False)
    }


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
